/*
 * tenants: which tenant a subscription has turned out to belong to, so that only the first request for it is
 * refused.
 */
#ifndef ADIT_AZURE_TENANTS_H
#define ADIT_AZURE_TENANTS_H

struct tenants;

struct tenants *tenants_new(void); /* NULL when out of memory */
void tenants_free(struct tenants *t);

/* `url`: a path or URL with "/subscriptions/…" in it; others are of no subscription. Learning may be
 * forgotten when there is no memory or there are too many: it only saves a request. */
const char *tenants_get(const struct tenants *t, const char *url); /* or NULL */
void tenants_learn(struct tenants *t, const char *url, const char *tenant);

#endif

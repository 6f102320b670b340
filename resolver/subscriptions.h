/*
 * subscriptions: which subscription a name means when it names none, or names one as people do.
 *
 * Order: the configured ones, AZURE_SUBSCRIPTION_ID, the ones that the credential can see (GET
 * /subscriptions, asked for once and again when a name is not among them). Thread: the loop's.
 */
#ifndef ADIT_RESOLVER_SUBSCRIPTIONS_H
#define ADIT_RESOLVER_SUBSCRIPTIONS_H

#include "azure/azure.h"
#include "base/list.h"
#include "base/strbuf.h"

#define SUBSCRIPTIONS_MAX 10000 /* visible ones that are remembered */

struct subscriptions;

/* configured: copied. ERR_NOMEM. */
int subscriptions_new(struct subscriptions **out, struct azure *a, struct clock *clock,
                      const char *const *configured, size_t count, struct err *err);
void subscriptions_free(struct subscriptions *s); /* waits are dropped silently */

/* Someone who waits for the list of the visible ones. */
struct subscriptions_wait {
    struct list node;                                                /* private */
    void (*cb)(struct subscriptions_wait *w, const struct err *err); /* err NULL: ask again */
};
void subscriptions_wait_init(struct subscriptions_wait *w,
                             void (*cb)(struct subscriptions_wait *, const struct err *));
void subscriptions_cancel(struct subscriptions_wait *w); /* silent; an idle one may be given */

/* The GUID of `wanted` (GUID or display name; NULL: the default one). 0: *guid is set, borrowed until the
 * loop turns. 1: not known yet, w->cb will fire. Negative: ERR_NOTFOUND, ERR_AMBIGUOUS (several and no
 * default), ERR_NOMEM. */
int subscriptions_resolve(struct subscriptions *s, const char *wanted, uint32_t deadline_ms,
                          struct subscriptions_wait *w, const char **guid, struct err *err);

/* The default one's GUID if it is known without asking, else NULL. Borrowed until the loop turns. */
const char *subscriptions_default(const struct subscriptions *s);

/* Whether all that is searched is configured, and by GUID: a name then means the same whoever is signed in.
 */
bool subscriptions_fixed(const struct subscriptions *s);

/* Adds the configured ones, " subscription=GUID" each. */
void subscriptions_text(const struct subscriptions *s, struct strbuf *out);

/* The ones to search for a bare name: the same codes; *count 0 with *guids NULL means every visible one. The
 * array is mem_free()d by the caller, its texts are borrowed until the loop turns. `listed`: the visible ones
 * must be spelt out. */
int subscriptions_search(struct subscriptions *s, bool listed, uint32_t deadline_ms,
                         struct subscriptions_wait *w, const char ***guids, size_t *count, struct err *err);

#endif

/*
 * ref: resource IDs as ARM's documents name them: checked, taken apart, and made paths of requests.
 *
 * Source: ARM's "/subscriptions/S/resourceGroups/G/providers/NAMESPACE/TYPE/NAME[/TYPE/NAME…]"; case does not
 * count. Private to prepare/. Pure functions.
 */
#ifndef ADIT_PREPARE_REF_H
#define ADIT_PREPARE_REF_H

#include <stdbool.h>
#include <stddef.h>

#define REF_MAX 2048

/* Whether it is the ID of a resource of that type, "Microsoft.Network/networkInterfaces" or
 * "Microsoft.Network/networkSecurityGroups/securityRules". NULL is none. */
bool ref_is(const char *id, const char *type);

bool ref_same(const char *a, const char *b); /* NULL is the same as nothing */

/* The last segment, or after the n-th slash: 2 the subscription, 4 the group; borrowed, *len long; "" when
 * there is none. */
const char *ref_name(const char *id);
const char *ref_segment(const char *id, unsigned n, size_t *len);

/* "ID[/BELOW]?QUERY", percent-encoded but for the query. below may be NULL. A new string, NULL when out of
 * memory. */
char *ref_path(const char *id, const char *below, const char *query);

#endif

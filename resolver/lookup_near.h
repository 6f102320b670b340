/*
 * lookup_near: the VMs whose names are as long as a mistyped one, more or less, by one Resource Graph query.
 *
 * Only the first page counts: it is for a hint. The contract is that of lookup.h.
 */
#ifndef ADIT_RESOLVER_LOOKUP_NEAR_H
#define ADIT_RESOLVER_LOOKUP_NEAR_H

#include "azure/azure.h"
#include "nearest.h"

#define LOOKUP_NEAR_MS 3000u /* a hint is not worth more */

struct lookup_near;

/* Has offered what there is to `to` by then; a failure offers nothing. */
typedef void (*lookup_near_cb)(void *arg);

/* Nobody else may change `to` meanwhile. subscriptions as lookup_graph_start(). ERR_NOMEM. */
int lookup_near_start(struct azure *a, struct nearest *to, const char *const *subscriptions,
                      size_t subscription_count, lookup_near_cb cb, void *arg, struct lookup_near **out,
                      struct err *err);
void lookup_near_cancel(struct lookup_near *l);

#endif

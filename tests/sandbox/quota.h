/*
 * quota: how much each caller may ask of this Azure, counted by the client id of its token.
 *
 * Sources: "Understand how Azure Resource Manager throttles requests" (token buckets), "Guidance for
 * throttled requests in Azure Resource Graph" (a window), "Troubleshoot API throttling errors" of Compute
 * (each VM).
 */
#ifndef ADIT_SANDBOX_QUOTA_H
#define ADIT_SANDBOX_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct arm_call;
struct sandbox;
struct vm;

struct quota_bucket {
    double used;    /* requests that have not been refilled yet */
    uint64_t at_ms; /* when that was so */
};

struct quota {
    struct list callers;
    bool off; /* nothing is refused; the headers still count */
};

void quota_init(struct quota *q);
void quota_done(struct quota *q);
void quota_clear(struct sandbox *sb); /* nobody has asked anything yet */

/* One call within its subscription, or the tenant: reads 250 (+25 a second), writes and deletes 200 (+10);
 * over all subscriptions of the caller 15 times as much. Each of these sets its headers; false: 429 is set
 * too. */
bool quota_arm_take(struct arm_call *c);
bool quota_vm_take(struct arm_call *c, struct vm *vm); /* a GET of one VM, by whomever: 30 (+1 in 2 s) */
bool quota_graph_take(struct arm_call *c);             /* one query of Resource Graph: 15 in 5 s */

#endif

/*
 * resolver: a VM's name → what is true of it now → where to connect.
 *
 * Two round trips for a qualified name (VM with instanceView, then its NICs with expanded public IPs, in
 * parallel), one Resource Graph query for a bare one. Answers are kept in memory; a failed connect must be
 * told by resolver_invalidate(), and the next look-up asks ARM directly. Thread: the loop's, for every
 * function here.
 */
#ifndef ADIT_RESOLVER_RESOLVER_H
#define ADIT_RESOLVER_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "azure/azure.h"
#include "base/clock.h"
#include "base/err.h"
#include "facts.h"

struct resolver;
struct resolver_req;

/* Which VM. Borrowed for the call. NULL members are not given. */
struct resolver_name {
    const char *subscription;
    const char *group;
    const char *name; /* VM, or Uniform scale set when instance is given */
    const char *instance;
};

struct resolver_options {
    struct azure *azure; /* borrowed; outlives the resolver */
    struct clock *clock;
    const char *const *subscriptions; /* the configured ones, first = default; copied */
    size_t subscription_count; /* 0: the subscriptions that the credential can see are asked for once */
    uint32_t fresh_ms;         /* an answer is used without asking for so long; 0 = 10 min */
};

int resolver_new(struct resolver **out, const struct resolver_options *options, struct err *err);
void resolver_free(struct resolver *r); /* cancels what is under way, silently */

enum resolver_flags {
    RESOLVER_NO_CACHE = 1 << 0, /* ask ARM even if an answer is at hand */
    RESOLVER_DIRECT =
        1 << 1, /* no Resource Graph answer is good enough (after a start or a failed connect) */
};

/* Exactly once, never inside resolver_lookup(). facts is borrowed (resolver_facts_ref() to keep); NULL with
 * err set: ERR_NOTFOUND, ERR_AMBIGUOUS (the message lists the candidates), ERR_AUTH, ERR_DENIED,
 * ERR_UNAVAILABLE, ERR_TIMEOUT. */
typedef void (*resolver_cb)(void *arg, const struct resolver_facts *facts, const struct err *err);

/* Equal look-ups under way share one. deadline_ms 0 = 30 s. */
int resolver_lookup(struct resolver *r, const struct resolver_name *name, unsigned flags,
                    uint32_t deadline_ms, resolver_cb cb, void *arg, struct resolver_req **out,
                    struct err *err);
void resolver_cancel(struct resolver_req *req); /* synchronous and silent */

/* What is remembered for this name (or by this resource ID in `name->name`) is not to be used again. */
void resolver_invalidate(struct resolver *r, const struct resolver_name *name);

#endif

/*
 * resolver: a VM's name → what is true of it now → where to connect.
 *
 * Two round trips for a qualified name (VM with instanceView, then its NICs with expanded public IPs, in
 * parallel), one Resource Graph query for a bare one, and one for up to 1000 names that come together.
 * Answers are kept in memory and on disk: fresh ones are used without asking, older ones are used at once
 * while they are asked for anew, and when ARM cannot be asked the last answer must do (facts.unconfirmed says
 * so). A failed connect must be told by resolver_invalidate(), and the next look-up asks ARM directly.
 * Thread: the loop's, for every function here.
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

#define RESOLVER_PATIENCE_MS 5000u /* so long ARM is waited for when there is an old answer */

struct resolver;
struct resolver_req;

/* Which VM. Borrowed for the call. NULL members are not given. */
struct resolver_name {
    const char *subscription;
    const char *group;
    const char *name; /* VM, or Uniform scale set when instance is given; or a resource ID and nothing else */
    const char *instance;
};

struct resolver_options {
    struct azure *azure; /* borrowed; outlives the resolver */
    struct clock *clock;
    const char *const *subscriptions; /* the configured ones, first = default; copied */
    size_t subscription_count; /* 0: the subscriptions that the credential can see are asked for once */
    uint32_t fresh_ms;     /* an answer is used without asking for so long, and all names in use are asked for
                              anew about so often; 0 = 10 min */
    uv_loop_t *loop;       /* for the cache on disk */
    const char *cache_dir; /* where it is; NULL: in memory only */
    const char
        *cache_scope; /* cloud, tenant, identity: what another one's cache must not be taken for; copied */
};

/* A cache that cannot be used is ignored with a warning. ERR_NOMEM. */
int resolver_new(struct resolver **out, const struct resolver_options *options, struct err *err);
void resolver_free(
    struct resolver *r); /* cancels what is under way, silently; writes the cache; NULL is fine */

enum resolver_flags {
    RESOLVER_NO_CACHE = 1 << 0, /* ask ARM even if an answer is at hand; an old one is no answer */
    RESOLVER_DIRECT =
        1 << 1, /* no Resource Graph answer is good enough (after a start or a failed connect) */
};

/* Exactly once, never inside resolver_lookup(). facts is borrowed (resolver_facts_ref() to keep); NULL with
 * err set: ERR_NOTFOUND (the message names the nearest ones), ERR_AMBIGUOUS (it lists the candidates),
 * ERR_AUTH, ERR_DENIED, ERR_UNAVAILABLE, ERR_TIMEOUT. */
typedef void (*resolver_cb)(void *arg, const struct resolver_facts *facts, const struct err *err);

/* Equal look-ups under way share one. deadline_ms 0 = 30 s. */
int resolver_lookup(struct resolver *r, const struct resolver_name *name, unsigned flags,
                    uint32_t deadline_ms, resolver_cb cb, void *arg, struct resolver_req **out,
                    struct err *err);
void resolver_cancel(struct resolver_req *req); /* synchronous and silent */

/* What is remembered for this name (or by this resource ID in `name->name`) is not to be used again. */
void resolver_invalidate(struct resolver *r, const struct resolver_name *name);

/* Every VM of the subscriptions that bare names are searched in, by one paged Resource Graph query; what it
 * says is remembered. */
struct resolver_list;

/* Exactly once, never inside resolver_all(). The facts are borrowed, in the order of their IDs. err as
 * resolver_cb. */
typedef void (*resolver_list_cb)(void *arg, struct resolver_facts *const *vms, size_t count,
                                 const struct err *err);
int resolver_all(struct resolver *r, uint32_t deadline_ms, resolver_list_cb cb, void *arg,
                 struct resolver_list **out, struct err *err);
void resolver_all_cancel(struct resolver_list *l); /* synchronous and silent */

#endif

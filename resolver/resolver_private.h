/*
 * resolver_private: what the public face of the resolver and its flights share.
 */
#ifndef ADIT_RESOLVER_RESOLVER_PRIVATE_H
#define ADIT_RESOLVER_RESOLVER_PRIVATE_H

#include "asked.h"
#include "base/list.h"
#include "base/map.h"
#include "batch.h"
#include "cache.h"
#include "cache_file.h"
#include "lookup.h"
#include "pace.h"
#include "resolver.h"
#include "subscriptions.h"

/* What ARM has said within this time, the Resource Graph may not know yet. */
#define RESOLVER_GRAPH_LAG_MS 120000u

struct resolver {
    struct azure *azure;
    struct clock *clock;
    struct subscriptions *subscriptions;
    struct cache *cache;
    struct cache_file *file; /* or NULL: in memory only */
    struct batch *batch;
    struct pace *pace;
    struct map *flights; /* by key and kind: see flight_find() */
    struct list flying;  /* the same ones, to walk over */
    struct list reqs;    /* resolver_req, all */
    struct list lists;   /* resolver_list, all */
    struct timer refresh;
    uint32_t refresh_ms;
};

/* One caller who waits: for a flight, or for the next turn of the loop when the answer is at hand. */
struct resolver_req {
    struct list all;  /* in resolver.reqs */
    struct list node; /* in flight.reqs */
    struct flight *flight;
    struct resolver *resolver;
    struct timer timer;    /* the deadline, or the next turn */
    struct timer patience; /* then an old answer must do */
    uint64_t deadline_at;
    uint32_t deadline_ms;
    unsigned flags;
    bool background;                    /* nobody waits: a refresh */
    const struct resolver_facts *facts; /* at hand */
    struct err err;                     /* at hand, or code 0 */
    resolver_cb cb;
    void *arg;
};

/* A caller without flight or timer yet. NULL when out of memory. */
struct resolver_req *resolver_req_new(struct resolver *r, uint32_t deadline_ms, resolver_cb cb, void *arg);
void resolver_req_free(struct resolver_req *req);

/* One look-up under way, shared by all who ask the same. */
struct flight;

/* The one that would answer this, or NULL; `direct`: only one that asks ARM directly will do. */
struct flight *flight_find(struct resolver *r, const char *key, bool direct);

/* hint: where a bare name's VM was the last time, or NULL. Negative: it failed at once and is gone. */
int flight_new(struct flight **out, struct resolver *r, const struct asked *asked, bool direct,
               const struct arm_vm_id *hint, uint32_t deadline_ms, struct err *err);
void flight_free_all(struct resolver *r); /* cancels silently; no one may wait for them any more */
void flight_join(struct flight *f, struct resolver_req *req);
void flight_leave(struct resolver_req *req); /* the last one to leave ends the flight */
void flight_ask_directly(
    struct flight *f); /* what it learns from the Resource Graph is no longer good enough */
const char *flight_key(const struct flight *f);

/* Gives a caller its answer; the request, and perhaps the resolver, is gone after it. An error that only says
 * that ARM cannot be asked yields to what is remembered under `key`, if the caller takes it. */
void resolver_req_tell(struct resolver_req *req, const char *key, const struct resolver_facts *facts,
                       const struct err *err);

/* refresh.c: asks anew, with nobody waiting; at most once in CACHE_AGAIN_MS for one name. */
void refresh_one(struct resolver *r, const struct asked *asked);
void on_refresh(struct timer *t); /* of resolver.refresh: every name in use, together */

void resolver_all_free(struct resolver *r); /* resolver_all.c: cancels every one of resolver.lists */

/* last_resort.c: remembered facts as a copy that says why they must do; NULL when there are none, or this
 * error is an answer of ARM's. The caller's reference. */
const struct resolver_facts *last_resort(struct resolver *r, const char *key, const struct err *why);

#endif

/*
 * resolver_private: what the public face of the resolver and its flights share.
 */
#ifndef ADIT_RESOLVER_RESOLVER_PRIVATE_H
#define ADIT_RESOLVER_RESOLVER_PRIVATE_H

#include "arm_id.h"
#include "base/list.h"
#include "base/map.h"
#include "cache.h"
#include "lookup.h"
#include "resolver.h"
#include "subscriptions.h"

struct resolver {
    struct azure *azure;
    struct clock *clock;
    struct subscriptions *subscriptions;
    struct cache *cache;
    struct map *flights; /* by key and kind: see flight_find() */
    struct list flying;  /* the same ones, to walk over */
    struct list reqs;    /* resolver_req, all */
};

/* One caller who waits: for a flight, or for the next turn of the loop when the answer is at hand. */
struct resolver_req {
    struct list all;  /* in resolver.reqs */
    struct list node; /* in flight.reqs */
    struct flight *flight;
    struct resolver *resolver;
    struct timer timer; /* the deadline, or the next turn */
    uint64_t deadline_at;
    uint32_t deadline_ms;
    const struct resolver_facts *facts; /* at hand */
    struct err err;                     /* at hand, or code 0 */
    resolver_cb cb;
    void *arg;
};

/* A name taken apart, checked, and made a key. */
struct asked {
    char key[CACHE_KEY_MAX]; /* "*" for a bare name, else the subscription (the default one, "" while it is
                                unknown), then /group/name */
    char label[2 * ARM_NAME_MAX];        /* as messages name it */
    char subscription[2 * ARM_NAME_MAX]; /* GUID or display name, or "" */
    char group[ARM_NAME_MAX];            /* "" for a bare name */
    char name[ARM_NAME_MAX];
};

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

/* Gives a caller its answer; the request, and perhaps the resolver, is gone after it. */
void resolver_req_tell(struct resolver_req *req, const struct resolver_facts *facts, const struct err *err);

/* "SUBSCRIPTION/group/name" */
void resolver_full_key(char out[CACHE_KEY_MAX], const struct resolver_facts *f);

#endif

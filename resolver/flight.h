/*
 * flight: one look-up under way: its state, shared by its life (flight.c) and its steps (flight_steps.c).
 */
#ifndef ADIT_RESOLVER_FLIGHT_H
#define ADIT_RESOLVER_FLIGHT_H

#include "miss.h"
#include "resolver_private.h"

enum flight_state {
    FLIGHT_SUBSCRIPTION,
    FLIGHT_SEARCH,
    FLIGHT_GRAPH,
    FLIGHT_LIST_SEARCH,
    FLIGHT_LIST,
    FLIGHT_DIRECT
};

struct flight {
    struct list node; /* in resolver.flying */
    struct resolver *resolver;
    struct asked asked;
    char map_key[CACHE_KEY_MAX + 2];
    bool direct;     /* only direct GETs are good enough */
    bool hinted;     /* vm is where it was, not where it was found */
    bool foreground; /* somebody waits, or waited */
    bool graphless;  /* the Resource Graph is of no help */
    enum flight_state state;
    uint64_t started_ms;
    struct arm_vm_id vm;
    const struct resolver_facts *graph_facts; /* to be confirmed */
    struct subscriptions_wait wait;
    struct batch_wait in_batch;
    struct timer turn; /* for direct GETs */
    bool no_turn;      /* it would come too late */
    struct lookup_direct *by_gets;
    struct lookup_instance *by_instance;
    struct lookup_list *by_list;
    struct miss *miss;
    struct err miss_err;
    struct list reqs;
    uint64_t deadline_at;
};

/* The end: err with code 0 is success. A caller may free the resolver. */
void flight_finish(struct flight *f, const struct resolver_facts *facts, struct err *err);

/* The end of a refresh that has learnt only that something is different: the next caller asks directly. */
void flight_doubt(struct flight *f);

/* Starts what the state is for: 0 under way, negative failed at once. */
int flight_step(struct flight *f, struct err *err);

/* Its turn has come. */
void flight_on_turn(struct timer *t);

/* Those who wait for the list of subscriptions. */
void flight_on_subscriptions(struct subscriptions_wait *w, const struct err *err);

#endif

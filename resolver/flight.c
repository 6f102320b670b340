/*
 * flight: one look-up under way, from a name to facts, and those who wait for it.
 *
 * Happy path of rg/vm: the subscription is known, direct GETs give the facts. Of a bare name: one Resource
 * Graph query over the subscriptions to search gives them. The Resource Graph lags behind, so its answer is
 * confirmed by direct GETs when the caller wants that, or when it says that the VM is not running or has no
 * address. Failure modes: a hint that leads nowhere (404) turns into a search; a Resource Graph that refuses
 * is replaced by listing; a confirmation that fails leaves the graph's answer standing if it was not
 * demanded. Callers have deadlines of their own; one that joined with more time than the flight has gets a
 * new flight when this one's time is up.
 *
 *   SUBSCRIPTION ------------------> DIRECT --> over
 *   SEARCH --> GRAPH --confirm--------^  ^ |
 *     ^          |   \--> over           | |
 *     |          +-refused-> LIST_SEARCH -> LIST
 *     +------- hint is wrong --------------+
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "candidates.h"
#include "facts_build.h"
#include "resolver_private.h"

#define JOIN_AGAIN_MS 1000u /* a caller with more time left than this gets a new flight */

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
    bool direct; /* only direct GETs are good enough */
    bool hinted; /* vm is where it was, not where it was found */
    enum flight_state state;
    struct arm_vm_id vm;
    const struct resolver_facts *graph_facts; /* to be confirmed */
    struct subscriptions_wait wait;
    struct lookup_direct *by_gets;
    struct lookup_graph *by_graph;
    struct lookup_list *by_list;
    struct list reqs;
    uint64_t deadline_at;
};

static void map_key(char *out, size_t size, const char *key, bool direct)
{
    snprintf(out, size, "%c%s", direct ? 'd' : 'g', key);
}

struct flight *flight_find(struct resolver *r, const char *key, bool direct)
{
    char k[CACHE_KEY_MAX + 2];
    map_key(k, sizeof(k), key, true);
    struct flight *f = map_get(r->flights, k);
    if (f || direct)
        return f;
    map_key(k, sizeof(k), key, false);
    return map_get(r->flights, k);
}

static void flight_free(struct flight *f)
{
    if (map_get(f->resolver->flights, f->map_key) == f)
        map_remove(f->resolver->flights, f->map_key);
    list_remove(&f->node);
    subscriptions_cancel(&f->wait);
    if (f->by_gets)
        lookup_direct_cancel(f->by_gets);
    if (f->by_graph)
        lookup_graph_cancel(f->by_graph);
    if (f->by_list)
        lookup_list_cancel(f->by_list);
    resolver_facts_unref(f->graph_facts);
    mem_free(f);
}

void flight_free_all(struct resolver *r)
{
    struct list *node;
    while ((node = list_first(&r->flying)) != NULL)
        flight_free(container_of(node, struct flight, node));
}

void flight_join(struct flight *f, struct resolver_req *req)
{
    req->flight = f;
    list_push(&f->reqs, &req->node);
}

void flight_leave(struct resolver_req *req)
{
    struct flight *f = req->flight;
    list_remove(&req->node);
    req->flight = NULL;
    if (f && list_empty(&f->reqs))
        flight_free(f);
}

void flight_ask_directly(struct flight *f)
{
    f->direct = true;
}

/* Those who still have time when the flight has none fly on. */
static void fly_on(struct flight *f)
{
    struct resolver *r = f->resolver;
    uint64_t now = clock_now(r->clock), last = 0;
    struct resolver_req *req;
    struct flight *next = NULL;
    struct asked asked = f->asked;
    list_each(req, &f->reqs, struct resolver_req, node)
    {
        last = req->deadline_at > last ? req->deadline_at : last;
    }
    if (last <= now + JOIN_AGAIN_MS)
        return;
    map_remove(r->flights, f->map_key);
    if (flight_new(&next, r, &asked, f->direct, NULL, (uint32_t)(last - now), NULL) < 0 || !next)
        return;
    list_each(req, &f->reqs, struct resolver_req, node)
    {
        if (req->deadline_at > now + JOIN_AGAIN_MS) {
            list_remove(&req->node);
            flight_join(next, req);
        }
    }
}

static void remember(struct resolver *r, const char *key, const struct resolver_facts *facts)
{
    const struct resolver_facts *copy;
    char full[CACHE_KEY_MAX];
    if (facts_copy(&copy, facts, RESOLVER_SOURCE_CACHE))
        return;
    resolver_full_key(full, facts);
    cache_put(r->cache, key, copy);
    cache_put(r->cache, full, copy);
    resolver_facts_unref(copy);
}

/* The end: err with code 0 is success. A caller may free the resolver; the others then leave the list on this
 * stack. */
static void finish(struct flight *f, const struct resolver_facts *facts, struct err *err)
{
    struct list told, *node;
    if (facts) {
        resolver_facts_ref(facts);
        remember(f->resolver, f->asked.key, facts);
    } else {
        err_wrap(err, "looking up %s", f->asked.label);
        if (err->code == ERR_NOTFOUND)
            cache_put_missing(f->resolver->cache, f->asked.key, err);
        if (err->code == ERR_TIMEOUT)
            fly_on(f);
    }
    list_init(&told);
    list_splice(&told, &f->reqs);
    flight_free(f);
    while ((node = list_pop(&told)) != NULL) {
        struct resolver_req *req = container_of(node, struct resolver_req, node);
        req->flight = NULL;
        resolver_req_tell(req, facts, facts ? NULL : err);
    }
    resolver_facts_unref(facts);
}

static void go_on(struct flight *f, enum flight_state state);

static void on_subscriptions(struct subscriptions_wait *w, const struct err *err)
{
    struct flight *f = container_of(w, struct flight, wait);
    struct err why;
    if (!err) {
        go_on(f, f->state);
        return;
    }
    why = *err;
    finish(f, NULL, &why);
}

static void on_direct(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct flight *f = arg;
    struct err why;
    err_clear(&why);
    f->by_gets = NULL;
    if (facts) {
        finish(f, facts, &why);
    } else if (err->code == ERR_NOTFOUND && f->hinted) {
        f->hinted = false;
        go_on(f, FLIGHT_SEARCH);
    } else if (f->graph_facts && !f->direct && err->code != ERR_NOTFOUND) {
        log_warn((&(struct log_ctx){.module = "resolver", .vm = f->asked.label}),
                 "the Resource Graph's answer is used unconfirmed: %s", err->msg);
        finish(f, f->graph_facts, &why);
    } else {
        why = *err;
        if (err->code == ERR_NOTFOUND)
            err_hint(&why, "; check the names: az vm list -o table");
        finish(f, NULL, &why);
    }
}

static void on_graph(void *arg, struct resolver_facts *const *vms, size_t count, bool answered,
                     const struct err *err)
{
    struct flight *f = arg;
    struct err why;
    err_clear(&why);
    f->by_graph = NULL;
    if (err && answered && err->code != ERR_TIMEOUT && err->code != ERR_AUTH) {
        static struct log_rate rate = {.burst = 1, .every_ms = 60000};
        log_write(LOG_WARN, &(struct log_ctx){.module = "resolver", .vm = f->asked.label}, &rate,
                  "the Resource Graph is of no help, listing the VMs instead: %s", err->msg);
        go_on(f, FLIGHT_LIST_SEARCH);
    } else if (err) {
        why = *err;
        finish(f, NULL, &why);
    } else if (count != 1) {
        candidates_of_facts(&why, f->asked.name, vms, count);
        finish(f, NULL, &why);
    } else if (!f->direct && vms[0]->power == RESOLVER_POWER_RUNNING && vms[0]->address_count) {
        finish(f, vms[0], &why);
    } else if (!arm_vm_id_parse(vms[0]->id, &f->vm)) {
        err_set(&why, ERR_PROTOCOL, "the Resource Graph's answer has no usable resource ID");
        finish(f, NULL, &why);
    } else {
        f->graph_facts = resolver_facts_ref(vms[0]);
        go_on(f, FLIGHT_DIRECT);
    }
}

static void on_list(void *arg, const struct arm_vm_id *vms, size_t count, const struct err *err)
{
    struct flight *f = arg;
    struct err why;
    err_clear(&why);
    f->by_list = NULL;
    if (err) {
        why = *err;
        finish(f, NULL, &why);
    } else if (count != 1) {
        candidates_of_ids(&why, f->asked.name, vms, count);
        finish(f, NULL, &why);
    } else {
        f->vm = vms[0];
        go_on(f, FLIGHT_DIRECT);
    }
}

static uint32_t time_left(const struct flight *f)
{
    uint64_t now = clock_now(f->resolver->clock);
    return now < f->deadline_at ? (uint32_t)(f->deadline_at - now) : 1;
}

/* Starts what the state is for: 0 under way, negative failed at once. */
static int step(struct flight *f, struct err *err)
{
    struct resolver *r = f->resolver;
    const char *guid, **guids = NULL, *subscription = f->asked.subscription[0] ? f->asked.subscription : NULL;
    size_t count = 0;
    int rc;
    switch (f->state) {
    case FLIGHT_SUBSCRIPTION:
        rc = subscriptions_resolve(r->subscriptions, subscription, time_left(f), &f->wait, &guid, err);
        if (rc)
            return rc > 0 ? 0 : rc;
        snprintf(f->vm.subscription, sizeof(f->vm.subscription), "%s", guid);
        f->state = FLIGHT_DIRECT;
        __attribute__((fallthrough));
    case FLIGHT_DIRECT:
        return lookup_direct_start(r->azure, r->clock, &f->vm, time_left(f), on_direct, f, &f->by_gets, err);
    case FLIGHT_SEARCH:
        rc = subscriptions_search(r->subscriptions, false, time_left(f), &f->wait, &guids, &count, err);
        if (rc)
            return rc > 0 ? 0 : rc;
        f->state = FLIGHT_GRAPH;
        __attribute__((fallthrough));
    case FLIGHT_GRAPH:
        rc = lookup_graph_start(r->azure, r->clock, f->asked.name, guids, count, time_left(f), on_graph, f,
                                &f->by_graph, err);
        mem_free(guids);
        return rc;
    case FLIGHT_LIST_SEARCH:
        rc = subscriptions_search(r->subscriptions, true, time_left(f), &f->wait, &guids, &count, err);
        if (rc)
            return rc > 0 ? 0 : rc;
        f->state = FLIGHT_LIST;
        __attribute__((fallthrough));
    case FLIGHT_LIST:
        rc = lookup_list_start(r->azure, r->clock, f->asked.name, guids, count, time_left(f), on_list, f,
                               &f->by_list, err);
        mem_free(guids);
        return rc;
    }
    return err_set(err, ERR_INVAL, "no such state");
}

static void go_on(struct flight *f, enum flight_state state)
{
    struct err err;
    err_clear(&err);
    f->state = state;
    if (step(f, &err) < 0)
        finish(f, NULL, &err);
}

int flight_new(struct flight **out, struct resolver *r, const struct asked *asked, bool direct,
               const struct arm_vm_id *hint, uint32_t deadline_ms, struct err *err)
{
    struct flight *f = mem_zalloc(sizeof(*f));
    if (!f)
        return err_set(err, ERR_NOMEM, "out of memory");
    f->resolver = r;
    f->asked = *asked;
    f->direct = direct;
    list_init(&f->node);
    list_init(&f->reqs);
    subscriptions_wait_init(&f->wait, on_subscriptions);
    f->deadline_at = clock_now(r->clock) + deadline_ms;
    f->hinted = hint != NULL;
    f->state = hint ? FLIGHT_DIRECT : asked->group[0] ? FLIGHT_SUBSCRIPTION : FLIGHT_SEARCH;
    if (hint)
        f->vm = *hint;
    else
        memcpy(f->vm.group, asked->group, sizeof(f->vm.group));
    if (!hint)
        memcpy(f->vm.name, asked->name, sizeof(f->vm.name));
    map_key(f->map_key, sizeof(f->map_key), asked->key, direct);
    int rc = map_set(r->flights, f->map_key, f, NULL);
    if (rc)
        err_set(err, rc, "out of memory");
    else
        rc = step(f, err);
    if (rc < 0) {
        flight_free(f);
        err_wrap(err, "looking up %s", asked->label);
        return rc;
    }
    list_push(&r->flying, &f->node);
    *out = f;
    return 0;
}

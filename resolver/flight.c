/*
 * flight: the life of a look-up: who joins it, who leaves it, and how it ends.
 *
 * Callers have deadlines of their own; one that joined with more time than the flight has gets a new flight
 * when this one's time is up. What was learnt is remembered; what the Resource Graph says never takes the
 * place of what ARM itself has said meanwhile.
 */
#include "flight.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "facts_build.h"

#define JOIN_AGAIN_MS 1000u /* a caller with more time left than this gets a new flight */

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
    if (f->by_instance)
        lookup_instance_cancel(f->by_instance);
    batch_leave(&f->in_batch);
    timer_stop(&f->turn);
    if (f->miss)
        miss_cancel(f->miss);
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
    f->foreground = f->foreground || !req->background;
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

const char *flight_key(const struct flight *f)
{
    return f->asked.key;
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

/* What the Resource Graph said does not take the place of what ARM itself has said meanwhile. */
static void remember(struct flight *f, const struct resolver_facts *facts)
{
    struct cache *c = f->resolver->cache;
    const struct resolver_facts *copy;
    char full[CACHE_KEY_MAX];
    bool late = facts->source == RESOLVER_SOURCE_GRAPH;
    if (facts_copy(&copy, facts, RESOLVER_SOURCE_CACHE))
        return;
    asked_full_key(full, facts);
    if (!late || !cache_put_since(c, full, f->started_ms)) {
        cache_put(c, full, copy);
        cache_put(c, f->asked.key, copy);
    }
    if (f->foreground)
        cache_asked(c, f->asked.key);
    resolver_facts_unref(copy);
}

/* The end: err with code 0 is success. A caller may free the resolver; the others then leave the list on this
 * stack. */
void flight_finish(struct flight *f, const struct resolver_facts *facts, struct err *err)
{
    struct list told, *node;
    char key[CACHE_KEY_MAX];
    memcpy(key, f->asked.key, sizeof(key));
    if (facts) {
        resolver_facts_ref(facts);
        remember(f, facts);
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
        resolver_req_tell(req, key, facts, facts ? NULL : err);
    }
    resolver_facts_unref(facts);
}

void flight_doubt(struct flight *f)
{
    struct err err;
    err_set(&err, ERR_CANCELED, "the Resource Graph says otherwise");
    cache_suspect(f->resolver->cache, f->asked.key);
    flight_finish(f, NULL, &err);
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
    subscriptions_wait_init(&f->wait, flight_on_subscriptions);
    batch_wait_init(&f->in_batch);
    timer_init(&f->turn, r->clock, flight_on_turn);
    f->started_ms = clock_now(r->clock);
    f->deadline_at = f->started_ms + deadline_ms;
    f->hinted = hint != NULL;
    f->state = hint ? FLIGHT_DIRECT : asked->group[0] ? FLIGHT_SUBSCRIPTION : FLIGHT_SEARCH;
    if (hint) {
        f->vm = *hint;
    } else {
        memcpy(f->vm.group, asked->group, sizeof(f->vm.group));
        memcpy(f->vm.name, asked->name, sizeof(f->vm.name));
        memcpy(f->vm.instance, asked->instance, sizeof(f->vm.instance));
    }
    map_key(f->map_key, sizeof(f->map_key), asked->key, direct);
    int rc = map_set(r->flights, f->map_key, f, NULL);
    if (rc)
        err_set(err, rc, "out of memory");
    else
        rc = flight_step(f, err);
    if (rc < 0) {
        flight_free(f);
        err_wrap(err, "looking up %s", asked->label);
        return rc;
    }
    list_push(&r->flying, &f->node);
    *out = f;
    return 0;
}

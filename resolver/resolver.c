/*
 * resolver: the public face: names become keys, answers at hand are given at once, the rest joins a flight.
 */
#include "resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver_private.h"

#define FRESH_DEFAULT_MS 600000u
#define DEADLINE_DEFAULT_MS 30000u
#define DEADLINE_GRACE_MS 100u /* the flight's own error says more than "no answer": let it come first */

static void scope_text(const struct resolver *r, const char *scope, struct strbuf *out)
{
    strbuf_puts(out, scope ? scope : "");
    subscriptions_text(r->subscriptions, out);
}

static void open_file(struct resolver *r, const struct resolver_options *o)
{
    struct strbuf scope;
    struct err err;
    strbuf_init(&scope);
    scope_text(r, o->cache_scope, &scope);
    const struct cache_file_options file = {.loop = o->loop,
                                            .clock = o->clock,
                                            .cache = r->cache,
                                            .dir = o->cache_dir,
                                            .scope = scope.data,
                                            .sure = subscriptions_fixed(r->subscriptions)};
    if (scope.bad || !scope.data)
        log_warn((&(struct log_ctx){.module = "resolver"}), "nothing is kept on disk: out of memory");
    else if (cache_file_open(&r->file, &file, &err) < 0)
        log_warn((&(struct log_ctx){.module = "resolver"}), "nothing is kept on disk: %s", err.msg);
    strbuf_done(&scope);
}

int resolver_new(struct resolver **out, const struct resolver_options *o, struct err *err)
{
    struct resolver *r = mem_zalloc(sizeof(*r));
    if (!r)
        return err_set(err, ERR_NOMEM, "out of memory");
    r->azure = o->azure;
    r->clock = o->clock;
    r->refresh_ms = o->fresh_ms ? o->fresh_ms : FRESH_DEFAULT_MS;
    list_init(&r->flying);
    list_init(&r->reqs);
    list_init(&r->lists);
    timer_init(&r->refresh, o->clock, on_refresh);
    r->flights = map_new(true);
    int rc = r->flights ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = subscriptions_new(&r->subscriptions, o->azure, o->clock, o->subscriptions, o->subscription_count,
                               err);
    if (!rc)
        rc = cache_new(&r->cache, o->clock, r->refresh_ms, err);
    if (!rc)
        rc = batch_new(&r->batch, o->azure, o->clock, err);
    if (!rc)
        rc = pace_new(&r->pace, o->clock, err);
    if (!rc && timer_start(&r->refresh, clock_jitter(r->refresh_ms, 10)))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (rc) {
        resolver_free(r);
        return rc;
    }
    if (o->cache_dir)
        open_file(r, o);
    *out = r;
    return 0;
}

void resolver_req_free(struct resolver_req *req)
{
    list_remove(&req->all);
    list_remove(&req->node);
    timer_stop(&req->timer);
    timer_stop(&req->patience);
    resolver_facts_unref(req->facts);
    mem_free(req);
}

void resolver_free(struct resolver *r)
{
    struct list *node;
    if (!r)
        return;
    timer_stop(&r->refresh);
    cache_file_close(r->file);
    while ((node = list_first(&r->reqs)) != NULL)
        resolver_req_free(container_of(node, struct resolver_req, all));
    resolver_all_free(r);
    flight_free_all(r);
    batch_free(r->batch);
    pace_free(r->pace);
    subscriptions_free(r->subscriptions);
    cache_free(r->cache);
    map_free(r->flights, NULL);
    mem_free(r);
}

static int ask_of(const struct resolver *r, struct asked *out, const struct resolver_name *n, struct err *err)
{
    return asked_of(out, n, subscriptions_default(r->subscriptions), err);
}

void resolver_req_tell(struct resolver_req *req, const char *key, const struct resolver_facts *facts,
                       const struct err *err)
{
    resolver_cb cb = req->cb;
    void *arg = req->arg;
    const struct resolver_facts *old = NULL;
    if (!facts && !(req->flags & RESOLVER_NO_CACHE))
        old = last_resort(req->resolver, key, err);
    resolver_req_free(req);
    cb(arg, old ? old : facts, old ? NULL : err);
    resolver_facts_unref(old);
}

static void on_at_hand(struct timer *t)
{
    struct resolver_req *req = container_of(t, struct resolver_req, timer);
    const struct resolver_facts *facts = req->facts;
    struct err err = req->err;
    req->facts = NULL;
    resolver_req_tell(req, "", facts, facts ? NULL : &err);
    resolver_facts_unref(facts);
}

static void give_up(struct resolver_req *req, uint32_t waited_ms)
{
    char key[CACHE_KEY_MAX];
    struct err err;
    err_set(&err, ERR_TIMEOUT, "Azure did not say within %u s where the VM is", (waited_ms + 999) / 1000);
    snprintf(key, sizeof(key), "%s", flight_key(req->flight));
    flight_leave(req);
    resolver_req_tell(req, key, NULL, &err);
}

static void on_deadline(struct timer *t)
{
    struct resolver_req *req = container_of(t, struct resolver_req, timer);
    give_up(req, req->deadline_ms);
}

static void nobody(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    (void)arg;
    (void)facts;
    (void)err;
}

/* ARM is slow and there is an old answer: use it, and let the look-up go on for the next caller. */
static void on_patience(struct timer *t)
{
    struct resolver_req *req = container_of(t, struct resolver_req, patience), *stays;
    struct resolver *r = req->resolver;
    uint64_t now = clock_now(r->clock);
    if (!req->flight || !cache_last_resort(r->cache, flight_key(req->flight)))
        return;
    stays =
        resolver_req_new(r, req->deadline_at > now ? (uint32_t)(req->deadline_at - now) : 1, nobody, NULL);
    if (stays) {
        stays->background = true;
        stays->flags = RESOLVER_NO_CACHE;
        flight_join(req->flight, stays);
        timer_start(&stays->timer, stays->deadline_ms);
    }
    give_up(req, RESOLVER_PATIENCE_MS);
}

struct resolver_req *resolver_req_new(struct resolver *r, uint32_t deadline_ms, resolver_cb cb, void *arg)
{
    struct resolver_req *req = mem_zalloc(sizeof(*req));
    if (!req)
        return NULL;
    req->resolver = r;
    req->deadline_ms = deadline_ms ? deadline_ms : DEADLINE_DEFAULT_MS;
    req->deadline_at = clock_now(r->clock) + req->deadline_ms;
    req->cb = cb;
    req->arg = arg;
    list_init(&req->node);
    timer_init(&req->timer, r->clock, on_deadline);
    timer_init(&req->patience, r->clock, on_patience);
    list_init(&req->all);
    list_push(&r->reqs, &req->all);
    return req;
}

static int answer_soon(struct resolver_req *req, struct err *err)
{
    timer_init(&req->timer, req->resolver->clock, on_at_hand);
    return timer_start(&req->timer, 0) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

/* Joins the flight that would answer it, or starts one. */
static int fly(struct resolver_req *req, const struct asked *asked, bool direct,
               const struct resolver_facts *was, struct err *err)
{
    struct resolver *r = req->resolver;
    struct arm_vm_id hint;
    bool hinted = direct && !asked->group[0] && was && arm_vm_id_parse(was->id, &hint);
    struct flight *f = flight_find(r, asked->key, direct);
    int rc = f ? 0 : flight_new(&f, r, asked, direct, hinted ? &hint : NULL, req->deadline_ms, err);
    if (rc < 0)
        return rc;
    flight_join(f, req);
    bool old = !(req->flags & RESOLVER_NO_CACHE) && cache_last_resort(r->cache, asked->key);
    if (timer_start(&req->timer, req->deadline_ms + DEADLINE_GRACE_MS) ||
        (old && req->deadline_ms > RESOLVER_PATIENCE_MS &&
         timer_start(&req->patience, RESOLVER_PATIENCE_MS))) {
        flight_leave(req);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    return 0;
}

int resolver_lookup(struct resolver *r, const struct resolver_name *name, unsigned flags,
                    uint32_t deadline_ms, resolver_cb cb, void *arg, struct resolver_req **out,
                    struct err *err)
{
    const struct resolver_facts *facts = NULL;
    const struct err *missing = NULL;
    struct asked asked;
    int rc = ask_of(r, &asked, name, err);
    if (rc)
        return rc;
    struct resolver_req *req = resolver_req_new(r, deadline_ms, cb, arg);
    if (!req)
        return err_set(err, ERR_NOMEM, "out of memory");
    req->flags = flags;
    enum cache_answer answer = cache_get(r->cache, asked.key, &facts, &missing);
    bool direct = (flags & RESOLVER_DIRECT) || answer == CACHE_HINT;
    bool remembered = !(flags & (RESOLVER_NO_CACHE | RESOLVER_DIRECT));
    if (remembered && (answer == CACHE_FRESH || answer == CACHE_STALE)) {
        req->facts = resolver_facts_ref(facts);
        rc = answer_soon(req, err);
        if (!rc && answer == CACHE_STALE)
            refresh_one(r, &asked);
    } else if (remembered && answer == CACHE_MISSING) {
        req->err = *missing;
        rc = answer_soon(req, err);
    } else {
        rc = fly(req, &asked, direct, facts, err);
    }
    if (rc) {
        resolver_req_free(req);
        return rc;
    }
    *out = req;
    return 0;
}

void resolver_cancel(struct resolver_req *req)
{
    flight_leave(req);
    resolver_req_free(req);
}

static void suspect(struct resolver *r, const char *key)
{
    struct flight *f = flight_find(r, key, false);
    if (f)
        flight_ask_directly(f);
    cache_suspect(r->cache, key);
}

/* One VM may be known under three keys: by its bare name, by its group in the default subscription, and in
 * full. */
static void suspect_all(struct resolver *r, const char *subscription, const char *group, const char *name)
{
    char key[CACHE_KEY_MAX];
    snprintf(key, sizeof(key), "*/%s", name);
    suspect(r, key);
    snprintf(key, sizeof(key), "/%s/%s", group, name);
    suspect(r, key);
    snprintf(key, sizeof(key), "%s/%s/%s", subscription, group, name);
    suspect(r, key);
}

void resolver_invalidate(struct resolver *r, const struct resolver_name *name)
{
    const struct resolver_facts *facts = NULL;
    const struct err *missing;
    struct asked asked;
    if (ask_of(r, &asked, name, NULL))
        return;
    cache_get(r->cache, asked.key, &facts, &missing);
    if (facts) {
        resolver_facts_ref(facts);
        suspect_all(r, facts->subscription, facts->group, facts->name);
        resolver_facts_unref(facts);
    } else if (asked.group[0]) {
        suspect_all(r, asked.subscription, asked.group, asked.name);
    }
    suspect(r, asked.key);
}

/*
 * resolver: the public face: names become keys, answers at hand are given at once, the rest joins a flight.
 */
#include "resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "resolver_private.h"

#define FRESH_DEFAULT_MS 600000u
#define DEADLINE_DEFAULT_MS 30000u
#define DEADLINE_GRACE_MS 100u /* the flight's own error says more than "no answer": let it come first */

int resolver_new(struct resolver **out, const struct resolver_options *o, struct err *err)
{
    struct resolver *r = mem_zalloc(sizeof(*r));
    if (!r)
        return err_set(err, ERR_NOMEM, "out of memory");
    r->azure = o->azure;
    r->clock = o->clock;
    list_init(&r->flying);
    list_init(&r->reqs);
    r->flights = map_new(true);
    int rc = r->flights ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = subscriptions_new(&r->subscriptions, o->azure, o->clock, o->subscriptions, o->subscription_count,
                               err);
    if (!rc)
        rc = cache_new(&r->cache, o->clock, o->fresh_ms ? o->fresh_ms : FRESH_DEFAULT_MS, err);
    if (rc) {
        resolver_free(r);
        return rc;
    }
    *out = r;
    return 0;
}

static void req_free(struct resolver_req *req)
{
    list_remove(&req->all);
    list_remove(&req->node);
    timer_stop(&req->timer);
    resolver_facts_unref(req->facts);
    mem_free(req);
}

void resolver_free(struct resolver *r)
{
    struct list *node;
    if (!r)
        return;
    while ((node = list_first(&r->reqs)) != NULL)
        req_free(container_of(node, struct resolver_req, all));
    flight_free_all(r);
    subscriptions_free(r->subscriptions);
    cache_free(r->cache);
    map_free(r->flights, NULL);
    mem_free(r);
}

void resolver_full_key(char out[CACHE_KEY_MAX], const struct resolver_facts *f)
{
    snprintf(out, CACHE_KEY_MAX, "%s/%s/%s", f->subscription, f->group, f->name);
}

static int name_check(const char *what, const char *text, struct err *err)
{
    if (arm_name_ok(text))
        return 0;
    return err_set(err, ERR_INVAL,
                   "\"%.100s\" cannot be the name of a %s: letters, digits, -, _, . and () only", text, what);
}

static int ask_of(const struct resolver *r, struct asked *out, const struct resolver_name *n, struct err *err)
{
    struct arm_vm_id id;
    struct resolver_name parts = *n;
    memset(out, 0, sizeof(*out));
    if (n->instance)
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s/%s/%s: instances of Uniform scale sets are not looked up by this version; those of Flexible "
            "scale sets are VMs: write group/vm",
            n->group ? n->group : "", n->name, n->instance);
    if (n->name[0] == '/') {
        if (!arm_vm_id_parse(n->name, &id))
            return err_set(err, ERR_INVAL, "\"%.200s\" is not the resource ID of a VM", n->name);
        parts = (struct resolver_name){.subscription = id.subscription, .group = id.group, .name = id.name};
    }
    if (parts.group && !parts.subscription)
        parts.subscription = subscriptions_default(r->subscriptions);
    int rc = name_check("VM", parts.name, err);
    if (!rc && parts.group)
        rc = name_check("resource group", parts.group, err);
    if (!rc && parts.subscription && strlen(parts.subscription) >= sizeof(out->subscription))
        rc = err_set(err, ERR_INVAL, "\"%.100s\" cannot be the name of a subscription: too long",
                     parts.subscription);
    if (rc)
        return rc;
    snprintf(out->name, sizeof(out->name), "%s", parts.name);
    snprintf(out->group, sizeof(out->group), "%s", parts.group ? parts.group : "");
    snprintf(out->subscription, sizeof(out->subscription), "%s",
             parts.subscription ? parts.subscription : "");
    snprintf(out->label, sizeof(out->label), "%s%s%s", out->group, out->group[0] ? "/" : "", out->name);
    int len = out->group[0]
                  ? snprintf(out->key, sizeof(out->key), "%s/%s/%s", out->subscription, out->group, out->name)
                  : snprintf(out->key, sizeof(out->key), "*/%s", out->name);
    if (len < 0 || (size_t)len >= sizeof(out->key))
        return err_set(err, ERR_INVAL, "%s: the names are too long together", out->label);
    return 0;
}

void resolver_req_tell(struct resolver_req *req, const struct resolver_facts *facts, const struct err *err)
{
    resolver_cb cb = req->cb;
    void *arg = req->arg;
    req_free(req);
    cb(arg, facts, err);
}

static void on_at_hand(struct timer *t)
{
    struct resolver_req *req = container_of(t, struct resolver_req, timer);
    const struct resolver_facts *facts = req->facts;
    struct err err = req->err;
    req->facts = NULL;
    resolver_req_tell(req, facts, facts ? NULL : &err);
    resolver_facts_unref(facts);
}

static void on_deadline(struct timer *t)
{
    struct resolver_req *req = container_of(t, struct resolver_req, timer);
    struct err err;
    err_set(&err, ERR_TIMEOUT, "Azure did not say within %u s where the VM is",
            (req->deadline_ms + 999) / 1000);
    flight_leave(req);
    resolver_req_tell(req, NULL, &err);
}

static struct resolver_req *req_new(struct resolver *r, uint32_t deadline_ms, resolver_cb cb, void *arg)
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
    list_init(&req->all);
    list_push(&r->reqs, &req->all);
    return req;
}

static int answer_soon(struct resolver_req *req)
{
    timer_init(&req->timer, req->resolver->clock, on_at_hand);
    return timer_start(&req->timer, 0);
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
    if (timer_start(&req->timer, req->deadline_ms + DEADLINE_GRACE_MS)) {
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
    struct resolver_req *req = req_new(r, deadline_ms, cb, arg);
    if (!req)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum cache_answer answer = cache_get(r->cache, asked.key, &facts, &missing);
    bool direct = (flags & RESOLVER_DIRECT) || answer == CACHE_HINT;
    if (!(flags & (RESOLVER_NO_CACHE | RESOLVER_DIRECT)) && answer == CACHE_FRESH) {
        req->facts = resolver_facts_ref(facts);
        rc = answer_soon(req) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
    } else if (!(flags & (RESOLVER_NO_CACHE | RESOLVER_DIRECT)) && answer == CACHE_MISSING) {
        req->err = *missing;
        rc = answer_soon(req) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
    } else {
        rc = fly(req, &asked, direct, facts, err);
    }
    if (rc) {
        req_free(req);
        return rc;
    }
    *out = req;
    return 0;
}

void resolver_cancel(struct resolver_req *req)
{
    flight_leave(req);
    req_free(req);
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

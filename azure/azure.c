/*
 * azure: puts the parts together, takes them down, and lets a bounded number of requests run at once.
 */
#include "azure.h"

#include <string.h>

#include "azure_private.h"
#include "base/mem.h"

#define PLACES_DEFAULT 16

static void azure_parts_free(struct azure *a)
{
    token_cache_free(a->tokens);
    credential_free(a->credential);
    tenants_free(a->tenants);
    mem_free(a->tenant);
    mem_free(a->login_file);
    a->tokens = NULL;
    a->credential = NULL;
    a->tenants = NULL;
    a->tenant = NULL;
    a->login_file = NULL;
}

static void on_ready_closed(void *arg)
{
    struct azure *a = arg;
    azure_closed_cb cb = a->closed;
    void *cb_arg = a->closed_arg;
    azure_parts_free(a);
    mem_free(a);
    if (cb)
        cb(cb_arg);
}

static void on_http_closed(void *arg)
{
    struct azure *a = arg;
    readyq_close(a->ready, on_ready_closed, a);
}

int azure_new(struct azure **out, const struct azure_options *o, struct err *err)
{
    struct azure *a = mem_zalloc(sizeof(*a));
    if (!a)
        return err_set(err, ERR_NOMEM, "out of memory");
    a->clock = o->clock;
    a->cloud = o->cloud;
    a->places_max = o->requests_max ? o->requests_max : PLACES_DEFAULT;
    list_init(&a->queued);
    list_init(&a->running);
    list_init(&a->paused);
    list_init(&a->logins);
    a->tenant = mem_strdup(o->tenant);
    a->login_file = mem_strdup(o->login_file);
    a->tenants = tenants_new();
    int rc = readyq_new(&a->ready, o->loop);
    if (rc) {
        azure_parts_free(a);
        mem_free(a);
        return err_set(err, rc, "the loop has no room for a ready queue");
    }
    struct http_options http = {o->loop, a->ready, o->ca_file};
    rc = http_new(&a->http, &http, err);
    if (rc) {
        readyq_close(a->ready, on_ready_closed, a);
        return rc;
    }
    struct credential_env env = {.loop = o->loop,
                                 .http = a->http,
                                 .clock = o->clock,
                                 .ready = a->ready,
                                 .cloud = &a->cloud,
                                 .tenant = a->tenant,
                                 .login_file = a->login_file};
    if ((o->tenant && !a->tenant) || (o->login_file && !a->login_file) || !a->tenants)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = credential_new(&a->credential, &env, o->credential, err);
    if (!rc)
        rc = token_cache_new(&a->tokens, a->credential, o->clock, a->ready, &a->stats.token_requests, err);
    if (rc) {
        http_close(a->http, on_http_closed, a); /* the handles go as the loop turns; no one is told */
        return rc;
    }
    *out = a;
    return 0;
}

static void discard_all(struct list *reqs)
{
    struct list *node;
    while ((node = list_first(reqs)) != NULL)
        azure_req_discard(container_of(node, struct azure_req, node));
}

void azure_close(struct azure *a, azure_closed_cb cb, void *arg)
{
    a->places_max = 0; /* nothing more may start */
    discard_all(&a->queued);
    discard_all(&a->paused);
    discard_all(&a->running);
    azure_logins_discard(a);
    azure_parts_free(a);
    a->closed = cb;
    a->closed_arg = arg;
    http_close(a->http, on_http_closed, a);
}

void azure_gate_pump(struct azure *a)
{
    struct list *node;
    while (a->places < a->places_max && (node = list_pop(&a->queued)) != NULL) {
        struct azure_req *req = container_of(node, struct azure_req, node);
        a->places++;
        list_push(&a->running, &req->node);
        azure_req_start(req);
    }
}

void azure_stats_get(const struct azure *a, struct azure_stats *out)
{
    *out = a->stats;
}

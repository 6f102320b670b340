/*
 * request: operations under way: each is answered exactly once, on a later turn than it was submitted on.
 *
 *   submitted ─▶ [deferred while an apply is half done] ─▶ run ─▶ waits for `pending` answers ─▶ complete ─▶
 * delivered
 *
 * A cancelled request runs on to its end and is only not delivered.
 */
#include <string.h>

#include "base/mem.h"
#include "front.h"

static void on_ready(struct ready *ready)
{
    struct proxy_req *r = container_of(ready, struct proxy_req, ready);
    /* Out of every list before calling out: the callback may close the proxy. */
    list_remove(&r->node);
    list_remove(&r->later);
    if (!r->canceled)
        r->deliver(r);
    r->proxy->request_count--;
    r->drop(r);
}

int request_submit(struct proxy *p, struct proxy_req *r, struct proxy_req **out, struct err *err)
{
    r->proxy = p;
    list_init(&r->node);
    list_init(&r->later);
    ready_init(&r->ready, on_ready);
    int code = 0;
    if (p->closing)
        code = err_set(err, ERR_CLOSED, "adit is shutting down");
    else if (p->request_count >= FRONT_REQUESTS_MAX)
        code = err_set(err, ERR_LIMIT, "too many requests are under way");
    if (code < 0) {
        r->drop(r);
        return code;
    }
    r->id = ++p->next_req;
    r->pending = 1;
    list_push(&p->requests, &r->node);
    p->request_count++;
    if (out)
        *out = r;
    if (p->applying)
        list_push(&p->deferred, &r->later);
    else
        r->run(r);
    return 0;
}

void request_failed(struct proxy_req *r, const struct err *err)
{
    if (r->failures++ == 0)
        r->err = *err;
}

void request_answered(struct proxy_req *r)
{
    if (--r->pending > 0)
        return;
    r->complete = true;
    ready_push(r->proxy->ready, &r->ready);
}

void request_deliver_done(struct proxy_req *r)
{
    if (r->failures > 1)
        err_hint(&r->err, " (and %u more)", r->failures - 1);
    r->cb.done(r->arg, r->failures ? &r->err : NULL);
}

void request_abort_all(struct proxy *p, const struct err *err)
{
    struct proxy_req *r;
    list_each(r, &p->requests, struct proxy_req, node)
    {
        if (r->complete)
            continue;
        r->complete = true;
        r->err = *err;
        r->failures = 1;
        list_remove(&r->later);
        ready_push(p->ready, &r->ready);
    }
}

void request_run_deferred(struct proxy *p)
{
    struct list *node;
    while (!p->applying && (node = list_pop(&p->deferred)) != NULL) {
        struct proxy_req *r = container_of(node, struct proxy_req, later);
        r->run(r);
    }
}

struct proxy_req *request_find(const struct proxy *p, uint64_t id)
{
    struct proxy_req *r;
    list_each(r, &p->requests, struct proxy_req, node)
    {
        if (r->id == id && !r->complete)
            return r;
    }
    return NULL;
}

void request_mail(struct proxy *p, struct proxy_mail *m)
{
    struct proxy_req *r = request_find(p, m->req);
    if (!r)
        return;
    if (r->mail) {
        r->mail(r, m);
        return;
    }
    if (m->err.code)
        request_failed(r, &m->err);
    request_answered(r);
}

void proxy_cancel(struct proxy_req *r)
{
    r->canceled = true;
}

/*
 * proxy_status: one picture out of what every worker reports.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "front.h"
#include "status.h"

/* A VM's record and where it belongs. */
struct placed {
    size_t order;
    struct proxy_vm_status vm;
};

struct status_request {
    struct proxy_req req;
    struct placed *items;
    size_t count;
};

static void drop(struct proxy_req *r)
{
    struct status_request *s = (struct status_request *)r;
    for (size_t i = 0; i < s->count; i++)
        status_done(&s->items[i].vm);
    mem_free(s->items);
    mem_free(s);
}

static int take(struct status_request *s, struct proxy_mail *m)
{
    if (m->status_count == 0)
        return 0;
    struct placed *more = mem_realloc(s->items, (s->count + m->status_count) * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    s->items = more;
    for (size_t i = 0; i < m->status_count; i++) {
        const struct front_vm *vm = table_by_id(s->req.proxy, m->ids[i]);
        if (!vm)
            continue; /* removed since */
        s->items[s->count++] = (struct placed){.order = vm->order, .vm = m->status[i]};
        m->status[i] = (struct proxy_vm_status){0};
    }
    return 0;
}

static void on_mail(struct proxy_req *r, struct proxy_mail *m)
{
    struct err err = {0};
    if (m->err.code) {
        request_failed(r, &m->err);
    } else if (take((struct status_request *)r, m) < 0) {
        err_set(&err, ERR_NOMEM, "status: out of memory");
        request_failed(r, &err);
    }
    request_answered(r);
}

static void run(struct proxy_req *r)
{
    for (unsigned i = 0; i < r->proxy->worker_count; i++)
        front_post(r->proxy, i, proxy_mail_new(MAIL_STATUS), r);
    request_answered(r);
}

static int by_order(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static void deliver(struct proxy_req *r)
{
    struct status_request *s = (struct status_request *)r;
    struct proxy_status status = {.workers = r->proxy->worker_count};
    status.vms = mem_calloc(s->count + 1, sizeof *status.vms);
    if (!status.vms && !r->failures) {
        struct err err = {0};
        err_set(&err, ERR_NOMEM, "status: out of memory");
        request_failed(r, &err);
    }
    if (r->failures || !status.vms) {
        mem_free(status.vms);
        r->cb.status(r->arg, NULL, &r->err);
        return;
    }
    if (s->count > 0)
        qsort(s->items, s->count, sizeof *s->items, by_order);
    for (size_t i = 0; i < s->count; i++)
        status.vms[i] = s->items[i].vm;
    status.vm_count = s->count;
    r->cb.status(r->arg, &status, NULL);
    mem_free(status.vms);
}

int proxy_status(struct proxy *p, proxy_status_cb cb, void *arg, struct proxy_req **out, struct err *err)
{
    struct status_request *s = mem_zalloc(sizeof *s);
    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->req.run = run;
    s->req.mail = on_mail;
    s->req.deliver = deliver;
    s->req.drop = drop;
    s->req.cb.status = cb;
    s->req.arg = arg;
    return request_submit(p, &s->req, out, err);
}

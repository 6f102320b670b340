/*
 * proxy_dial: a descriptor connected to a port of a VM, for `adit proxy`.
 *
 *   LOOKING ──addresses──▶ DIALLING ──connected──▶ delivered
 *      ▲                      │ failed, and the addresses may have been old: once
 *      └──────────────────────┘
 * Happy path: the look-up is answered from memory, the first address connects. Failure modes: an address that
 * leads nowhere is looked up past all caches once, and dialled again when the answer differs; the deadline is
 * for all of it. With `via` the worker of the VM in between dials, and sends the descriptor over.
 */
#include <string.h>
#include <unistd.h>

#include "asking.h"
#include "base/mem.h"
#include "dial.h"
#include "front.h"

enum dial_state { DIAL_LOOKING, DIAL_DIALLING, DIAL_OVER };

struct dial_request {
    struct proxy_req req;
    struct config_vm *vm;
    uint16_t port;
    uint32_t deadline_ms;
    enum dial_state state;
    bool direct; /* the second round */
    bool asked;  /* when the deadline was over, a person was asked for the way to it */
    struct timer deadline;
    struct reach *reach;
    struct dial *dial;
    uint64_t via; /* id of the VM in between, or 0 */
    struct mail_reach found;
    struct err dial_err; /* of the first round */
    int fd;
};

static void stop(struct dial_request *d)
{
    timer_stop(&d->deadline);
    if (d->reach)
        reach_cancel(d->reach);
    if (d->dial)
        dial_cancel(d->dial);
    d->reach = NULL;
    d->dial = NULL;
    d->state = DIAL_OVER;
}

static void drop(struct proxy_req *r)
{
    struct dial_request *d = (struct dial_request *)r;
    if (d->deadline.clock)
        stop(d);
    resolver_facts_unref(d->found.facts);
    if (d->fd >= 0)
        close(d->fd);
    config_vm_free(d->vm);
    mem_free(d);
}

static void finish(struct dial_request *d, const struct err *err)
{
    struct err why;
    if (err) {
        why = *err;
        err_wrap(&why, "vm %s", d->vm->alias);
        request_failed(&d->req, &why);
    }
    stop(d);
    d->req.pending = 1; /* an answer that a worker still owes is not waited for */
    request_answered(&d->req);
}

static void look(struct dial_request *d);

static void dialled(struct dial_request *d, int fd, const struct err *err)
{
    if (d->state != DIAL_DIALLING) { /* too late */
        if (fd >= 0)
            close(fd);
        return;
    }
    if (!err) {
        d->fd = fd;
        finish(d, NULL);
        return;
    }
    if (d->direct || !d->found.facts) {
        struct err why = *err;
        reach_doubt(&d->found, &why);
        finish(d, &why);
        return;
    }
    d->direct = true;
    d->dial_err = *err;
    look(d);
}

static void on_dial(void *arg, int fd, size_t index, const struct err *err)
{
    (void)index;
    struct dial_request *d = arg;
    d->dial = NULL;
    dialled(d, fd, err);
}

/* The other way to be connected: a mail from the worker of the VM in between. */
static void on_mail(struct proxy_req *r, struct proxy_mail *m)
{
    int fd = m->fd;
    m->fd = -1;
    r->pending--; /* the mail's; the request's own remains until finish() */
    dialled((struct dial_request *)r, fd, m->err.code ? &m->err : NULL);
}

static void dial_through(struct dial_request *d)
{
    struct proxy *p = d->req.proxy;
    struct front_vm *via = table_by_id(p, d->via);
    struct err err = {0};
    if (!via) {
        err_set(&err, ERR_NOTFOUND, "via %s: no such VM any more", d->vm->via);
        finish(d, &err);
        return;
    }
    struct proxy_mail *m = proxy_mail_new(MAIL_DIAL);
    if (m) {
        m->vm = via->id;
        m->reach = d->found;
        m->reach.facts = NULL;
        m->deadline_ms = d->deadline_ms;
    }
    if (!front_post(p, via->worker, m, &d->req))
        finish(d, NULL); /* the failure is noted already */
}

static bool same_addresses(const struct mail_reach *a, const struct mail_reach *b)
{
    return a->count == b->count && memcmp(a->addresses, b->addresses, a->count * sizeof a->addresses[0]) == 0;
}

static void on_reached(void *arg, const struct mail_reach *found, const struct err *err)
{
    struct dial_request *d = arg;
    d->reach = NULL;
    if (err || (d->direct && same_addresses(&d->found, found))) {
        if (!err)
            reach_doubt(found, &d->dial_err);
        finish(d, err ? err : &d->dial_err);
        return;
    }
    resolver_facts_unref(d->found.facts);
    d->found = *found;
    if (found->facts)
        resolver_facts_ref(found->facts);
    d->state = DIAL_DIALLING;
    struct proxy *p = d->req.proxy;
    struct err why = {0};
    if (d->via)
        dial_through(d);
    else if (dial_start(&d->dial, p->o.loop, p->o.clock, d->found.addresses, d->found.count, d->deadline_ms,
                        on_dial, d, &why) < 0)
        finish(d, &why);
}

static void look(struct dial_request *d)
{
    struct reach_env env = front_reach_env(d->req.proxy);
    struct err err = {0};
    d->state = DIAL_LOOKING;
    if (reach_start(&d->reach, &env, d->vm, d->port, d->direct ? REACH_DIRECT : 0, on_reached, d, &err) < 0) {
        d->reach = NULL;
        finish(d, &err);
    }
}

static void on_deadline(struct timer *t)
{
    struct dial_request *d = container_of(t, struct dial_request, deadline);
    struct err err = {0};
    bool asking = d->via && front_asking(d->req.proxy, d->vm);
    if (asking || d->asked) { /* a person is not hurried; the login follows */
        d->asked = asking;
        if (timer_start(&d->deadline, asking ? 1000 : ASKING_LOGIN_MS) == 0)
            return;
    }
    const char *what = d->state == DIAL_LOOKING ? "its address could not be looked up" : "no connection";
    err_set(&err, ERR_TIMEOUT, "%s within %u ms", what, d->deadline_ms);
    finish(d, &err);
}

/* The VM in between must be known to its worker. */
static int find_via(struct dial_request *d, struct err *err)
{
    struct proxy *p = d->req.proxy;
    struct front_vm *via;
    int r = table_via(p, d->vm->via, NULL, &via, err);
    if (r < 0)
        return r;
    bool moved;
    r = via->placed ? 0 : table_route(via, &moved, err);
    if (r < 0) {
        table_remove(via);
        return r;
    }
    if (!via->placed)
        via->placed = front_post_set(via, 0, NULL);
    via->dialled = true;
    d->via = via->id;
    return 0;
}

static void run(struct proxy_req *r)
{
    struct dial_request *d = (struct dial_request *)r;
    struct err err = {0};
    timer_init(&d->deadline, r->proxy->o.clock, on_deadline);
    if (timer_start(&d->deadline, d->deadline_ms) < 0) {
        err_set(&err, ERR_NOMEM, "out of memory");
        finish(d, &err);
    } else if (d->vm->via && find_via(d, &err) < 0) {
        finish(d, &err);
    } else {
        look(d);
    }
}

static void deliver(struct proxy_req *r)
{
    struct dial_request *d = (struct dial_request *)r;
    int fd = d->fd;
    if (!r->failures)
        d->fd = -1; /* the receiver's now */
    r->cb.dial(r->arg, r->failures ? -1 : fd, r->failures ? &r->err : NULL);
}

int proxy_dial(struct proxy *p, const struct config_vm *vm, uint16_t port, uint32_t deadline_ms,
               proxy_dial_cb cb, void *arg, struct proxy_req **out, struct err *err)
{
    struct dial_request *d = mem_zalloc(sizeof *d);
    if (!d)
        return err_set(err, ERR_NOMEM, "out of memory");
    d->fd = -1;
    d->req.run = run;
    d->req.mail = on_mail;
    d->req.deliver = deliver;
    d->req.drop = drop;
    d->req.cb.dial = cb;
    d->req.arg = arg;
    d->port = port;
    d->deadline_ms = deadline_ms;
    if (config_vm_copy(vm, &d->vm) < 0) {
        d->vm = NULL;
        drop(&d->req);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    return request_submit(p, &d->req, out, err);
}

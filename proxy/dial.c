/*
 * dial: staggered connects, the first success wins.
 *
 *   start ─▶ attempt 1 ─250 ms─▶ attempt 2 ─250 ms─▶ …          each attempt: connecting ─▶ failed |
 * connected │ failed: the next one at once connected ─▶ the others are closed, the descriptor is duplicated
 * out of its handle, cb(fd) all failed, or the deadline passed ─▶ cb(err); cancelled ─▶ nothing
 *
 * The handles close by themselves; the dial is freed when the last one is gone.
 */
#include "dial.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"

struct attempt {
    uv_tcp_t tcp;
    uv_connect_t req;
    struct dial *dial;
    bool open; /* the handle is there and not closing */
};

struct dial {
    uv_loop_t *loop;
    struct timer stagger, deadline;
    struct dial_address addresses[DIAL_ADDRESSES_MAX];
    struct attempt attempts[DIAL_ADDRESSES_MAX];
    size_t count, started, running;
    unsigned handles; /* not yet closed */
    bool over;        /* the callback has fired, or never will */
    dial_cb cb;
    void *arg;
    struct err why;
};

void dial_address_text(const struct dial_address *a, char out[DIAL_TEXT_MAX])
{
    bool v6 = strchr(a->host, ':') != NULL;
    snprintf(out, DIAL_TEXT_MAX, v6 ? "[%s]:%u" : "%s:%u", a->host, a->port);
}

static void dial_unref(struct dial *d)
{
    if (d->over && d->handles == 0)
        mem_free(d);
}

static void on_closed(uv_handle_t *h)
{
    struct attempt *a = h->data;
    a->dial->handles--;
    dial_unref(a->dial);
}

static void attempt_close(struct attempt *a)
{
    if (!a->open)
        return;
    a->open = false;
    uv_close((uv_handle_t *)&a->tcp, on_closed);
}

/* Stops everything; d lives on until its handles are closed, and is gone at once when it has none. */
static void dial_stop(struct dial *d)
{
    d->over = true;
    timer_stop(&d->stagger);
    timer_stop(&d->deadline);
    for (size_t i = 0; i < d->started; i++)
        attempt_close(&d->attempts[i]);
}

static void dial_finish(struct dial *d, int fd, size_t index, const struct err *err)
{
    dial_cb cb = d->cb;
    void *arg = d->arg;
    struct err copy;
    if (err)
        copy = *err;
    dial_stop(d);
    dial_unref(d);
    cb(arg, fd, index, err ? &copy : NULL);
}

static void failure_add(struct dial *d, const struct dial_address *a, int status)
{
    char text[DIAL_TEXT_MAX];
    dial_address_text(a, text);
    if (d->why.code == 0) {
        err_uv(&d->why, status, "connect to %s", text);
        return;
    }
    /* The codes of later addresses yield to the first one, the preferred address. */
    struct err more = {0};
    err_uv(&more, status, "%s", text);
    char before[ERR_MSG_MAX];
    memcpy(before, d->why.msg, sizeof before);
    err_set(&d->why, d->why.code, "%s; %s", before, more.msg);
}

static void attempt_next(struct dial *d);

static void on_connect(uv_connect_t *req, int status)
{
    struct attempt *a = req->data;
    struct dial *d = a->dial;
    if (d->over)
        return;
    size_t index = (size_t)(a - d->attempts);
    d->running--;
    uv_os_fd_t fd = -1;
    int out = -1;
    if (status == 0 && (status = uv_fileno((const uv_handle_t *)&a->tcp, &fd)) == 0) {
        uv_tcp_nodelay(&a->tcp, 1);
        out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (out < 0)
            status = -errno;
    }
    if (out >= 0) {
        dial_finish(d, out, index, NULL);
        return;
    }
    failure_add(d, &d->addresses[index], status);
    attempt_close(a);
    attempt_next(d);
}

static int attempt_begin(struct dial *d, struct attempt *a, const struct dial_address *to)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } addr;
    int r = uv_ip4_addr(to->host, to->port, &addr.v4);
    if (r < 0)
        r = uv_ip6_addr(to->host, to->port, &addr.v6);
    if (r < 0)
        return r;
    r = uv_tcp_init_ex(d->loop, &a->tcp, addr.any.sa_family);
    if (r < 0)
        return r;
    a->tcp.data = a->req.data = a;
    a->dial = d;
    a->open = true;
    d->handles++;
    r = uv_tcp_connect(&a->req, &a->tcp, &addr.any, on_connect);
    if (r < 0)
        attempt_close(a);
    return r;
}

/* Starts the next address, or ends when none is left and none is running. */
static void attempt_next(struct dial *d)
{
    while (d->started < d->count) {
        size_t i = d->started++;
        int r = attempt_begin(d, &d->attempts[i], &d->addresses[i]);
        if (r == 0) {
            d->running++;
            if (d->started < d->count)
                timer_start(&d->stagger, DIAL_STAGGER_MS);
            return;
        }
        failure_add(d, &d->addresses[i], r);
    }
    if (d->running == 0)
        dial_finish(d, -1, 0, &d->why);
}

static void on_stagger(struct timer *t)
{
    attempt_next(container_of(t, struct dial, stagger));
}

static void on_deadline(struct timer *t)
{
    struct dial *d = container_of(t, struct dial, deadline);
    for (size_t i = 0; i < d->started; i++)
        if (d->attempts[i].open)
            failure_add(d, &d->addresses[i], UV_ETIMEDOUT);
    if (d->why.code == 0)
        err_set(&d->why, ERR_TIMEOUT, "connect: timed out");
    dial_finish(d, -1, 0, &d->why);
}

int dial_start(struct dial **out, uv_loop_t *loop, struct clock *clock, const struct dial_address *addresses,
               size_t count, uint32_t deadline_ms, dial_cb cb, void *arg, struct err *err)
{
    assert(count > 0);
    struct dial *d = mem_zalloc(sizeof *d);
    if (!d)
        return err_set(err, ERR_NOMEM, "connect: out of memory");
    d->loop = loop;
    d->count = count < DIAL_ADDRESSES_MAX ? count : DIAL_ADDRESSES_MAX;
    memcpy(d->addresses, addresses, d->count * sizeof *addresses);
    d->cb = cb;
    d->arg = arg;
    timer_init(&d->stagger, clock, on_stagger);
    timer_init(&d->deadline, clock, on_deadline);
    /* The first attempt starts from the timer, so that even an immediate failure is not reported from in
     * here. */
    if (timer_start(&d->deadline, deadline_ms) < 0 || timer_start(&d->stagger, 0) < 0) {
        timer_stop(&d->deadline);
        mem_free(d);
        return err_set(err, ERR_NOMEM, "connect: out of memory");
    }
    *out = d;
    return 0;
}

void dial_cancel(struct dial *d)
{
    dial_stop(d);
    dial_unref(d);
}

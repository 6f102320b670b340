/*
 * flow: the life of a flow around its bytes: in line for a connection, opening its channel, ending.
 *
 *   NEW ─▶ [GREETING ─▶] WAITING ─▶ OPENING ─▶ OPEN ─▶ CLOSING ─▶ freed
 *                           ▲          │ recalled: it stood behind an open that is stuck
 *                           └──────────┘
 *   from any state: flow_close() (silent) or flow_end() (tells the owner) ─▶ CLOSING
 *
 * But for the greeting of a dynamic forward (greeting.c) not a byte is read before the channel is open: what
 * the client says meanwhile waits in the kernel. A flow that ends with an error resets its local socket, so
 * that nobody takes a truncated stream for a whole one; a client that has greeted is told the reason instead,
 * as long as it has not been told that it is connected.
 */
#include "flow.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "greeting.h"
#include "vm.h"

static void on_closed(uv_handle_t *h)
{
    struct flow *f = h->data;
    struct plane *plane = f->plane;
    chunkq_done(&f->queue);
    greeting_free(f);
    mem_free(f);
    plane_flow_end(plane);
}

static int local_fd(const struct flow *f)
{
    uv_os_fd_t fd = -1;
    return uv_fileno(&f->local.handle, &fd) == 0 ? fd : -1;
}

/* A closed TCP socket then says RST instead of FIN. libuv's own way refuses once a shutdown was begun. */
static void local_reset(struct flow *f)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (f->local.handle.type == UV_TCP)
        setsockopt(local_fd(f), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void flow_detach(struct flow *f)
{
    if (f->chan)
        ssh_chan_close(f->chan);
    f->chan = NULL;
    pool_leave(&f->waiter);
    timer_stop(&f->timer);
    greeting_over(f);
}

static void flow_shut(struct flow *f, bool reset)
{
    flow_detach(f);
    if (reset)
        local_reset(f);
    f->state = FLOW_CLOSING;
    uv_close(&f->local.handle, on_closed);
}

void flow_close(struct flow *f)
{
    flow_shut(f, true);
}

void flow_end(struct flow *f, const struct err *err, bool reset)
{
    const struct flow_events *events = f->o.events;
    void *arg = f->o.arg;
    bool told = f->told;
    struct err copy;
    err = err ? err : greeting_error(f);
    if (err)
        copy = *err; /* it may live in what closes now */
    flow_shut(f, reset);
    events->ended(arg, err ? &copy : NULL, told);
}

static void flow_fail(struct flow *f, const struct err *err)
{
    if (f->greeting && err->code != ERR_CANCELED)
        greeting_refuse(f, err);
    else
        flow_end(f, err, true);
}

static int flow_open_channel(struct flow *f, struct err *err)
{
    f->state = FLOW_OPENING;
    int r = ssh_chan_open(&f->chan, f->waiter.conn->ssh, &f->o.target, &flow_chan_events, f, err);
    if (r < 0)
        f->chan = NULL;
    else
        timer_start(&f->timer, f->o.open_ms);
    return r;
}

static void on_served(struct pool_waiter *w, const struct err *err)
{
    struct flow *f = container_of(w, struct flow, waiter);
    struct err why = {0};
    if (err)
        flow_fail(f, err);
    else if (flow_open_channel(f, &why) < 0)
        flow_fail(f, &why);
}

static void on_recalled(struct pool_waiter *w)
{
    struct flow *f = container_of(w, struct flow, waiter);
    ssh_chan_close(f->chan);
    f->chan = NULL;
    timer_stop(&f->timer);
    f->state = FLOW_WAITING;
}

/* Only a client that is gone in both directions has hung up: one that has merely finished sending still
 * listens. */
static bool on_gone(struct pool_waiter *w)
{
    const struct flow *f = container_of(w, struct flow, waiter);
    struct pollfd p = {.fd = local_fd(f)};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

static void on_timer(struct timer *t)
{
    struct flow *f = container_of(t, struct flow, timer);
    struct err err = {0};
    switch (f->state) {
    case FLOW_GREETING:
        greeting_expired(f);
        break;
    case FLOW_OPENING:
        err_set(&err, ERR_TIMEOUT, "the VM did not connect to the target within %u ms", f->o.open_ms);
        flow_fail(f, &err);
        break;
    default:
        flow_end(f, NULL, false); /* the client had its time to close; everything is delivered */
    }
}

void flow_opened(struct flow *f)
{
    pool_opened(&f->waiter);
    timer_stop(&f->timer);
    f->state = FLOW_OPEN;
    f->burst_ms = clock_now(f->plane->o.clock);
    if (f->greeting && !greeting_opened(f))
        return;
    flow_update(f);
}

void flow_chan_gone(struct flow *f, const struct err *err)
{
    struct err none = {0};
    if (!err) {
        err_set(&none, ERR_CLOSED, "the VM closed the channel before it was open");
        err = &none;
    }
    if (f->state == FLOW_OPEN)
        flow_end(f, err, true);
    else
        flow_fail(f, err);
}

static struct flow *flow_new(const struct flow_options *options, struct err *err)
{
    struct plane *plane = options->vm->plane;
    if (!plane_flow_begin(plane)) {
        err_set(err, ERR_LIMIT, "%zu connections are open already", plane->flows);
        return NULL;
    }
    struct flow *f = mem_zalloc(sizeof *f);
    if (!f) {
        plane_flow_end(plane);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    f->plane = plane;
    f->o = *options;
    f->number = ++plane->next_flow;
    list_init(&f->waiter.node);
    chunkq_init(&f->queue, &plane->chunks);
    timer_init(&f->timer, plane->o.clock, on_timer);
    return f;
}

/* The handle was initialised: only libuv may free the memory now. */
static void flow_discard(struct flow *f)
{
    f->state = FLOW_CLOSING;
    uv_close(&f->local.handle, on_closed);
}

int flow_accept(struct flow **out, const struct flow_options *options, uv_stream_t *listener, struct err *err)
{
    struct flow *f = flow_new(options, err);
    if (!f)
        return err && err->code ? err->code : ERR_LIMIT;
    int r = listener->type == UV_TCP ? uv_tcp_init(f->plane->o.loop, &f->local.tcp)
                                     : uv_pipe_init(f->plane->o.loop, &f->local.pipe, 0);
    if (r < 0) {
        mem_free(f);
        plane_flow_end(options->vm->plane);
        return err_uv(err, r, "accept");
    }
    f->local.handle.data = f;
    r = uv_accept(listener, &f->local.stream);
    if (r < 0) {
        flow_discard(f);
        return err_uv(err, r, "accept");
    }
    if (listener->type == UV_TCP)
        uv_tcp_nodelay(&f->local.tcp, 1);
    *out = f;
    return 0;
}

static int open_fd(struct flow **out, const struct flow_options *options, int fd, bool tcp, struct err *err)
{
    struct flow *f = flow_new(options, err);
    if (!f)
        return err && err->code ? err->code : ERR_LIMIT;
    int r = tcp ? uv_tcp_init(f->plane->o.loop, &f->local.tcp)
                : uv_pipe_init(f->plane->o.loop, &f->local.pipe, 0);
    if (r < 0) {
        mem_free(f);
        plane_flow_end(options->vm->plane);
        return err_uv(err, r, "socket");
    }
    f->local.handle.data = f;
    r = tcp ? uv_tcp_open(&f->local.tcp, fd) : uv_pipe_open(&f->local.pipe, fd);
    if (r < 0) {
        flow_discard(f);
        return err_uv(err, r, "socket");
    }
    *out = f;
    return 0;
}

int flow_of_fd(struct flow **out, const struct flow_options *options, int fd, struct err *err)
{
    return open_fd(out, options, fd, false, err);
}

int flow_adopt(struct flow **out, const struct flow_options *options, int fd, bool tcp, struct ssh_chan *ch,
               struct pool_conn *conn, struct err *err)
{
    int r = open_fd(out, options, fd, tcp, err);
    if (r < 0)
        return r;
    struct flow *f = *out;
    f->waiter.cls = options->cls;
    pool_join(&f->waiter, conn);
    f->chan = ch;
    ssh_chan_take(ch, &flow_chan_events, f);
    ssh_chan_accept(ch);
    flow_opened(f);
    return 0;
}

int flow_line_up(struct flow *f, struct err *err)
{
    f->state = FLOW_WAITING;
    f->waiter.cls = f->o.cls;
    f->waiter.deadline_ms = clock_now(f->plane->o.clock) + f->o.wait_ms;
    f->waiter.served = on_served;
    f->waiter.recalled = on_recalled;
    f->waiter.gone = on_gone;
    int r = pool_get(&f->o.vm->pool, &f->waiter, err);
    if (r < 0 || !f->waiter.conn)
        return r;
    return flow_open_channel(f, err);
}

int flow_start(struct flow *f, struct err *err)
{
    return f->o.dynamic ? greeting_start(f, err) : flow_line_up(f, err);
}

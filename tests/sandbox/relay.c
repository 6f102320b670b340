/*
 * relay: moves each connection's two directions as sockets and time allow.
 */
#include "relay.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void on_flow_poll_closed(uv_handle_t *h)
{
    struct relay_flow *f = h->data;
    if (--f->polls_open)
        return;
    relay_dir_done(&f->dir[RELAY_UP]);
    relay_dir_done(&f->dir[RELAY_DOWN]);
    close(f->fd[0]), close(f->fd[1]);
    mem_free(f);
}

static void flow_end(struct relay_flow *f, bool reset)
{
    if (f->closing)
        return;
    f->closing = true;
    list_remove(&f->node);
    f->relay->stats.open--;
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 2; i++) {
        if (reset)
            setsockopt(f->fd[i], SOL_SOCKET, SO_LINGER, &now, sizeof now);
        uv_close((uv_handle_t *)&f->poll[i], on_flow_poll_closed);
    }
    f->relay->stats.resets += reset;
}

static void on_flow_event(uv_poll_t *h, int status, int events);

/* The events that each socket is watched for follow from the state of the two directions, here and nowhere
 * else. */
static void flow_update(struct relay_flow *f, uint64_t now)
{
    if (f->closing)
        return;
    if (relay_dir_ended(&f->dir[0]) && relay_dir_ended(&f->dir[1])) {
        flow_end(f, false);
        return;
    }
    for (int i = 0; i < 2; i++) {
        struct relay_dir *in = &f->dir[i], *out = &f->dir[1 - i];
        int want = 0;
        if (f->connected && relay_dir_wants_read(in, now))
            want |= UV_READABLE;
        if (i == 1 && !f->connected)
            want |= UV_WRITABLE;
        if (f->connected && out->blocked && !f->relay->faults.blackhole)
            want |= UV_WRITABLE;
        if (want == f->events[i])
            continue;
        f->events[i] = want;
        if (want)
            uv_poll_start(&f->poll[i], want, on_flow_event);
        else
            uv_poll_stop(&f->poll[i]);
    }
}

static void timer_set(struct relay *r, uint64_t at)
{
    if (at == r->wake_ns)
        return;
    r->wake_ns = at;
    struct itimerspec t = {.it_value = {(time_t)(at / 1000000000ULL), (long)(at % 1000000000ULL)}};
    timerfd_settime(r->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void timer_update(struct relay *r, uint64_t now)
{
    uint64_t at = 0;
    struct relay_flow *f;
    list_each(f, &r->flows, struct relay_flow, node)
    {
        for (int i = 0; i < 2; i++) {
            uint64_t w = relay_dir_wake(&f->dir[i], now);
            if (w && (!at || w < at))
                at = w;
        }
    }
    timer_set(r, at);
}

static bool slow(const struct relay *r)
{
    return r->faults.latency_us || r->faults.rate_bps || r->wake_ns;
}

static void all_step(struct relay *r)
{
    uint64_t now = now_ns();
    struct relay_flow *f;
    list_each(f, &r->flows, struct relay_flow, node)
    {
        if (!f->connected)
            continue;
        if (relay_dir_write(&f->dir[0], now) == RELAY_BROKEN ||
            relay_dir_write(&f->dir[1], now) == RELAY_BROKEN)
            flow_end(f, true);
        else
            flow_update(f, now);
    }
    timer_update(r, now);
}

static void on_timer(uv_poll_t *h, int status, int events)
{
    (void)events;
    (void)status;
    struct relay *r = h->data;
    uint64_t times;
    if (read(r->timer_fd, &times, sizeof times) < 0)
        return;
    r->wake_ns = 0;
    all_step(r);
}

static void on_flow_event(uv_poll_t *h, int status, int events)
{
    struct relay_flow *f = h->data;
    struct relay *r = f->relay;
    int side = h == &f->poll[1];
    uint64_t now = now_ns();
    if (!f->connected) {
        int so_error = 0;
        socklen_t n = sizeof so_error;
        getsockopt(f->fd[1], SOL_SOCKET, SO_ERROR, &so_error, &n);
        if (status < 0 || so_error) {
            r->stats.refused++;
            flow_end(f, true);
            return;
        }
        f->connected = true;
        flow_update(f, now);
        return;
    }
    enum relay_step s = RELAY_OK;
    if (status < 0)
        events = UV_READABLE;
    if (events & UV_WRITABLE)
        s = relay_dir_write(&f->dir[1 - side], now);
    if (s == RELAY_OK && (events & UV_READABLE) && relay_dir_wants_read(&f->dir[side], now))
        s = relay_dir_read(&f->dir[side], now);
    if (s == RELAY_OK)
        s = relay_dir_write(&f->dir[side], now);
    if (s == RELAY_BROKEN)
        flow_end(f, true);
    else
        flow_update(f, now);
    if (slow(r))
        timer_update(r, now);
}

int relay_flow_new(struct relay *r, int client, int server)
{
    struct relay_flow *f = mem_zalloc(sizeof *f);
    if (!f)
        return -ENOMEM;
    f->relay = r;
    f->fd[0] = client;
    f->fd[1] = server;
    int rc = relay_dir_init(&f->dir[RELAY_UP], f, RELAY_UP, client, server);
    if (rc) {
        mem_free(f);
        return rc;
    }
    rc = relay_dir_init(&f->dir[RELAY_DOWN], f, RELAY_DOWN, server, client);
    if (rc) {
        relay_dir_done(&f->dir[RELAY_UP]);
        mem_free(f);
        return rc;
    }
    int on = 1;
    for (int i = 0; i < 2; i++) {
        setsockopt(f->fd[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        uv_poll_init(r->loop, &f->poll[i], f->fd[i]);
        f->poll[i].data = f;
        f->polls_open++;
    }
    list_push(&r->flows, &f->node);
    r->stats.open++;
    flow_update(f, now_ns());
    return 0;
}

void relay_faults_set(struct relay *r, const struct relay_faults *faults)
{
    r->faults = *faults;
    if (!faults->rate_bps)
        r->link_free_ns[0] = r->link_free_ns[1] = 0;
    relay_listener_update(r);
    all_step(r);
}

void relay_reset(struct relay *r)
{
    struct relay_flow *f;
    list_each(f, &r->flows, struct relay_flow, node) flow_end(f, true);
}

int relay_init(struct relay *r, uv_loop_t *loop, const struct sockaddr_in *target, struct err *err)
{
    *r = (struct relay){.loop = loop, .target = *target, .listen_fd = -1, .timer_fd = -1};
    list_init(&r->flows);
    r->scratch = mem_alloc(RELAY_SCRATCH);
    if (!r->scratch)
        return err_set(err, ERR_NOMEM, "relay: out of memory");
    r->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (r->timer_fd < 0)
        return err_sys(err, errno, "relay: timer");
    uv_poll_init(loop, &r->timer, r->timer_fd);
    r->timer.data = r;
    uv_poll_start(&r->timer, UV_READABLE, on_timer);
    return 0;
}

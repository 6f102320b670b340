/*
 * local_dial: looks a host up and connects to it, or connects to a Unix socket.
 *
 *   start ─▶ LOOKING (a name) ─▶ DIALLING ─▶ cb(fd)        any of them: failed, or too late ─▶ cb(err)
 *      └─ an address, localhost ───▲
 *      └─ a path ─▶ CONNECTING ─▶ cb(fd)
 *
 * "localhost" is the loopback addresses, whatever a resolver says (RFC 6761 §6.3). A look-up cannot be
 * stopped once it runs: the memory goes when it is over.
 */
#include "local_dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/list.h"
#include "base/mem.h"
#include "dial.h"

enum local_dial_state { LOCAL_DIAL_LOOKING, LOCAL_DIAL_DIALLING, LOCAL_DIAL_CONNECTING };

struct local_dial {
    enum local_dial_state state;
    uv_loop_t *loop;
    struct clock *clock;
    struct timer deadline;
    uint64_t until_ms;
    struct dial_address addresses[DIAL_ADDRESSES_MAX];
    size_t count;
    struct dial *dial;
    uv_getaddrinfo_t dns;
    uv_pipe_t pipe;
    uv_connect_t connect;
    unsigned holds; /* the look-up and the handle keep the memory */
    bool over;
    char *name; /* host or path, for messages */
    uint16_t port;
    local_dial_cb cb;
    void *arg;
};

static void unref(struct local_dial *d)
{
    if (!d->over || d->holds > 0)
        return;
    mem_free(d->name);
    mem_free(d);
}

static void on_released(uv_handle_t *h)
{
    struct local_dial *d = h->data;
    d->holds--;
    unref(d);
}

/* Whatever runs is stopped; d is gone, or will be. */
static void stop(struct local_dial *d)
{
    d->over = true;
    timer_stop(&d->deadline);
    if (d->dial)
        dial_cancel(d->dial);
    d->dial = NULL;
    if (d->state == LOCAL_DIAL_LOOKING && d->holds > 0)
        uv_cancel((uv_req_t *)&d->dns);
    if (d->state == LOCAL_DIAL_CONNECTING)
        uv_close((uv_handle_t *)&d->pipe, on_released);
    unref(d);
}

static void finish(struct local_dial *d, int fd, bool tcp, const struct err *err)
{
    local_dial_cb cb = d->cb;
    void *arg = d->arg;
    struct err copy;
    if (err)
        copy = *err;
    stop(d);
    cb(arg, fd, tcp, err ? &copy : NULL);
}

static void on_dial(void *arg, int fd, size_t index, const struct err *err)
{
    struct local_dial *d = arg;
    (void)index;
    d->dial = NULL;
    finish(d, fd, true, err);
}

static int dial(struct local_dial *d, struct err *err)
{
    uint64_t now = clock_now(d->clock);
    uint32_t left = d->until_ms > now ? (uint32_t)(d->until_ms - now) : 0;
    d->state = LOCAL_DIAL_DIALLING;
    timer_stop(&d->deadline); /* the dial has its own */
    return dial_start(&d->dial, d->loop, d->clock, d->addresses, d->count, left, on_dial, d, err);
}

static void add_address(struct local_dial *d, const char *host)
{
    if (d->count == DIAL_ADDRESSES_MAX)
        return;
    struct dial_address *a = &d->addresses[d->count++];
    snprintf(a->host, sizeof a->host, "%s", host);
    a->port = d->port;
}

static void on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct local_dial *d = req->data;
    struct err err = {0};
    d->holds--;
    for (const struct addrinfo *a = list; a && !d->over; a = a->ai_next) {
        char host[NI_MAXHOST];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST) == 0)
            add_address(d, host);
    }
    uv_freeaddrinfo(list);
    if (d->over) {
        unref(d);
        return;
    }
    if (status == 0 && d->count == 0)
        status = UV_EAI_NONAME;
    if (status < 0)
        err_uv(&err, status, "look up %s", d->name);
    else
        dial(d, &err);
    if (err.code)
        finish(d, -1, true, &err);
}

static void on_connect(uv_connect_t *req, int status)
{
    struct local_dial *d = req->data;
    struct err err = {0};
    uv_os_fd_t fd = -1;
    int out = -1;
    if (d->over)
        return;
    if (status == 0 && (status = uv_fileno((const uv_handle_t *)&d->pipe, &fd)) == 0) {
        out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (out < 0)
            status = -errno;
    }
    if (status < 0)
        err_uv(&err, status, "connect to %s", d->name);
    finish(d, out, false, status < 0 ? &err : NULL);
}

static void on_deadline(struct timer *t)
{
    struct local_dial *d = container_of(t, struct local_dial, deadline);
    struct err err = {0};
    err_set(&err, ERR_TIMEOUT, "%s %s: timed out", d->state == LOCAL_DIAL_LOOKING ? "look up" : "connect to",
            d->name);
    finish(d, -1, false, &err);
}

static bool is_numeric(const char *host)
{
    struct in6_addr a;
    return inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1;
}

static int begin(struct local_dial *d, bool path, struct err *err)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    int r;
    if (path) {
        r = uv_pipe_init(d->loop, &d->pipe, 0);
        if (r < 0)
            return err_uv(err, r, "socket");
        d->state = LOCAL_DIAL_CONNECTING;
        d->holds++;
        uv_pipe_connect(&d->connect, &d->pipe, d->name, on_connect);
        return 0;
    }
    if (strcasecmp(d->name, "localhost") == 0) {
        add_address(d, "127.0.0.1");
        add_address(d, "::1");
    } else if (is_numeric(d->name)) {
        add_address(d, d->name);
    }
    if (d->count > 0)
        return dial(d, err);
    r = uv_getaddrinfo(d->loop, &d->dns, on_looked_up, d->name, NULL, &hints);
    if (r < 0)
        return err_uv(err, r, "look up %s", d->name);
    d->holds++;
    return 0;
}

int local_dial_start(struct local_dial **out, uv_loop_t *loop, struct clock *clock,
                     const struct forward_end *to, uint32_t deadline_ms, local_dial_cb cb, void *arg,
                     struct err *err)
{
    struct local_dial *d = mem_zalloc(sizeof *d);
    if (!d)
        return err_set(err, ERR_NOMEM, "out of memory");
    d->loop = loop;
    d->clock = clock;
    d->port = to->port;
    d->until_ms = clock_now(clock) + deadline_ms;
    d->cb = cb;
    d->arg = arg;
    d->dns.data = d->pipe.data = d->connect.data = d;
    d->name = mem_strdup(to->path ? to->path : to->host);
    timer_init(&d->deadline, clock, on_deadline);
    int r = d->name && timer_start(&d->deadline, deadline_ms) == 0 ? begin(d, to->path != NULL, err)
                                                                   : err_set(err, ERR_NOMEM, "out of memory");
    if (r < 0) {
        stop(d);
        return r;
    }
    *out = d;
    return 0;
}

void local_dial_cancel(struct local_dial *d)
{
    stop(d);
}

/*
 * listener: binding, listening, and holding connections back when there is no room for another flow.
 *
 * A connection that is not accepted stays in the kernel's backlog; libuv stops polling until it is.
 */
#include "listener.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define SOCKETS_MAX 2
#define PORT_TRIES 16 /* for a port that is free in both families */

struct listener {
    struct plane *plane;
    struct listener_socket sockets[SOCKETS_MAX];
    unsigned count;   /* initialised */
    unsigned handles; /* not yet closed */
    bool closed;
    uint16_t port;
    char text[LISTENER_TEXT_MAX];
    listener_cb cb;
    void *arg;
};

static void on_closed(uv_handle_t *h)
{
    struct listener_socket *s = h->data;
    struct listener *l = s->listener;
    if (--l->handles == 0 && l->closed)
        mem_free(l);
}

static void sockets_close(struct listener *l)
{
    for (unsigned i = 0; i < l->count; i++) {
        list_remove(&l->sockets[i].paused);
        uv_close(&l->sockets[i].uv.handle, on_closed);
    }
    l->count = 0;
}

void listener_close(struct listener *l)
{
    l->closed = true;
    sockets_close(l);
    if (l->handles == 0)
        mem_free(l);
}

void listener_offer(struct listener_socket *s)
{
    if (!s->listener->closed && !s->listener->cb(s->listener->arg, &s->uv.stream))
        list_move(&s->listener->plane->paused, &s->paused);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct listener_socket *s = server->data;
    if (status < 0) {
        static struct log_rate rate = {.burst = 5, .every_ms = 10000};
        log_write(LOG_WARN, &(struct log_ctx){.module = "proxy"}, &rate, "%s: accept: %s", s->listener->text,
                  uv_strerror(status));
        return;
    }
    listener_offer(s);
}

static void socket_added(struct listener *l, struct listener_socket *s)
{
    s->listener = l;
    s->uv.handle.data = s;
    list_init(&s->paused);
    l->count++;
    l->handles++;
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static uint16_t bound_port(const uv_tcp_t *tcp)
{
    union address a;
    int len = sizeof a;
    if (uv_tcp_getsockname(tcp, &a.any, &len) < 0)
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

/* Returns a libuv status. */
static int tcp_listen(struct listener *l, const char *host, uint16_t port)
{
    union address a;
    int r = uv_ip4_addr(host, port, &a.v4);
    if (r < 0)
        r = uv_ip6_addr(host, port, &a.v6);
    if (r < 0)
        return r;
    struct listener_socket *s = &l->sockets[l->count];
    r = uv_tcp_init_ex(l->plane->o.loop, &s->uv.tcp, a.any.sa_family);
    if (r < 0)
        return r;
    socket_added(l, s);
    r = uv_tcp_bind(&s->uv.tcp, &a.any, a.any.sa_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0);
    if (r == 0)
        r = uv_listen(&s->uv.stream, LISTENER_BACKLOG, on_connection);
    if (r < 0) {
        l->count--;
        uv_close(&s->uv.handle, on_closed);
        return r;
    }
    l->port = bound_port(&s->uv.tcp);
    return 0;
}

static bool family_absent(int status)
{
    return status == UV_EADDRNOTAVAIL || status == UV_EAFNOSUPPORT;
}

static int tcp_error(const char *host, uint16_t port, int status, struct err *err)
{
    bool v6 = strchr(host, ':') != NULL;
    char where[LISTENER_TEXT_MAX], owner[128];
    snprintf(where, sizeof where, v6 ? "[%s]:%u" : "%s:%u", host, port);
    if (status == UV_EADDRINUSE) {
        port_owner_text(port, owner, sizeof owner);
        return err_set(err, ERR_EXISTS,
                       "port %u is in use%s: cannot listen on %s; stop its user, or choose another port",
                       port, owner, where);
    }
    if (status == UV_EINVAL)
        return err_set(err, ERR_INVAL, "cannot listen on %s: not an IP address of this machine", where);
    err_uv(err, status, "cannot listen on %s", where);
    if (status == UV_EACCES)
        err_hint(err, "; ports below 1024 need a privilege: choose a higher one");
    return err ? err->code : ERR_SYSTEM;
}

/* Both families, of which IPv6 may be missing on this machine; the same port for both. */
static int tcp_listen_pair(struct listener *l, const char *v4, const char *v6, uint16_t port, struct err *err)
{
    for (int tries = 0;; tries++) {
        int r4 = tcp_listen(l, v4, port);
        if (r4 < 0 && !family_absent(r4))
            return tcp_error(v4, port, r4, err);
        int r6 = tcp_listen(l, v6, r4 == 0 ? l->port : port);
        if (r6 == 0 || (r4 == 0 && family_absent(r6)))
            return 0;
        if (port != 0 || r6 != UV_EADDRINUSE || tries == PORT_TRIES)
            return tcp_error(v6, r4 == 0 ? l->port : port, r6, err);
        sockets_close(l);
    }
}

static int open_tcp(struct listener *l, const struct forward_end *at, struct err *err)
{
    const char *show = at->host;
    int r;
    if (!at->host || strcmp(at->host, "localhost") == 0) {
        show = "127.0.0.1";
        r = tcp_listen_pair(l, "127.0.0.1", "::1", at->port, err);
    } else if (strcmp(at->host, "*") == 0 || !*at->host) {
        show = "*";
        r = tcp_listen_pair(l, "0.0.0.0", "::", at->port, err);
    } else {
        r = tcp_listen(l, at->host, at->port);
        if (r < 0)
            r = tcp_error(at->host, at->port, r, err);
    }
    if (r == 0)
        snprintf(l->text, sizeof l->text, strchr(show, ':') ? "[%s]:%u" : "%s:%u", show, l->port);
    return r;
}

static int open_unix(struct listener *l, const char *path, struct err *err)
{
    struct listener_socket *s = &l->sockets[0];
    int r = uv_pipe_init(l->plane->o.loop, &s->uv.pipe, 0);
    if (r < 0)
        return err_uv(err, r, "socket");
    socket_added(l, s);
    r = listener_unix_bind(&s->uv.pipe, path, err);
    if (r < 0)
        return r;
    r = uv_listen(&s->uv.stream, LISTENER_BACKLOG, on_connection);
    if (r < 0)
        return err_uv(err, r, "cannot listen on %s", path);
    snprintf(l->text, sizeof l->text, "%s", path);
    return 0;
}

int listener_open(struct listener **out, struct plane *plane, const struct forward_end *at, listener_cb cb,
                  void *arg, struct err *err)
{
    struct listener *l = mem_zalloc(sizeof *l);
    if (!l)
        return err_set(err, ERR_NOMEM, "out of memory");
    l->plane = plane;
    l->cb = cb;
    l->arg = arg;
    int r = at->path ? open_unix(l, at->path, err) : open_tcp(l, at, err);
    if (r < 0) {
        listener_close(l);
        return r;
    }
    *out = l;
    return 0;
}

const char *listener_text(const struct listener *l)
{
    return l->text;
}

uint16_t listener_port(const struct listener *l)
{
    return l->port;
}

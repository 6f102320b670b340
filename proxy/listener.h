/*
 * listener: a bound place that connections come in at: one or two TCP sockets, or a Unix socket.
 *
 * Thread: the plane's loop, for every function here.
 */
#ifndef ADIT_PROXY_LISTENER_H
#define ADIT_PROXY_LISTENER_H

#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "config/forward_spec.h"
#include "plane.h"

#define LISTENER_BACKLOG 1024
#define LISTENER_TEXT_MAX 160

struct listener;

/* A connection is there: accept it from `server` with uv_accept(), or leave it: it is offered again when a
 * flow ends (return false). */
typedef bool (*listener_cb)(void *arg, uv_stream_t *server);

/* Loopback means both families where the machine has IPv6; "*" every address of both. ERR_EXISTS: in use,
 * with who holds the port when that can be seen. ERR_DENIED, ERR_INVAL, ERR_LIMIT, ERR_UNREACHABLE,
 * ERR_SYSTEM, ERR_NOMEM. */
int listener_open(struct listener **out, struct plane *plane, const struct forward_end *at, listener_cb cb,
                  void *arg, struct err *err);
void listener_close(struct listener *l); /* synchronous and silent; a Unix socket's file goes */

const char *listener_text(const struct listener *l); /* "127.0.0.1:3389", "/run/x.sock" */
uint16_t listener_port(const struct listener *l);    /* 0 for a Unix socket */

/* One listening handle; public for plane_unpause. */
struct listener_socket {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct listener *listener;
    struct list paused; /* plane.paused */
};
void listener_offer(struct listener_socket *s); /* a flow ended: try again what was left */

/* ---- listener_unix.c ---- */

/* Binds and protects (0600) a Unix socket; replaces a file that nobody listens behind. */
int listener_unix_bind(uv_pipe_t *pipe, const char *path, struct err *err);

/* ---- port_owner.c ---- */

/* " (held by xrdp, pid 812)" into out, or "" when it cannot be seen. Linux: /proc. */
void port_owner_text(uint16_t port, char *out, size_t size);

#endif

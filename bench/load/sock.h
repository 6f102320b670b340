/*
 * sock: loopback sockets, blocking with a deadline: nothing here can reach beyond 127.0.0.1.
 *
 * Thread: any.
 */
#ifndef ADIT_BENCH_SOCK_H
#define ADIT_BENCH_SOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire.h"

#define SOCK_TIMEOUT_S 20 /* how long one call may wait */

/* Listening, close-on-exec; port 0 takes a free one. Returns the descriptor; *port is the one in use. */
int sock_listen(uint16_t *port, struct err *err);

/* Blocking, TCP_NODELAY set. Returns the descriptor. ERR_REFUSED, ERR_SYSTEM, … */
int sock_connect(uint16_t port, struct err *err);

int sock_send_all(int fd, const void *data, size_t n, struct err *err);
int sock_receive_all(int fd, void *data, size_t n, struct err *err); /* ERR_CLOSED, ERR_TIMEOUT */
int sock_set_nonblocking(int fd, struct err *err);

/* A connection that said its hello. Returns the descriptor. */
int sock_open(uint16_t port, const struct hello *hello, struct err *err);

#endif

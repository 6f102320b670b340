/*
 * sock: loopback sockets, blocking with a deadline: nothing here can reach beyond this machine.
 *
 * Thread: any.
 */
#ifndef ADIT_BENCH_SOCK_H
#define ADIT_BENCH_SOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire.h"

/* All sockets of the process are on 127.0.0.1 until another address is chosen, once, before the first: one of
 * 127.0.0.0/8, or of 198.18.0.0/15, where adit-link's device is. ERR_INVAL for any other. */
int sock_choose_address(const char *text, struct err *err);

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

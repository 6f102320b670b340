/*
 * peer: what a Unix socket can do beyond bytes: say who is at the other end, and carry a descriptor.
 *
 * Thread: any.
 */
#ifndef ADIT_CONTROL_PEER_H
#define ADIT_CONTROL_PEER_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/err.h"

/* A stream socket, close-on-exec and non-blocking. Negative with err set. */
int peer_socket(struct err *err);

/* ERR_LIMIT when the path does not fit, with its length and what to set. */
int peer_address(struct sockaddr_un *out, const char *path, struct err *err);

/* User and process at the other end; pid 0 where the system does not tell. */
int peer_identity(int fd, uid_t *uid, pid_t *pid, struct err *err);

/* As send(2) and recv(2), never raising SIGPIPE. send: fd ≥ 0 goes with the first byte. recv: *fd is −1 or a
 * received descriptor, close-on-exec, which the caller owns; with fd NULL every descriptor is refused. */
ssize_t peer_send(int sock, const void *data, size_t n, int fd);
ssize_t peer_recv(int sock, void *data, size_t n, int *fd);

#endif

/*
 * stream: the socket of a connection; it alone reads, writes and closes it. Private to ssh/.
 *
 * What comes in is handed on in bounded portions, at most one a turn of the loop while more is waiting, so
 * that the other connections of the loop get theirs. What goes out waits in a queue of pooled chunks; above
 * the high watermark ssh_stream_full() is true until the queue fell to the low one. Thread: the loop's.
 */
#ifndef ADIT_SSH_STREAM_H
#define ADIT_SSH_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/chunk.h"
#include "base/err.h"
#include "base/ready.h"

#define SSH_STREAM_READ (64u << 10)  /* most that one input callback brings */
#define SSH_STREAM_HIGH (256u << 10) /* bytes waiting for the socket */
#define SSH_STREAM_LOW (64u << 10)
#define SSH_STREAM_MAX (16u << 20) /* of them; what a server that asks much and reads nothing makes of us */

struct ssh_stream;

struct ssh_stream_events {
    void (*input)(void *arg, const uint8_t *data, size_t n);
    void (*drained)(void *arg); /* was full, is no longer */
    void (*broken)(void *arg,
                   const struct err *err); /* once: end of input or an error; ERR_CLOSED, ERR_SYSTEM */
};

/* Takes fd over on success. ERR_NOMEM, ERR_SYSTEM, ERR_INVAL (neither a TCP nor a local stream socket). */
int ssh_stream_new(struct ssh_stream **out, int fd, uv_loop_t *loop, struct readyq *ready,
                   struct chunk_pool *pool, const struct ssh_stream_events *events, void *arg,
                   struct err *err);

int ssh_stream_start(struct ssh_stream *s, struct err *err); /* begins to read */
int ssh_stream_write(struct ssh_stream *s, const void *data,
                     size_t n); /* copies; goes out later in this turn. ERR_NOMEM, ERR_LIMIT */
bool ssh_stream_full(struct ssh_stream *s);
void ssh_stream_flush(struct ssh_stream *s); /* tries to send at once */
uint64_t ssh_stream_rx(const struct ssh_stream *s);
uint64_t ssh_stream_tx(const struct ssh_stream *s);

/* Silent from now on. Flushes what the socket takes at once, then closes. */
void ssh_stream_close(struct ssh_stream *s, void (*cb)(void *arg), void *arg);

/* stream_linux.c: how long unanswered data may wait in the kernel before the connection counts as dead, and
 * how much may wait there unsent (less of it keeps small packets from queueing behind an upload). */
void ssh_stream_tune(int fd, uint32_t dead_ms);
void ssh_stream_set_dead(struct ssh_stream *s, uint32_t dead_ms);

#endif

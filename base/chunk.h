/*
 * chunk: pooled blocks of bytes and queues made of them; what a slow reader has not taken yet waits here.
 *
 * A pool belongs to one loop and has a hard limit; getting a chunk fails rather than pass it. A queue holds
 * chunks of its pool in order and hands them out as a vector for writev. An empty queue owns no chunk.
 * Thread: the pool's.
 */
#ifndef ADIT_BASE_CHUNK_H
#define ADIT_BASE_CHUNK_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define CHUNK_SIZE 16384 /* bytes of payload a chunk */

struct chunk;

struct chunk_pool {
    struct chunk *spare;           /* private */
    size_t spare_count, spare_max; /* chunks kept for reuse, and how many may be */
    size_t used, used_max;         /* chunks handed out, and how many may be */
};

void chunk_pool_init(struct chunk_pool *p, size_t used_max, size_t spare_max);
void chunk_pool_done(struct chunk_pool *p); /* all queues must be empty: asserted */
void chunk_pool_trim(struct chunk_pool *p); /* gives the spare chunks back to malloc */

struct chunkq {
    struct chunk_pool *pool;
    struct chunk *head, *tail;
    size_t bytes; /* queued */
};

void chunkq_init(struct chunkq *q, struct chunk_pool *pool);
void chunkq_done(struct chunkq *q); /* drops what is queued */
static inline size_t chunkq_bytes(const struct chunkq *q)
{
    return q->bytes;
}

/* Copies n bytes to the end. ERR_NOMEM, or ERR_LIMIT at the pool's limit: nothing was queued. */
int chunkq_append(struct chunkq *q, const void *data, size_t n);

/* Room at the end to be written in place (at least 1 byte), and how much of it was used (0 gives it back).
 * Errors as above. Every reservation is committed before anything else is done with the queue. */
int chunkq_reserve(struct chunkq *q, uv_buf_t *room);
void chunkq_commit(struct chunkq *q, size_t n);

/* Up to max_bufs vectors of the bytes at the front, not taken off; returns how many. */
unsigned chunkq_peek(const struct chunkq *q, uv_buf_t *bufs, unsigned max_bufs);
void chunkq_drop(struct chunkq *q, size_t n);              /* takes n (≤ bytes) off the front */
size_t chunkq_read(struct chunkq *q, void *out, size_t n); /* copies and drops up to n; returns how many */

#endif

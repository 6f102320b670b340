/*
 * chunk: a pool of fixed blocks with a limit, and byte queues over it.
 */
#include "chunk.h"

#include <assert.h>
#include <string.h>

#include "err.h"
#include "mem.h"

struct chunk {
    struct chunk *next;
    size_t start, end; /* what of data is queued */
    uint8_t data[CHUNK_SIZE];
};

void chunk_pool_init(struct chunk_pool *p, size_t used_max, size_t spare_max)
{
    memset(p, 0, sizeof *p);
    p->used_max = used_max;
    p->spare_max = spare_max;
}

void chunk_pool_trim(struct chunk_pool *p)
{
    while (p->spare) {
        struct chunk *c = p->spare;
        p->spare = c->next;
        mem_free(c);
    }
    p->spare_count = 0;
}

void chunk_pool_done(struct chunk_pool *p)
{
    assert(p->used == 0);
    chunk_pool_trim(p);
}

static int pool_get(struct chunk_pool *p, struct chunk **out)
{
    if (p->used >= p->used_max)
        return ERR_LIMIT;
    struct chunk *c = p->spare;
    if (c) {
        p->spare = c->next;
        p->spare_count--;
    } else {
        c = mem_alloc(sizeof *c);
        if (!c)
            return ERR_NOMEM;
    }
    p->used++;
    c->next = NULL;
    c->start = c->end = 0;
    *out = c;
    return 0;
}

static void pool_put(struct chunk_pool *p, struct chunk *c)
{
    p->used--;
    if (p->spare_count >= p->spare_max) {
        mem_free(c);
        return;
    }
    c->next = p->spare;
    p->spare = c;
    p->spare_count++;
}

void chunkq_init(struct chunkq *q, struct chunk_pool *pool)
{
    memset(q, 0, sizeof *q);
    q->pool = pool;
}

static void drop_head(struct chunkq *q)
{
    struct chunk *c = q->head;
    q->head = c->next;
    if (!q->head)
        q->tail = NULL;
    q->bytes -= c->end - c->start;
    pool_put(q->pool, c);
}

void chunkq_done(struct chunkq *q)
{
    while (q->head)
        drop_head(q);
}

static size_t tail_room(const struct chunkq *q)
{
    return q->tail ? CHUNK_SIZE - q->tail->end : 0;
}

/* Appends the chain first … last, which may hold no bytes yet. */
static void chain_append(struct chunkq *q, struct chunk *first, struct chunk *last)
{
    if (q->tail)
        q->tail->next = first;
    else
        q->head = first;
    q->tail = last;
}

int chunkq_append(struct chunkq *q, const void *data, size_t n)
{
    if (n == 0)
        return 0;
    size_t room = tail_room(q);
    struct chunk *first = NULL, *last = NULL;
    /* All chunks are in hand before a byte moves: a failure leaves the queue as it was. */
    for (size_t more = n > room ? n - room : 0; more > 0;) {
        struct chunk *c = NULL;
        int r = pool_get(q->pool, &c);
        if (r < 0) {
            while (first) {
                struct chunk *next = first->next;
                pool_put(q->pool, first);
                first = next;
            }
            return r;
        }
        if (last)
            last->next = c;
        else
            first = c;
        last = c;
        more -= more < CHUNK_SIZE ? more : CHUNK_SIZE;
    }
    struct chunk *to = room ? q->tail : first;
    if (first)
        chain_append(q, first, last);
    const uint8_t *from = data;
    q->bytes += n;
    while (n > 0) {
        assert(to);
        size_t part = CHUNK_SIZE - to->end;
        if (part > n)
            part = n;
        memcpy(to->data + to->end, from, part);
        to->end += part;
        from += part;
        n -= part;
        to = to->next;
    }
    return 0;
}

int chunkq_reserve(struct chunkq *q, uv_buf_t *room)
{
    if (tail_room(q) == 0) {
        struct chunk *c = NULL;
        int r = pool_get(q->pool, &c);
        if (r < 0)
            return r;
        chain_append(q, c, c);
    }
    *room = uv_buf_init((char *)q->tail->data + q->tail->end, (unsigned)tail_room(q));
    return 0;
}

/* Takes off the last chunk, which a reservation added and nobody used. */
static void drop_empty_tail(struct chunkq *q)
{
    struct chunk **link = &q->head, *before = NULL;
    while (*link != q->tail) {
        before = *link;
        link = &before->next;
    }
    pool_put(q->pool, q->tail);
    *link = NULL;
    q->tail = before;
}

void chunkq_commit(struct chunkq *q, size_t n)
{
    assert(q->tail ? n <= tail_room(q) : n == 0);
    if (!q->tail)
        return;
    q->tail->end += n;
    q->bytes += n;
    if (q->tail->end == q->tail->start)
        drop_empty_tail(q);
}

unsigned chunkq_peek(const struct chunkq *q, uv_buf_t *bufs, unsigned max_bufs)
{
    unsigned count = 0;
    for (struct chunk *c = q->head; c && count < max_bufs; c = c->next)
        if (c->end > c->start)
            bufs[count++] = uv_buf_init((char *)c->data + c->start, (unsigned)(c->end - c->start));
    return count;
}

void chunkq_drop(struct chunkq *q, size_t n)
{
    assert(n <= q->bytes);
    while (n > 0) {
        size_t have = q->head->end - q->head->start;
        if (n < have) {
            q->head->start += n;
            q->bytes -= n;
            return;
        }
        n -= have;
        drop_head(q);
    }
}

size_t chunkq_read(struct chunkq *q, void *out, size_t n)
{
    uint8_t *to = out;
    size_t copied = 0;
    while (copied < n && q->bytes > 0) {
        size_t part = q->head->end - q->head->start;
        if (part > n - copied)
            part = n - copied;
        memcpy(to + copied, q->head->data + q->head->start, part);
        chunkq_drop(q, part);
        copied += part;
    }
    return copied;
}

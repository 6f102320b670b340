/*
 * chunk: what a slow reader costs: bytes queued packet by packet and taken off in vectors.
 */
#include <string.h>

#include "base/chunk.h"
#include "base/mem.h"
#include "micro.h"

#define PACKET 32768 /* OpenSSH's largest packet of a channel */
#define PACKETS 4
#define VECTORS 8

struct chunk_work {
    struct chunk_pool pool;
    struct chunkq queue;
    uint8_t packet[PACKET];
};

static int setup(void **ctx, struct err *err)
{
    struct chunk_work *w = mem_zalloc(sizeof *w);
    if (!w)
        return err_set(err, ERR_NOMEM, "out of memory");
    memset(w->packet, 0x5a, sizeof w->packet);
    chunk_pool_init(&w->pool, 64, 64);
    chunkq_init(&w->queue, &w->pool);
    *ctx = w;
    return 0;
}

static int run(void *ctx, uint32_t ops)
{
    struct chunk_work *w = ctx;
    uv_buf_t bufs[VECTORS];
    while (ops--) {
        for (int i = 0; i < PACKETS; i++)
            if (chunkq_append(&w->queue, w->packet, PACKET) < 0)
                return -1;
        while (chunkq_bytes(&w->queue)) {
            size_t bytes = 0;
            unsigned n = chunkq_peek(&w->queue, bufs, VECTORS);
            for (unsigned i = 0; i < n; i++)
                bytes += bufs[i].len;
            chunkq_drop(&w->queue, bytes);
        }
    }
    return 0;
}

static void done(void *ctx)
{
    struct chunk_work *w = ctx;
    chunkq_done(&w->queue);
    chunk_pool_done(&w->pool);
    mem_free(w);
}

const struct micro micro_chunk = {
    .name = "chunk-queue",
    .what = "4 packets of 32 KiB into a chunk queue and out of it",
    .bytes = PACKETS * PACKET,
    .guard_ops = 200,
    .setup = setup,
    .run = run,
    .done = done,
};

/*
 * bulk: many streams on one epoll: the loop of the server's bulk thread and of the client's throughput runs.
 *
 * Thread: bulk_add() any; everything else the one that turns it.
 */
#ifndef ADIT_BENCH_BULK_H
#define ADIT_BENCH_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire.h"

#define BULK_STREAMS_MAX 1024

struct bulk;

/* What the streams that ended well have carried. */
struct bulk_total {
    size_t streams;
    uint64_t down, up;                   /* bytes that arrived in the window */
    uint64_t verified_down, verified_up; /* bytes that arrived and were right, in all */
};

int bulk_new(struct bulk **out, bool server, struct err *err);
void bulk_free(struct bulk *b); /* closes what is still open */

/* Takes the connected descriptor, whose hello was sent (client) or received (server); on failure it stays the
 * caller's. ERR_LIMIT, ERR_PROTOCOL, ERR_NOMEM, ERR_SYSTEM. */
int bulk_add(struct bulk *b, int fd, const struct hello *hello, struct err *err);

/* Waits up to timeout_ms and serves what is ready; returns how many streams are left. A client's first failed
 * stream is returned as its error; a server closes such a stream, says why on stderr when its bytes were
 * wrong, and goes on. */
int bulk_turn(struct bulk *b, int timeout_ms, struct err *err);

const struct bulk_total *bulk_total(const struct bulk *b);

#endif

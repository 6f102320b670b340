/*
 * pipe: the modelled link: one bottleneck a direction, which all connections share, and a delay behind it.
 *
 *   sender → [queue of at most LINK_QUEUE_MS at the bottleneck's rate] → delay → receiver
 *
 * A run of bytes leaves the bottleneck when it is free and everything before has left, and arrives `delay`
 * later. While the queue is full nobody may put more in, which slows senders down as a full send buffer does;
 * nothing is ever lost. Times are nanoseconds, CLOCK_MONOTONIC. Thread: one.
 */
#ifndef ADIT_BENCH_PIPE_H
#define ADIT_BENCH_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

#define LINK_QUEUE_MS 10
#define LINK_RUN_MAX (32 * 1024)

/* One direction of the link. */
struct link_line {
    uint64_t delay_ns;
    uint64_t bytes_per_s;
    uint64_t free_ns; /* when the bottleneck has sent all that was put in */
};

/* Bytes under way. */
struct link_run {
    struct list node;
    uint64_t due_ns;
    size_t len, done;
    uint8_t data[LINK_RUN_MAX];
};

/* What is under way for one connection in one direction, in order. */
struct link_pipe {
    struct link_line *line;
    struct list runs;
    size_t bytes, bytes_max; /* what the receiver has not taken; a real one's window would limit it too */
};

void link_pipe_init(struct link_pipe *p, struct link_line *line);
void link_pipe_done(struct link_pipe *p);

/* When the pipe takes more: now or before is 0, UINT64_MAX once its receiver has taken something, else that
 * time. */
uint64_t link_pipe_open_at(const struct link_pipe *p, uint64_t now);

/* Puts a filled run in; the pipe owns it. */
void link_pipe_put(struct link_pipe *p, struct link_run *run, uint64_t now);

/* The first run if it has arrived, else NULL; *due (only lowered) is when it will. */
struct link_run *link_pipe_arrived(struct link_pipe *p, uint64_t now, uint64_t *due);
void link_pipe_took(struct link_pipe *p, struct link_run *run, size_t n); /* frees it when it is used up */

static inline bool link_pipe_empty(const struct link_pipe *p)
{
    return list_empty(&p->runs);
}

#endif

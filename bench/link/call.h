/*
 * call: one connection over the modelled link: two sockets and the two pipes between them.
 *
 *   accepted at t     t + delay: the target is connected (the SYN has arrived)
 *                     t + 2 · delay: the client is read (it has heard the answer and may speak)
 *
 * step() does all that can be done now and says when to come back; it never blocks. Thread: one.
 */
#ifndef ADIT_BENCH_CALL_H
#define ADIT_BENCH_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "pipe.h"

/* One direction: bytes read from `from` go through the pipe to `to`. */
struct link_way {
    int from, to;
    uint64_t opens_ns; /* nothing is read before */
    bool read_over;    /* from has ended */
    uint64_t end_ns;   /* when that end arrives */
    bool over;         /* the end was handed on */
    struct link_pipe pipe;
};

struct link_call {
    struct list node;
    int client, target; /* target: -1 until connected */
    uint16_t target_port;
    uint64_t dial_ns;
    struct link_way up, down;
};

/* Takes the accepted, non-blocking descriptor. NULL when out of memory: then it stays the caller's. */
struct link_call *link_call_new(int client, uint16_t target_port, struct link_line *up,
                                struct link_line *down, uint64_t now);
void link_call_free(struct link_call *c);

/* False when it is over (free it). *due is lowered to when something can happen without a socket's doing.
 * *fresh is set when the target was connected just now and its descriptor is to be watched. */
bool link_call_step(struct link_call *c, uint64_t now, uint64_t *due, bool *fresh);

#endif

/*
 * ready: what must run soon on this loop, in the order in which it became ready, a bounded number a turn.
 *
 * It serves two needs: a callback that may not fire inside the call that caused it (the asynchronous
 * contract), and round-robin fairness (an item that has more to do puts itself at the end again). Items are
 * embedded in their owners. While the queue holds items, the loop does not block. Thread: the loop's.
 */
#ifndef ADIT_BASE_READY_H
#define ADIT_BASE_READY_H

#include <stdbool.h>
#include <uv.h>

#include "list.h"

struct readyq;
struct ready;

typedef void (*ready_cb)(struct ready *r);
typedef void (*readyq_closed_cb)(void *arg);

struct ready {
    struct list node; /* private */
    ready_cb cb;
};

int readyq_new(struct readyq **out, uv_loop_t *loop); /* ERR_NOMEM, ERR_SYSTEM */
void readyq_close(struct readyq *q, readyq_closed_cb cb,
                  void *arg); /* items still queued are dropped silently */

void ready_init(struct ready *r, ready_cb cb);
void ready_push(struct readyq *q, struct ready *r); /* nothing happens if it is queued already */
void ready_cancel(struct ready *r);                 /* silent; an idle one may be given */
static inline bool ready_queued(const struct ready *r)
{
    return !list_empty(&r->node);
}

#endif

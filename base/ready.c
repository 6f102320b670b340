/*
 * ready: runs what is queued after the loop has polled, at most what was queued when the turn began.
 *
 * The check handle runs the turn; the idle handle does nothing, but while it is active the loop polls without
 * waiting.
 */
#include "ready.h"

#include "err.h"
#include "mem.h"

struct readyq {
    uv_idle_t idle;
    uv_check_t check;
    struct list queue; /* pushed since the turn began */
    struct list turn;  /* still to run in this turn */
    bool awake, closing;
    int open_handles;
    readyq_closed_cb closed_cb;
    void *closed_arg;
};

static void on_idle(uv_idle_t *h)
{
}

static void on_check(uv_check_t *h)
{
    struct readyq *q = h->data;
    list_splice(&q->turn, &q->queue);
    struct list *node;
    while ((node = list_pop(&q->turn)) != NULL) {
        struct ready *r = container_of(node, struct ready, node);
        r->cb(r);
    }
    /* Close frees the queue in a later turn only, so it may be looked at here. */
    if (!q->closing && list_empty(&q->queue)) {
        uv_idle_stop(&q->idle);
        uv_check_stop(&q->check);
        q->awake = false;
    }
}

int readyq_new(struct readyq **out, uv_loop_t *loop)
{
    struct readyq *q = mem_zalloc(sizeof *q);
    if (!q)
        return ERR_NOMEM;
    list_init(&q->queue);
    list_init(&q->turn);
    uv_idle_init(loop, &q->idle);
    uv_check_init(loop, &q->check);
    q->idle.data = q->check.data = q;
    q->open_handles = 2;
    *out = q;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct readyq *q = h->data;
    if (--q->open_handles > 0)
        return;
    readyq_closed_cb cb = q->closed_cb;
    void *arg = q->closed_arg;
    mem_free(q);
    if (cb)
        cb(arg);
}

void readyq_close(struct readyq *q, readyq_closed_cb cb, void *arg)
{
    q->closing = true;
    q->closed_cb = cb;
    q->closed_arg = arg;
    while (list_pop(&q->queue) || list_pop(&q->turn))
        ;
    uv_close((uv_handle_t *)&q->idle, on_closed);
    uv_close((uv_handle_t *)&q->check, on_closed);
}

void ready_init(struct ready *r, ready_cb cb)
{
    list_init(&r->node);
    r->cb = cb;
}

void ready_push(struct readyq *q, struct ready *r)
{
    if (q->closing || ready_queued(r))
        return;
    list_push(&q->queue, &r->node);
    if (q->awake)
        return;
    uv_idle_start(&q->idle, on_idle);
    uv_check_start(&q->check, on_check);
    q->awake = true;
}

void ready_cancel(struct ready *r)
{
    list_remove(&r->node);
}

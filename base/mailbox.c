/*
 * mailbox: a locked list and a uv_async that wakes the owner's loop.
 *
 * The lock also orders post against close: the async handle is never signalled once it is closing. The last
 * reference frees the mailbox; close keeps its own until libuv has let go of the handle.
 */
#include "mailbox.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "err.h"
#include "mem.h"

struct mailbox {
    uv_async_t async;
    uv_mutex_t lock;
    struct list posted; /* under lock */
    bool closed;        /* under lock */
    struct list inbox;  /* owner's thread: taken over, being delivered */
    atomic_uint refs;
    mailbox_cb cb;
    void *arg;
    mailbox_closed_cb closed_cb;
    void *closed_arg;
};

static void on_async(uv_async_t *h)
{
    struct mailbox *m = h->data;
    uv_mutex_lock(&m->lock);
    list_splice(&m->inbox, &m->posted);
    uv_mutex_unlock(&m->lock);
    struct list *node;
    /* A receiver may close the mailbox, which empties the inbox but frees nothing before a later turn. */
    while ((node = list_pop(&m->inbox)) != NULL)
        m->cb(m->arg, container_of(node, struct mail, node));
}

int mailbox_new(struct mailbox **out, uv_loop_t *loop, mailbox_cb cb, void *arg)
{
    struct mailbox *m = mem_zalloc(sizeof *m);
    if (!m)
        return ERR_NOMEM;
    if (uv_mutex_init(&m->lock) != 0) {
        mem_free(m);
        return ERR_SYSTEM;
    }
    if (uv_async_init(loop, &m->async, on_async) != 0) {
        uv_mutex_destroy(&m->lock);
        mem_free(m);
        return ERR_SYSTEM;
    }
    m->async.data = m;
    list_init(&m->posted);
    list_init(&m->inbox);
    atomic_init(&m->refs, 1);
    m->cb = cb;
    m->arg = arg;
    *out = m;
    return 0;
}

int mailbox_post(struct mailbox *m, struct mail *mail)
{
    assert(mail->free);
    uv_mutex_lock(&m->lock);
    bool closed = m->closed;
    if (!closed) {
        bool first = list_empty(&m->posted);
        list_push(&m->posted, &mail->node);
        if (first)
            uv_async_send(&m->async);
    }
    uv_mutex_unlock(&m->lock);
    return closed ? ERR_CLOSED : 0;
}

static void on_closed(uv_handle_t *h)
{
    struct mailbox *m = h->data;
    mailbox_closed_cb cb = m->closed_cb;
    void *arg = m->closed_arg;
    mailbox_unref(m);
    if (cb)
        cb(arg);
}

void mailbox_close(struct mailbox *m, mailbox_closed_cb cb, void *arg)
{
    uv_mutex_lock(&m->lock);
    assert(!m->closed);
    m->closed = true;
    list_splice(&m->inbox, &m->posted);
    uv_mutex_unlock(&m->lock);
    m->closed_cb = cb;
    m->closed_arg = arg;
    uv_close((uv_handle_t *)&m->async, on_closed);
    struct list *node;
    while ((node = list_pop(&m->inbox)) != NULL) {
        struct mail *mail = container_of(node, struct mail, node);
        mail->free(mail);
    }
}

struct mailbox *mailbox_ref(struct mailbox *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void mailbox_unref(struct mailbox *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
        return;
    uv_mutex_destroy(&m->lock);
    mem_free(m);
}

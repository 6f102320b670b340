/*
 * tx: bytes from the local side into libssh2, which makes packets of them at once.
 *
 * While keys are exchanged libssh2 takes none. What was committed by then is kept and comes first, with the
 * same bytes, as libssh2 demands; nobody is given room until it is gone.
 */
#include <string.h>

#include "base/mem.h"
#include "l2.h"

/* Each loop has its thread; the room is valid until the next call into the connection. */
static _Thread_local uint8_t scratch[SSH_TX_MAX];

bool l2_tx_reserve(struct ssh_echan *ec, uv_buf_t *room)
{
    struct l2_chan *c = (struct l2_chan *)ec;
    struct l2 *e = l2_of(ec->engine);
    if (c->state != L2_OPEN || c->eof_wanted || c->kept || e->stalled)
        return false;
    unsigned long window = libssh2_channel_window_write_ex(c->channel, NULL);
    if (window == 0)
        return false;
    *room =
        uv_buf_init((char *)scratch, window < sizeof scratch ? (unsigned)window : (unsigned)sizeof scratch);
    return true;
}

/* How much of it libssh2 took. */
static ssize_t push(struct l2_chan *c, const uint8_t *data, size_t n, struct err *err)
{
    struct l2 *e = l2_of(c->base.engine);
    size_t done = 0;
    while (done < n) {
        ssize_t rc = libssh2_channel_write_ex(c->channel, 0, (const char *)data + done, n - done);
        if (rc == LIBSSH2_ERROR_EAGAIN || rc == 0)
            break;
        if (rc < 0)
            return l2_error(e, (int)rc, "sending", err);
        done += (size_t)rc;
    }
    return (ssize_t)done;
}

static void later(struct l2_chan *c)
{
    struct l2 *e = l2_of(c->base.engine);
    if (list_empty(&c->unsent))
        list_push(&e->unsent, &c->unsent);
}

int l2_tx_commit(struct ssh_echan *ec, size_t n, struct err *err)
{
    struct l2_chan *c = (struct l2_chan *)ec;
    struct l2 *e = l2_of(ec->engine);
    ssize_t done = push(c, scratch, n, err);
    if (done < 0)
        return (int)done;
    if ((size_t)done == n)
        return 0;
    c->kept = mem_alloc(n - (size_t)done);
    if (!c->kept)
        return err_set(err, ERR_NOMEM, "out of memory");
    c->kept_len = n - (size_t)done;
    c->kept_done = 0;
    memcpy(c->kept, scratch + done, c->kept_len);
    e->stalled = true;
    later(c);
    return 0;
}

void l2_tx_eof(struct ssh_echan *ec)
{
    struct l2_chan *c = (struct l2_chan *)ec;
    c->eof_wanted = true;
    later(c);
    ec->engine->up->soon(ec->engine->conn);
}

int l2_tx_flush(struct l2_chan *c, struct err *err)
{
    struct l2 *e = l2_of(c->base.engine);
    if (c->kept) {
        ssize_t done = push(c, c->kept + c->kept_done, c->kept_len - c->kept_done, err);
        if (done < 0)
            return (int)done;
        c->kept_done += (size_t)done;
        if (c->kept_done < c->kept_len)
            return 0;
        mem_free(c->kept);
        c->kept = NULL;
    }
    if (c->eof_wanted && c->state == L2_OPEN) {
        int rc = libssh2_channel_send_eof(c->channel);
        if (rc == LIBSSH2_ERROR_EAGAIN)
            return 0;
        if (rc < 0)
            return l2_error(e, rc, "sending", err);
    }
    return 1;
}

int l2_tx_run(struct l2 *e, struct err *err)
{
    struct list again;
    struct list *node;
    bool stuck = false;
    list_init(&again);
    while ((node = list_pop(&e->unsent)) != NULL) {
        struct l2_chan *c = container_of(node, struct l2_chan, unsent);
        bool early = c->state < L2_OPEN; /* an eof before the channel is there */
        int rc = early ? 0 : l2_tx_flush(c, err);
        if (rc < 0) {
            list_push(&e->unsent, node);
            list_splice(&e->unsent, &again);
            return rc;
        }
        if (rc == 0)
            list_push(&again, node);
        stuck |= c->kept != NULL;
    }
    list_splice(&e->unsent, &again);
    e->stalled = stuck;
    return 0;
}

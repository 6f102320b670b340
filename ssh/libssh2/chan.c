/*
 * chan: what comes in on the channels, and their end.
 *
 * libssh2 sorts nothing: packets wait in one list, and reading a channel walks it. So all input is taken in
 * once, and then channels are read, in a good order, until memory.c knows that none of it is left in the
 * list. A channel is read while less than one read's size of it is unconsumed, in a round with the others;
 * libssh2 then lets the peer send as much again.
 */
#include <string.h>

#include "base/mem.h"
#include "l2.h"

#define NO_STREAM 0x61646974 /* an extended stream that nobody sends */

static _Thread_local char scratch[SSH_RX_READ];

void l2_chan_free(struct l2_chan *c)
{
    struct l2 *e = l2_of(c->base.engine);
    list_remove(&c->node);
    list_remove(&c->hungry);
    list_remove(&c->unsent);
    mem_free(c->message);
    mem_free(c->kept);
    mem_free(c);
    e->chan_count--;
}

void l2_chan_begin_close(struct l2_chan *c)
{
    struct l2 *e = l2_of(c->base.engine);
    c->base.owner = NULL;
    c->state = L2_CLOSING;
    list_remove(&c->hungry);
    if (!c->kept)
        list_remove(&c->unsent);
    list_move(&e->closing, &c->node);
    e->base.up->soon(e->base.conn);
}

void l2_chan_close(struct ssh_echan *ec)
{
    struct l2_chan *c = (struct l2_chan *)ec;
    switch (c->state) {
    case L2_WAITING:
        l2_chan_free(c);
        return;
    case L2_OPENING: /* libssh2 must have its answer first */
        c->base.owner = NULL;
        return;
    default:
        l2_chan_begin_close(c);
    }
}

void l2_chan_consume(struct ssh_echan *ec, size_t n)
{
    struct l2_chan *c = (struct l2_chan *)ec;
    struct l2 *e = l2_of(ec->engine);
    bool was_full = c->uncredited >= SSH_RX_READ;
    c->uncredited -= n < c->uncredited ? n : c->uncredited;
    if (was_full && c->uncredited < SSH_RX_READ && c->state == L2_OPEN) {
        if (list_empty(&c->hungry))
            list_push(&e->hungry, &c->hungry);
        ec->engine->up->soon(ec->engine->conn);
    }
}

int l2_pump(struct l2 *e, struct err *err)
{
    struct list *node = list_first(&e->chans);
    if (!node)
        node = list_first(&e->closing);
    if (!node) {
        if (l2_has_input(e) && !e->opening &&
            !e->ping_opening) /* no other call of libssh2 would take it in */
            e->ping_wanted = true;
        return 0;
    }
    struct l2_chan *c = container_of(node, struct l2_chan, node);
    /* Always the same size: libssh2 counts a window adjustment that it could not send at once by the size of
     * the next read. */
    ssize_t rc = libssh2_channel_read_ex(c->channel, NO_STREAM, scratch, sizeof scratch);
    if (rc < 0 && rc != LIBSSH2_ERROR_EAGAIN)
        return l2_error(e, (int)rc, "receiving", err);
    return l2_check_host_key(e, err);
}

/* The peer's eof and close; only when nothing is left to read. */
static void look_for_end(struct l2 *e, struct l2_chan *c)
{
    if (!c->eof_seen) {
        if (libssh2_channel_eof(c->channel) != 1)
            return;
        c->eof_seen = true;
        e->base.up->eof(c->base.owner);
    }
    if (c->state != L2_OPEN || libssh2_channel_wait_closed(c->channel) != 0)
        return;
    struct ssh_chan *owner = c->base.owner;
    l2_chan_begin_close(c);
    e->base.up->closed(owner, NULL);
}

static int read_chan(struct l2 *e, struct l2_chan *c, bool *had, struct err *err)
{
    if (c->uncredited >= SSH_RX_READ)
        return 0; /* consuming puts it on the hungry list */
    ssize_t n = libssh2_channel_read_ex(c->channel, 0, scratch, sizeof scratch);
    if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
        return l2_error(e, (int)n, "receiving", err);
    if (n > 0) {
        uv_buf_t buf = uv_buf_init(scratch, (unsigned)n);
        *had = true;
        c->uncredited += (size_t)n; /* a full read ends it until some is consumed */
        e->base.up->data(c->base.owner, &buf, 1);
        if (c->state != L2_OPEN)
            return 0;
        if ((size_t)n == sizeof scratch)
            return 0;
    }
    look_for_end(e, c);
    return 0;
}

static int exec_step(struct l2 *e, struct l2_chan *c, struct err *err)
{
    e->receiving = false; /* all input is taken in; what it allocates is its own */
    int rc = libssh2_channel_process_startup(c->channel, "exec", 4, c->command, (unsigned)strlen(c->command));
    e->receiving = true;
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (rc == 0) {
        c->state = L2_OPEN;
        list_push(&e->hungry, &c->hungry); /* its output may be here already */
        e->base.up->opened(c->base.owner);
        return 0;
    }
    if (rc != LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED && rc != LIBSSH2_ERROR_TIMEOUT)
        return l2_error(e, rc, "running a command", err);
    struct ssh_chan *owner = c->base.owner;
    struct err why;
    err_set(&why, ERR_REFUSED, "the server does not run commands");
    l2_chan_begin_close(c);
    e->base.up->closed(owner, &why);
    return 0;
}

/* Every channel once; those that had data lately come first, so that the search ends early when only they
 * have some. Callbacks may close any of them, which moves it off whichever list it is on. */
static int visit_all(struct l2 *e, struct err *err)
{
    struct list work, hot;
    struct list *node;
    int rc = 0;
    list_init(&work);
    list_init(&hot);
    list_splice(&work, &e->chans);
    while (rc == 0 && (node = list_pop(&work)) != NULL) {
        struct l2_chan *c = container_of(node, struct l2_chan, node);
        bool had = false;
        list_push(&e->chans, node);
        if (c->state == L2_EXEC)
            rc = exec_step(e, c, err);
        else if (!l2_nothing_queued(e))
            rc = read_chan(e, c, &had, err);
        else if (c->uncredited < SSH_RX_READ)
            look_for_end(e, c);
        if (had && c->state == L2_OPEN)
            list_move(&hot, node);
    }
    list_splice(&hot, &e->chans);
    list_splice(&hot, &work);
    list_splice(&e->chans, &hot);
    return rc;
}

static int visit_hungry(struct l2 *e, struct err *err)
{
    struct list work;
    struct list *node;
    int rc = 0;
    list_init(&work);
    list_splice(&work, &e->hungry);
    while (rc == 0 && (node = list_pop(&work)) != NULL) {
        struct l2_chan *c = container_of(node, struct l2_chan, hungry);
        bool had;
        if (c->state == L2_OPEN)
            rc = read_chan(e, c, &had, err);
    }
    list_splice(&e->hungry, &work);
    if (!list_empty(&e->hungry))
        e->base.up->soon(e->base.conn);
    return rc;
}

static int visit_closing(struct l2 *e, struct err *err)
{
    struct list work;
    struct list *node;
    list_init(&work);
    list_splice(&work, &e->closing);
    while ((node = list_pop(&work)) != NULL) {
        struct l2_chan *c = container_of(node, struct l2_chan, node);
        list_push(&e->closing, node);
        int rc = c->kept ? l2_tx_flush(c, err) : 1;
        if (rc < 0) {
            list_splice(&e->closing, &work);
            return rc;
        }
        if (rc > 0 && libssh2_channel_free(c->channel) != LIBSSH2_ERROR_EAGAIN)
            l2_chan_free(c);
    }
    return 0;
}

int l2_chan_run(struct l2 *e, struct err *err)
{
    int rc = l2_pump(e, err);
    if (rc == 0)
        rc = visit_all(e, err);
    if (rc == 0)
        rc = visit_hungry(e, err);
    if (rc == 0)
        rc = visit_closing(e, err);
    return rc;
}

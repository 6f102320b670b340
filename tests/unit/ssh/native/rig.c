/*
 * rig: the native engine between a connection that writes down what it is told and the far end.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int rig_fail(struct rig *r, const struct err *err)
{
    MUST(err->code < 0 && err->msg[0]);
    if (!r->failed)
        r->err = *err;
    r->failed = true;
    return r->err.code;
}

/* Only what the engine allocates may fail, not what the far end does. */
static long begin_call(struct rig *r)
{
    mem_fail_after(r->may_allocate);
    r->inside = true;
    return mem_allocations();
}

static void end_call(struct rig *r, long before)
{
    long used = mem_allocations() - before;
    r->inside = false;
    mem_fail_after(-1);
    if (r->may_allocate >= 0)
        r->may_allocate = used > r->may_allocate ? -1 : r->may_allocate - used;
}

void rig_init(struct rig *r, const struct far_options *o)
{
    struct rig fresh = {.piece = r->piece, .on = r->on, .arg = r->arg, .may_allocate = r->may_allocate};
    *r = fresh;
    far_init(&r->far, o);
}

int rig_start(struct rig *r)
{
    struct ssh_engine_config config = {.user = "u", .host_key_algs = ""};
    struct err err;
    long before = begin_call(r);
    int rc = ssh_engine_native.create(&r->e, &config, &rig_events, r, &err);
    if (rc == 0)
        rc = r->e->ops->start(r->e, &err);
    end_call(r, before);
    far_start(&r->far);
    return rc < 0 ? rig_fail(r, &err) : rig_run(r);
}

void rig_done(struct rig *r)
{
    if (r->e)
        r->e->ops->free(r->e);
    free(r->out);
    far_done(&r->far);
}

int rig_feed(struct rig *r, const void *data, size_t n)
{
    struct err err;
    const uint8_t *p = data;
    while (n > 0 && !r->failed) {
        size_t part = r->piece > 0 && r->piece < n ? r->piece : n;
        uint8_t *exact = malloc(part); /* the sanitizer sees a byte too far */
        MUST(exact);
        memcpy(exact, p, part);
        long before = begin_call(r);
        int rc = r->e->ops->feed(r->e, exact, part, &err);
        end_call(r, before);
        free(exact);
        if (rc < 0)
            return rig_fail(r, &err);
        p += part;
        n -= part;
    }
    return r->failed ? r->err.code : 0;
}

static int step(struct rig *r)
{
    struct err err;
    r->soon = false;
    long before = begin_call(r);
    int rc = r->e->ops->step(r->e, &err);
    end_call(r, before);
    return rc < 0 ? rig_fail(r, &err) : 0;
}

int rig_run(struct rig *r)
{
    while (!r->failed && (r->far.out.len > 0 || r->soon || r->out_len > 0)) {
        struct wire_writer out = r->far.out;
        wire_write_init(&r->far.out);
        (void)rig_feed(r, out.data, out.len);
        wire_write_done(&out);
        if (!r->failed && r->soon)
            (void)step(r);
        far_take(&r->far, r->out, r->out_len);
        r->out_len = 0;
        MUST(far_run(&r->far) == 0);
    }
    return r->failed ? r->err.code : 0;
}

int rig_up(struct rig *r)
{
    struct err err;
    if (rig_start(r) < 0)
        return r->err.code;
    long before = begin_call(r);
    int rc = r->e->ops->auth_none(r->e, &err);
    end_call(r, before);
    return rc < 0 ? rig_fail(r, &err) : rig_run(r);
}

/* ---- channels ---- */

struct ssh_chan *rig_open(struct rig *r)
{
    static const struct ssh_open_req req = {
        .type = "direct-tcpip", .message = (const uint8_t *)"x", .message_len = 1};
    struct err err;
    if (r->chan_count == RIG_CHANS || r->failed)
        return NULL;
    struct ssh_chan *ch = &r->chans[r->chan_count];
    ch->rig = r;
    int rc = r->e->ops->open(r->e, &req, ch, &ch->ec, &err);
    if (rc < 0) {
        (void)rig_fail(r, &err);
        return NULL;
    }
    r->chan_count++;
    return ch;
}

void rig_accept(struct ssh_chan *ch)
{
    struct err err;
    if (!ch->incoming || ch->closed || ch->let_go)
        return;
    ch->incoming = false;
    ch->opened = true;
    if (ch->rig->e->ops->accept(ch->ec, &err) < 0)
        (void)rig_fail(ch->rig, &err);
}

int rig_request(struct rig *r)
{
    static const struct ssh_request req = {
        .name = "tcpip-forward", .message = (const uint8_t *)"x", .message_len = 1};
    struct ssh_request mine = req;
    struct err err;
    mine.owner = r;
    int rc = r->e->ops->request(r->e, &mine, &err);
    return rc < 0 ? rig_fail(r, &err) : 0;
}

void rig_let_go(struct ssh_chan *ch)
{
    if (ch->closed || ch->let_go)
        return;
    ch->let_go = true;
    if (ch->incoming)
        ch->rig->e->ops->refuse(ch->ec, SSH_REFUSED_CONNECT, "not now");
    else
        ch->rig->e->ops->close(ch->ec);
    ch->ec = NULL;
}

void rig_consume(struct ssh_chan *ch, size_t n)
{
    n = n < ch->held ? n : ch->held;
    ch->held -= n;
    if (n > 0 && !ch->closed && !ch->let_go)
        ch->rig->e->ops->rx_consume(ch->ec, n);
}

size_t rig_commit(struct ssh_chan *ch, size_t most)
{
    struct err err;
    uv_buf_t room;
    if (ch->closed || ch->let_go || ch->eof_sent || !ch->rig->e->ops->tx_reserve(ch->ec, &room))
        return 0;
    size_t n = most < room.len ? most : room.len;
    memset(room.base, 'd', n);
    if (n > 0 && ch->rig->e->ops->tx_commit(ch->ec, n, &err) < 0)
        (void)rig_fail(ch->rig, &err);
    return n;
}

struct native *rig_native(struct rig *r)
{
    return native_of(r->e);
}

/*
 * rx: data from the server to the channels, and the window that lets it come.
 *
 * Packets of one channel that come together are told together. The window is what the reader's side has room
 * for: it is opened again only for what was consumed. It begins at SSH_RX_WINDOW, and on a long link, while
 * the reader keeps up, it follows twice the product of the rate and the shortest round trip seen (RFC 7323
 * §1.1 on why). On a short one that product is small, and so nothing but a queue would grow. A reader that
 * falls behind is let have the first size only. What all grown windows of a thread promise together has a
 * limit.
 */
#include "native.h"

#define GROWN_MAX (96u << 20) /* of a thread's windows, beyond SSH_RX_WINDOW each */
#define RATE_NS 20000000      /* the rate is that of the last 20 ms or two round trips */
#define ADJUST_PARTS 8        /* the window is opened again by at least an eighth of it */

static _Thread_local size_t grown;

/* What was promised counts until it came and was consumed, also when the target is lower by then. */
static void count_grown(struct native_chan *c)
{
    size_t promised = c->rx_window + c->uncredited;
    size_t beyond = (promised > c->rx_target ? promised : c->rx_target) - SSH_RX_WINDOW;
    grown = grown - c->rx_grown + beyond;
    c->rx_grown = beyond;
}

static void set_target(struct native_chan *c, uint32_t target)
{
    c->rx_target = target;
    count_grown(c);
}

void rx_release(struct native_chan *c)
{
    grown -= c->rx_grown;
    c->rx_grown = 0;
}

/* len bytes more were consumed. */
static void follow_rate(struct native_chan *c, size_t len)
{
    const struct native *n = native_of(c->base.engine);
    uint64_t now = uv_hrtime(), took = now - c->rate_from;
    c->rate_bytes += len;
    if (took < RATE_NS || took < 2 * n->rtt_ns)
        return;
    double want = 2.0 * (double)c->rate_bytes * (double)n->rtt_ns / (double)took;
    c->rate_from = now;
    c->rate_bytes = 0;
    uint32_t next = 2 * c->rx_target < SSH_RX_WINDOW_MAX ? 2 * c->rx_target : SSH_RX_WINDOW_MAX;
    if (want < next)
        next = (uint32_t)want;
    if (next > c->rx_target && c->uncredited < SSH_RX_WINDOW / 4 &&
        grown + (next - c->rx_target) <= GROWN_MAX)
        set_target(c, next);
}

static void reopen(struct native_chan *c)
{
    struct native *n = native_of(c->base.engine);
    struct wire_writer w;
    struct err err;
    size_t promised = c->rx_window + c->uncredited;
    if (promised >= c->rx_target || c->rx_target - promised < c->rx_target / ADJUST_PARTS || c->close_sent ||
        c->eof_got)
        return;
    uint32_t more = (uint32_t)(c->rx_target - promised);
    wire_write_init(&w);
    wire_put_u8(&w, MSG_CHANNEL_WINDOW_ADJUST);
    wire_put_u32(&w, c->peer_id);
    wire_put_u32(&w, more);
    if (native_send(n, &w, &err) < 0)
        native_fatal(n, &err);
    else
        c->rx_window += more;
    wire_write_done(&w);
}

void native_rx_consume(struct ssh_echan *ec, size_t len)
{
    struct native_chan *c = (struct native_chan *)ec;
    c->uncredited -= len < c->uncredited ? len : c->uncredited;
    count_grown(c);
    follow_rate(c, len);
    reopen(c);
}

void rx_tell(struct native *n)
{
    struct rx_batch b = n->batch;
    n->batch.chan = NULL;
    n->batch.count = 0;
    n->batch.bytes = 0;
    if (!b.chan)
        return;
    if (b.chan->base.owner)
        n->base.up->data(b.chan->base.owner, b.bufs, b.count);
    else
        native_rx_consume(&b.chan->base, b.bytes);
}

int rx_data(struct native *n, struct wire_reader *r, bool extended, struct err *err)
{
    struct native_chan *c = chan_find(n, wire_get_u32(r));
    if (extended)
        (void)wire_get_u32(r);
    struct wire_str data = wire_get_str(r);
    if (!wire_end(r) || !c || c->state == NATIVE_OPENING || c->eof_got)
        return native_wrong("data for a channel that takes none", err);
    if (data.len > NATIVE_DATA_MAX)
        return native_wrong("more data in a packet than a channel takes", err);
    if (data.len > c->rx_window)
        return native_wrong("more data than a channel's window has room for", err);
    c->rx_window -= (uint32_t)data.len;
    c->uncredited += data.len;
    if (c->uncredited > SSH_RX_WINDOW / 2)
        set_target(c, SSH_RX_WINDOW);
    if (extended || c->state != NATIVE_OPEN || !c->base.owner) { /* nobody reads it */
        native_rx_consume(&c->base, data.len);
        return 0;
    }
    struct rx_batch *b = &n->batch;
    if (b->chan && (b->chan != c || b->count == NATIVE_BATCH || b->bytes + data.len > SSH_RX_READ))
        rx_tell(n);
    if (data.len == 0)
        return 0;
    b->chan = c;
    b->bufs[b->count++] = uv_buf_init((char *)data.data, (unsigned)data.len);
    b->bytes += data.len;
    return 0;
}

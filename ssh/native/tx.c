/*
 * tx: data from the local side to the server.
 *
 * The room that is offered has space before it for a packet's head. A commit is cut into packets where it
 * lies: each takes the bytes before it, which are encrypted by then, for its head, and borrows those behind
 * it for its padding.
 */
#include <string.h>

#include "native.h"

#define HEAD (1 + 1 + 4 + 4) /* padding length, type, channel, length */

/* Each loop has its thread; the room is valid until the next call into the connection. */
static _Thread_local uint8_t scratch[HEAD + SSH_TX_MAX + NATIVE_PADDING_MAX];

bool native_tx_reserve(struct ssh_echan *ec, uv_buf_t *room)
{
    struct native_chan *c = (struct native_chan *)ec;
    if (c->state != NATIVE_OPEN || c->tx_window == 0 || !native_may_send(native_of(ec->engine)))
        return false;
    *room = uv_buf_init((char *)scratch + HEAD, c->tx_window < SSH_TX_MAX ? c->tx_window : SSH_TX_MAX);
    return true;
}

static void put_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static int send_packet(struct native_chan *c, uint8_t *data, uint32_t len, struct err *err)
{
    uint8_t next[NATIVE_PADDING_MAX], *body = data - HEAD;
    memcpy(next, data + len, sizeof next);
    body[1] = MSG_CHANNEL_DATA;
    put_u32(body + 2, c->peer_id);
    put_u32(body + 6, len);
    int rc = native_send_body(native_of(c->base.engine), body, HEAD - 1 + len, err);
    memcpy(data + len, next, sizeof next);
    return rc;
}

int native_tx_commit(struct ssh_echan *ec, size_t len, struct err *err)
{
    struct native_chan *c = (struct native_chan *)ec;
    uint32_t most = c->tx_packet < NATIVE_DATA_MAX ? c->tx_packet : NATIVE_DATA_MAX;
    uint8_t *p = scratch + HEAD;
    int rc = 0;
    c->tx_window -= (uint32_t)len;
    while (rc == 0 && len > 0) {
        uint32_t part = len < most ? (uint32_t)len : most;
        rc = send_packet(c, p, part, err);
        p += part;
        len -= part;
    }
    return rc;
}

int tx_adjust(struct native_chan *c, struct wire_reader *r, struct err *err)
{
    uint32_t more = wire_get_u32(r);
    if (!wire_end(r) || c->state == NATIVE_OPENING || more > UINT32_MAX - c->tx_window)
        return native_wrong("a window that makes no sense", err);
    c->tx_window += more;
    return 0;
}

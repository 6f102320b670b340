/*
 * incoming: channels that the server opens (RFC 4254 §5.1, §7.2), which is for others to allow.
 *
 * One that is not accepted yet has its number here, though the server does not know it: whatever it sends to
 * that number is a mistake.
 */
#include "native.h"

static int send_refusal(struct native *n, uint32_t peer_id, enum ssh_refusal code, const char *why,
                        struct err *err)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_CHANNEL_OPEN_FAILURE);
    wire_put_u32(&w, peer_id);
    wire_put_u32(&w, code);
    wire_put_cstr(&w, why);
    wire_put_cstr(&w, "");
    int rc = native_send(n, &w, err);
    wire_write_done(&w);
    return rc;
}

int incoming_open(struct native *n, struct wire_reader *r, struct err *err)
{
    struct err why;
    struct wire_str type = wire_get_str(r);
    uint32_t peer_id = wire_get_u32(r), window = wire_get_u32(r), packet = wire_get_u32(r);
    if (!wire_ok(r) || packet == 0)
        return native_wrong("a malformed request for a channel", err);
    struct native_chan *c = chan_new(n, &why);
    if (!c)
        return send_refusal(n, peer_id, SSH_REFUSED_SHORTAGE, why.msg, err);
    c->incoming = true;
    c->peer_id = peer_id;
    c->tx_window = window;
    c->tx_packet = packet;
    struct ssh_incoming in = {.chan = &c->base,
                              .type = type.data,
                              .type_len = type.len,
                              .message = r->p,
                              .message_len = (size_t)(r->end - r->p)};
    n->base.up->incoming(n->base.conn, &in);
    return 0;
}

int native_accept(struct ssh_echan *ec, struct err *err)
{
    struct native_chan *c = (struct native_chan *)ec;
    struct wire_writer w;
    c->incoming = false;
    c->state = NATIVE_OPEN;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_CHANNEL_OPEN_CONFIRMATION);
    wire_put_u32(&w, c->peer_id);
    wire_put_u32(&w, c->id);
    wire_put_u32(&w, c->rx_window);
    wire_put_u32(&w, NATIVE_DATA_MAX);
    int rc = native_send(native_of(ec->engine), &w, err);
    wire_write_done(&w);
    return rc == 0 && c->eof_wanted ? chan_send_bare(c, MSG_CHANNEL_EOF, err) : rc;
}

void native_refuse(struct ssh_echan *ec, enum ssh_refusal code, const char *why)
{
    struct native_chan *c = (struct native_chan *)ec;
    struct native *n = native_of(ec->engine);
    struct err err;
    if (send_refusal(n, c->peer_id, code, why, &err) < 0)
        native_fatal(n, &err);
    chan_free(n, c);
}

/*
 * dispatch: which part of the engine a message is for, and which messages may come when.
 */
#include <stdio.h>
#include <string.h>

#include "../text.h"
#include "native.h"

static int disconnected(struct native *n, struct wire_reader *r, struct err *err)
{
    char clean[256];
    uint32_t code = wire_get_u32(r);
    struct wire_str text = wire_get_str(r);
    if (!wire_ok(r))
        return native_wrong("a malformed goodbye", err);
    ssh_text_clean(clean, sizeof clean, text.data, text.len);
    if (!*clean)
        snprintf(clean, sizeof clean, "it gave no reason (code %u)", code);
    if (n->phase == NATIVE_AUTH && n->login.refused) /* no server that restarts: trying again will not help */
        return err_set(err, ERR_AUTH, "the server ended the login: %s", clean);
    return err_set(err, ERR_CLOSED, "the server ended the connection: %s", clean);
}

static int unknown(struct native *n, struct err *err)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_UNIMPLEMENTED);
    wire_put_u32(&w, n->in.seq - 1);
    int rc = native_send(n, &w, err);
    wire_write_done(&w);
    return rc;
}

/* RFC 4253 §11; 0 when it is none of these. 1: done with. */
static int transport(struct native *n, uint8_t type, struct wire_reader *r, struct err *err)
{
    switch (type) {
    case MSG_DISCONNECT:
        return disconnected(n, r, err);
    case MSG_IGNORE:
    case MSG_UNIMPLEMENTED:
        return 1;
    case MSG_DEBUG:
        global_said(n, r);
        return 1;
    case MSG_EXT_INFO:
        if (n->phase < NATIVE_SERVICE) /* anybody on the way could have said it */
            return native_wrong("extensions before the keys are agreed", err);
        auth_ext_info(n, r);
        return wire_ok(r) ? 1 : native_wrong("a malformed list of extensions", err);
    case MSG_SERVICE_ACCEPT:
        if (n->phase != NATIVE_SERVICE)
            return native_wrong("a service that nobody asked for", err);
        n->phase = NATIVE_AUTH;
        n->base.up->ready(n->base.conn);
        return 1;
    default:
        return 0;
    }
}

int native_dispatch(struct native *n, uint8_t *payload, size_t len, struct err *err)
{
    struct wire_reader r;
    wire_read_init(&r, payload, len);
    uint8_t type = wire_get_u8(&r);
    if (len == 0)
        return native_wrong("an empty message", err);
    if (n->phase == NATIVE_UP && type == MSG_CHANNEL_DATA)
        return rx_data(n, &r, false, err);
    rx_tell(n); /* what came before it is told before it */

    bool of_exchange = type >= MSG_KEXINIT && type < MSG_USERAUTH_REQUEST;
    /* Strict key exchange: in the first one nothing else may be slipped in. */
    if (n->phase == NATIVE_KEYS && !of_exchange && type != MSG_DISCONNECT && n->kex.strict)
        return native_wrong("another message within the first key exchange", err);
    if (of_exchange)
        return kex_message(n, type, payload, len, err);
    int rc = transport(n, type, &r, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (n->phase < NATIVE_AUTH)
        return native_wrong("a message before the keys are agreed", err);
    if (type >= MSG_USERAUTH_REQUEST && type < MSG_GLOBAL_REQUEST)
        return n->phase == NATIVE_AUTH ? auth_message(n, type, &r, err) : 0;
    if (n->phase != NATIVE_UP)
        return native_wrong("a message before the login", err);
    if (type >= MSG_GLOBAL_REQUEST && type <= MSG_REQUEST_FAILURE)
        return global_message(n, type, &r, err);
    if (type >= MSG_CHANNEL_OPEN && type <= MSG_CHANNEL_FAILURE)
        return chan_message(n, type, &r, err);
    return unknown(n, err);
}

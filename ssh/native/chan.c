/*
 * chan: channels opened and ended (RFC 4254 §5; OpenSSH's direct-streamlocal).
 *
 * Any number may be opening at once; the server's answers find theirs by number. One that is let go while it
 * opens is completed and then closed, so that its number means nothing else meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include "../text.h"
#include "base/mem.h"
#include "native.h"

#define CHANS_FIRST 16

struct native_chan *chan_find(struct native *n, uint32_t id)
{
    return id < n->chan_cap ? n->chans[id] : NULL;
}

void chan_free(struct native *n, struct native_chan *c)
{
    rx_release(c);
    n->chans[c->id] = NULL;
    if (c->id < n->free_hint)
        n->free_hint = c->id;
    n->chan_count--;
    list_remove(&c->node);
    mem_free(c);
}

void native_fatal(struct native *n, const struct err *err)
{
    n->base.up->fatal(n->base.conn, err);
}

static int number(struct native *n, struct native_chan *c)
{
    uint32_t id = n->free_hint;
    while (id < n->chan_cap && n->chans[id])
        id++;
    if (id == n->chan_cap) {
        uint32_t cap = n->chan_cap ? 2 * n->chan_cap : CHANS_FIRST;
        struct native_chan **bigger = mem_realloc(n->chans, cap * sizeof(struct native_chan *));
        if (!bigger)
            return ERR_NOMEM;
        memset(bigger + n->chan_cap, 0, (cap - n->chan_cap) * sizeof(struct native_chan *));
        n->chans = bigger;
        n->chan_cap = cap;
    }
    n->chans[id] = c;
    n->free_hint = id + 1;
    c->id = id;
    return 0;
}

struct native_chan *chan_new(struct native *n, struct err *err)
{
    if (n->chan_count >= NATIVE_CHANNELS_MAX) {
        err_set(err, ERR_LIMIT, "too many channels of the SSH connection are still being closed");
        return NULL;
    }
    struct native_chan *c = mem_zalloc(sizeof *c);
    if (!c || number(n, c) < 0) {
        mem_free(c);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    n->chan_count++;
    c->base.engine = &n->base;
    c->rx_window = c->rx_target = SSH_RX_WINDOW;
    list_init(&c->node);
    list_push(&n->open_order, &c->node);
    return c;
}

int native_open(struct ssh_engine *e, const struct ssh_open_req *req, struct ssh_chan *owner,
                struct ssh_echan **out, struct err *err)
{
    struct native *n = native_of(e);
    struct wire_writer w;
    struct err why;
    struct native_chan *c = chan_new(n, &why);
    if (!c)
        return err_copy(err, &why, ERR_NOMEM);
    c->base.owner = owner;
    c->command = req->command;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_CHANNEL_OPEN);
    wire_put_cstr(&w, req->type);
    wire_put_u32(&w, c->id);
    wire_put_u32(&w, c->rx_window);
    wire_put_u32(&w, NATIVE_DATA_MAX);
    wire_put_bytes(&w, req->message, req->message_len);
    int rc = native_send(n, &w, err);
    wire_write_done(&w);
    if (rc < 0)
        chan_free(n, c);
    else
        *out = &c->base;
    return rc;
}

int chan_send_bare(struct native_chan *c, uint8_t type, struct err *err)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, type);
    wire_put_u32(&w, c->peer_id);
    int rc = native_send(native_of(c->base.engine), &w, err);
    wire_write_done(&w);
    return rc;
}

static int send_close(struct native_chan *c, struct err *err)
{
    c->state = NATIVE_CLOSING;
    if (c->close_sent)
        return 0;
    c->close_sent = true;
    return chan_send_bare(c, MSG_CHANNEL_CLOSE, err);
}

void native_eof(struct ssh_echan *ec)
{
    struct native_chan *c = (struct native_chan *)ec;
    struct err err;
    if (c->state == NATIVE_OPENING)
        c->eof_wanted = true;
    else if (c->state < NATIVE_CLOSING && chan_send_bare(c, MSG_CHANNEL_EOF, &err) < 0)
        native_fatal(native_of(ec->engine), &err);
}

void native_close(struct ssh_echan *ec)
{
    struct native_chan *c = (struct native_chan *)ec;
    struct err err;
    ec->owner = NULL;
    if (c->state != NATIVE_OPENING && send_close(c, &err) < 0)
        native_fatal(native_of(ec->engine), &err);
}

/* ---- from the server ---- */

static int run_command(struct native_chan *c, struct err *err)
{
    struct wire_writer w;
    c->state = NATIVE_COMMAND;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_CHANNEL_REQUEST);
    wire_put_u32(&w, c->peer_id);
    wire_put_cstr(&w, "exec");
    wire_put_bool(&w, true);
    wire_put_cstr(&w, c->command);
    int rc = native_send(native_of(c->base.engine), &w, err);
    wire_write_done(&w);
    return rc;
}

static int opened(struct native *n, struct native_chan *c, struct err *err)
{
    c->state = NATIVE_OPEN;
    n->base.up->opened(c->base.owner);
    if (c->eof_wanted && c->state == NATIVE_OPEN)
        return chan_send_bare(c, MSG_CHANNEL_EOF, err);
    return 0;
}

static int on_confirmation(struct native *n, struct native_chan *c, struct wire_reader *r, struct err *err)
{
    c->peer_id = wire_get_u32(r);
    c->tx_window = wire_get_u32(r);
    c->tx_packet = wire_get_u32(r);
    if (!wire_ok(r) || c->state != NATIVE_OPENING || c->incoming || c->tx_packet == 0)
        return native_wrong("a malformed confirmation of a channel", err);
    if (!c->base.owner)
        return send_close(c, err);
    return c->command ? run_command(c, err) : opened(n, c, err);
}

/* RFC 4254 §5.1 */
static int on_failure(struct native *n, struct native_chan *c, struct wire_reader *r, struct err *err)
{
    static const char *const codes[] = {NULL, "administratively prohibited", NULL, "unknown channel type",
                                        "resource shortage"};
    struct err why;
    char clean[160];
    uint32_t code = wire_get_u32(r);
    struct wire_str text = wire_get_str(r);
    if (!wire_ok(r) || c->state != NATIVE_OPENING || c->incoming)
        return native_wrong("a malformed refusal of a channel", err);
    ssh_text_clean(clean, sizeof clean, text.data, text.len);
    const char *kind = code < sizeof codes / sizeof *codes ? codes[code] : NULL;
    if (!kind)
        err_set(&why, ERR_REFUSED, "%s", *clean ? clean : "connect failed");
    else
        err_set(&why, ERR_REFUSED, "%s%s%s", kind, *clean ? ": " : "", clean);
    struct ssh_chan *owner = c->base.owner;
    chan_free(n, c);
    if (owner)
        n->base.up->closed(owner, &why);
    return 0;
}

static int on_close(struct native *n, struct native_chan *c, struct err *err)
{
    struct ssh_chan *owner = c->base.owner;
    if (c->state == NATIVE_OPENING)
        return native_wrong("it closes a channel before it is open", err);
    int rc = send_close(c, err);
    chan_free(n, c);
    if (owner)
        n->base.up->closed(owner, NULL);
    return rc;
}

static int on_eof(struct native *n, struct native_chan *c, struct err *err)
{
    if (c->state == NATIVE_OPENING)
        return native_wrong("it ends a channel before it is open", err);
    if (!c->eof_got && c->base.owner && c->state == NATIVE_OPEN) {
        c->eof_got = true;
        n->base.up->eof(c->base.owner);
    }
    return 0;
}

static int on_request(struct native_chan *c, struct wire_reader *r, struct err *err)
{
    (void)wire_get_str(r);
    bool wanted = wire_get_bool(r);
    if (!wire_ok(r) || c->state == NATIVE_OPENING)
        return native_wrong("a malformed request about a channel", err);
    return wanted && !c->close_sent ? chan_send_bare(c, MSG_CHANNEL_FAILURE, err) : 0;
}

static int on_answer(struct native *n, struct native_chan *c, bool ok, struct err *err)
{
    struct err why;
    if (c->state != NATIVE_COMMAND)
        return c->state == NATIVE_CLOSING ? 0 : native_wrong("an answer to no request", err);
    if (ok)
        return opened(n, c, err);
    struct ssh_chan *owner = c->base.owner;
    c->base.owner = NULL;
    err_set(&why, ERR_REFUSED, "the server does not run commands");
    int rc = send_close(c, err);
    n->base.up->closed(owner, &why);
    return rc;
}

int chan_message(struct native *n, uint8_t type, struct wire_reader *r, struct err *err)
{
    struct wire_reader all = *r;
    if (type == MSG_CHANNEL_OPEN)
        return incoming_open(n, r, err);
    struct native_chan *c = chan_find(n, wire_get_u32(r));
    if (!wire_ok(r) || !c)
        return native_wrong("a message about a channel that there is not", err);
    switch (type) {
    case MSG_CHANNEL_OPEN_CONFIRMATION:
        return on_confirmation(n, c, r, err);
    case MSG_CHANNEL_OPEN_FAILURE:
        return on_failure(n, c, r, err);
    case MSG_CHANNEL_WINDOW_ADJUST:
        return tx_adjust(c, r, err);
    case MSG_CHANNEL_EXTENDED_DATA:
        return rx_data(n, &all, true, err);
    case MSG_CHANNEL_EOF:
        return on_eof(n, c, err);
    case MSG_CHANNEL_CLOSE:
        return on_close(n, c, err);
    case MSG_CHANNEL_REQUEST:
        return on_request(c, r, err);
    default:
        return on_answer(n, c, type == MSG_CHANNEL_SUCCESS, err);
    }
}

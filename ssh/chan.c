/*
 * chan: channels as their users see them, between the face and an engine.
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "conn.h"

#define TARGET_MAX 4096 /* bytes of a host name or path */

static void opening_over(struct ssh_chan *ch)
{
    if (list_empty(&ch->opening))
        return;
    list_remove(&ch->opening);
    ch->conn->open_count--;
}

void ssh_chan_enter(struct ssh_chan *ch, struct ssh_conn *c)
{
    ch->conn = c;
    list_init(&ch->node);
    list_init(&ch->blocked);
    list_init(&ch->opening);
    list_push(&c->chans, &ch->node);
    if (!ch->own)
        c->chan_count++;
}

void ssh_chan_leave(struct ssh_chan *ch)
{
    opening_over(ch);
    list_remove(&ch->node);
    list_remove(&ch->blocked);
    if (!ch->own)
        ch->conn->chan_count--;
}

/* ---- opening ---- */

static int open_chan(struct ssh_chan **out, struct ssh_conn *c, const struct ssh_open_req *req, bool own,
                     const struct ssh_chan_events *events, void *arg, struct err *err)
{
    if (c->state != SSH_CONN_UP || c->failed || c->silent)
        return err_set(err, ERR_CLOSED, "the SSH connection is not up");
    struct ssh_chan *ch = mem_zalloc(sizeof *ch);
    if (!ch || (!timer_active(&c->deadline) && timer_start(&c->deadline, SSH_OPEN_LOOK_MS) < 0)) {
        mem_free(ch);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    ch->events = *events;
    ch->arg = arg;
    ch->own = own;
    ch->since_ms = clock_now(c->opt.clock);
    int rc = c->engine->ops->open(c->engine, req, ch, &ch->ec, err);
    if (rc < 0) {
        mem_free(ch);
        return rc;
    }
    ssh_chan_enter(ch, c);
    if (!own) {
        list_push(&c->opening, &ch->opening);
        c->open_count++;
    }
    *out = ch;
    return 0;
}

int ssh_chan_open(struct ssh_chan **out, struct ssh_conn *c, const struct ssh_target *target,
                  const struct ssh_chan_events *events, void *arg, struct err *err)
{
    if (c->chan_count >= SSH_CHANNELS_MAX)
        return err_set(err, ERR_LIMIT, "the SSH connection carries %d channels already", SSH_CHANNELS_MAX);
    const char *name = target->kind == SSH_TARGET_TCP ? target->host : target->path;
    if (!name || !*name || strlen(name) > TARGET_MAX)
        return err_set(err, ERR_INVAL, "the target's name is empty or too long");

    struct ssh_open_req req = {0};
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_cstr(&w, name);
    if (target->kind == SSH_TARGET_TCP) { /* RFC 4254 §7.2 */
        req.type = "direct-tcpip";
        wire_put_u32(&w, target->port);
        wire_put_cstr(&w, target->origin_host ? target->origin_host : "127.0.0.1");
        wire_put_u32(&w, target->origin_port);
    } else { /* PROTOCOL §2.4: two reserved fields follow */
        req.type = "direct-streamlocal@openssh.com";
        wire_put_cstr(&w, "");
        wire_put_u32(&w, 0);
    }
    int rc = ERR_NOMEM;
    if (wire_write_ok(&w)) {
        req.message = w.data;
        req.message_len = w.len;
        rc = open_chan(out, c, &req, false, events, arg, err);
    } else {
        err_set(err, ERR_NOMEM, "out of memory");
    }
    wire_write_done(&w);
    return rc;
}

int ssh_chan_open_session(struct ssh_chan **out, struct ssh_conn *c, const char *command,
                          const struct ssh_chan_events *events, void *arg, struct err *err)
{
    struct ssh_open_req req = {.type = "session", .command = command};
    return open_chan(out, c, &req, true, events, arg, err);
}

/* ---- from the engine ---- */

void ssh_chan_up_opened(struct ssh_chan *ch)
{
    ch->open = true;
    opening_over(ch);
    ch->events.opened(ch->arg);
}

void ssh_chan_up_data(struct ssh_chan *ch, const uv_buf_t *bufs, unsigned count)
{
    ch->events.data(ch->arg, bufs, count);
}

void ssh_chan_up_eof(struct ssh_chan *ch)
{
    ch->events.eof(ch->arg);
}

void ssh_chan_up_closed(struct ssh_chan *ch, const struct err *err)
{
    ch->ended = true;
    ch->ec = NULL;
    ssh_chan_leave(ch);
    ch->events.closed(ch->arg, err);
    mem_free(ch);
}

/* ---- from the user ---- */

bool ssh_chan_tx_reserve(struct ssh_chan *ch, uv_buf_t *room)
{
    struct ssh_conn *c = ch->conn;
    if (ch->ended || c->failed || c->silent || ch->eof_sent)
        return false;
    if (ch->open && !ssh_stream_full(c->stream) && c->engine->ops->tx_reserve(ch->ec, room))
        return true;
    if (list_empty(&ch->blocked))
        list_push(&c->blocked, &ch->blocked);
    return false;
}

void ssh_chan_tx_commit(struct ssh_chan *ch, size_t n)
{
    struct ssh_conn *c = ch->conn;
    struct err err;
    if (n == 0 || ch->ended || c->failed || c->silent)
        return;
    if (c->engine->ops->tx_commit(ch->ec, n, &err) < 0)
        ssh_conn_fail(c, &err);
}

void ssh_chan_rx_consume(struct ssh_chan *ch, size_t n)
{
    if (n > 0 && !ch->ended)
        ch->conn->engine->ops->rx_consume(ch->ec, n);
}

void ssh_chan_eof(struct ssh_chan *ch)
{
    if (ch->eof_sent || ch->ended)
        return;
    ch->eof_sent = true;
    list_remove(&ch->blocked);
    ch->conn->engine->ops->eof(ch->ec);
}

void ssh_chan_close(struct ssh_chan *ch)
{
    if (ch->ended)
        return;
    struct ssh_conn *c = ch->conn;
    if (ch->incoming) {
        ssh_chan_refuse(ch, "connect failed");
        return;
    }
    ssh_chan_leave(ch);
    c->engine->ops->close(ch->ec);
    if (c->open_count == 0 && !c->wake_done)
        ssh_conn_soon(c);
    mem_free(ch);
}

void ssh_chan_offer_room(struct ssh_conn *c)
{
    struct list waiting;
    struct list *node;
    uv_buf_t room;
    list_init(&waiting);
    list_splice(&waiting, &c->blocked);
    while ((node = list_pop(&waiting)) != NULL) {
        struct ssh_chan *ch = container_of(node, struct ssh_chan, blocked);
        if (c->failed || c->silent || ssh_stream_full(c->stream) || !ch->open ||
            !c->engine->ops->tx_reserve(ch->ec, &room)) {
            list_push(&c->blocked, node);
            continue;
        }
        ch->events.writable(ch->arg);
    }
}

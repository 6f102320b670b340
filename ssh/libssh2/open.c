/*
 * open: channel opens and pings, strictly one at a time.
 *
 * libssh2 keeps the state of an open in the session: a second open begun while one is pending gets the first
 * one's channel, which is then connected to the wrong destination. So there is one line of them, the
 * arguments of the one at its head are frozen until libssh2 has the answer, and one whose owner has gone is
 * completed all the same and then closed.
 *
 * A ping is the open of a channel of a type that no server knows: the answer, a refusal, leaves nothing
 * behind in libssh2 (the answer to a global request would stay in its list for ever).
 */
#include <string.h>

#include "base/mem.h"
#include "l2.h"

static const char ping_type[] = "ping@adit";

int l2_open(struct ssh_engine *se, const struct ssh_open_req *req, struct ssh_chan *owner,
            struct ssh_echan **out, struct err *err)
{
    struct l2 *e = l2_of(se);
    if (e->chan_count >= L2_CHANNELS_MAX)
        return err_set(err, ERR_LIMIT, "the server leaves too many channels half closed");
    struct l2_chan *c = mem_zalloc(sizeof *c);
    uint8_t *message = mem_alloc(req->message_len + 1);
    if (!c || !message) {
        mem_free(c);
        mem_free(message);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    if (req->message_len > 0)
        memcpy(message, req->message, req->message_len);
    c->base.engine = se;
    c->base.owner = owner;
    c->type = req->type;
    c->command = req->command;
    c->message = message;
    c->message_len = req->message_len;
    list_init(&c->node);
    list_init(&c->hungry);
    list_init(&c->unsent);
    list_push(&e->waiting, &c->node);
    e->chan_count++;
    *out = &c->base;
    se->up->soon(se->conn);
    return 0;
}

int l2_ping(struct ssh_engine *se, struct err *err)
{
    struct l2 *e = l2_of(se);
    if (e->opening || !list_empty(&e->waiting)) {
        /* Its answer may take the server minutes; this one leaves a few bytes in libssh2 for good, so only
         * here. */
        libssh2_keepalive_config(e->session, 1, 2);
        int next, rc = libssh2_keepalive_send(e->session, &next);
        return rc < 0 && rc != LIBSSH2_ERROR_EAGAIN ? l2_error(e, rc, "keepalive", err) : 0;
    }
    e->ping_wanted = true;
    e->ping_told = true;
    se->up->soon(se->conn);
    return 1;
}

static LIBSSH2_CHANNEL *open_step(struct l2 *e)
{
    struct l2_chan *c = e->opening;
    const char *type = c ? c->type : ping_type;
    return libssh2_channel_open_ex(e->session, type, (unsigned)strlen(type), c ? L2_WINDOW : 0, L2_PACKET,
                                   c ? (const char *)c->message : NULL, c ? (unsigned)c->message_len : 0);
}

static void opened(struct l2 *e, LIBSSH2_CHANNEL *channel)
{
    struct l2_chan *c = e->opening;
    e->opening = NULL;
    c->channel = channel;
    /* What a server sends on the error stream of a forward has no reader: drop it instead of keeping it. */
    (void)libssh2_channel_handle_extended_data2(channel, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
    list_push(&e->chans, &c->node);
    if (!c->base.owner) {
        l2_chan_begin_close(c);
    } else if (c->command) {
        c->state = L2_EXEC;
    } else {
        c->state = L2_OPEN;
        e->base.up->opened(c->base.owner);
    }
}

static void refused(struct l2 *e, int code, const char *reason)
{
    struct err err;
    struct l2_chan *c = e->opening;
    struct ssh_chan *owner = c->base.owner;
    e->opening = NULL;
    l2_chan_free(c);
    err_set(&err, code, "%s", reason);
    if (owner)
        e->base.up->closed(owner, &err);
}

static void ping_answered(struct l2 *e, bool pong)
{
    bool told = e->ping_told;
    e->ping_opening = false;
    e->ping_told = e->ping_wanted && told;
    if (pong && told)
        e->base.up->pong(e->base.conn);
}

/* Sends the next one's request, after all that has come in was taken in: what libssh2 allocates now is no
 * packet. */
static int begin_next(struct l2 *e, LIBSSH2_CHANNEL **channel, struct err *err)
{
    int rc = l2_pump(e, err);
    if (rc < 0)
        return rc;
    e->receiving = false;
    *channel = open_step(e);
    e->receiving = true;
    return 0;
}

/* 0: there is none, 1: one is under way, 2: one is to begin. */
static int take_next(struct l2 *e)
{
    if (e->opening || e->ping_opening)
        return 1;
    struct list *node = list_pop(&e->waiting);
    if (node) {
        e->opening = container_of(node, struct l2_chan, node);
        e->opening->state = L2_OPENING;
        return 2;
    }
    e->ping_opening = e->ping_wanted;
    e->ping_wanted = false;
    return e->ping_opening ? 2 : 0;
}

int l2_open_run(struct l2 *e, struct err *err)
{
    for (int next; (next = take_next(e)) > 0;) {
        LIBSSH2_CHANNEL *channel;
        e->told_reason[0] = '\0';
        if (next == 1)
            channel = open_step(e);
        else if (begin_next(e, &channel, err) < 0)
            return err->code;
        int rc = channel ? 0 : libssh2_session_last_errno(e->session);
        if (rc == LIBSSH2_ERROR_EAGAIN)
            return l2_check_host_key(e, err);
        if (l2_check_host_key(e, err) < 0)
            return err->code;
        if (channel && e->opening) {
            opened(e, channel);
        } else if (channel) { /* a server that takes a ping for a service */
            (void)libssh2_channel_free(channel);
            ping_answered(e, true);
        } else if (rc == LIBSSH2_ERROR_CHANNEL_FAILURE) {
            if (e->opening)
                refused(e, ERR_REFUSED,
                        e->told_reason[0] ? e->told_reason : "the server refused the channel");
            else
                ping_answered(e, true);
        } else if (rc == LIBSSH2_ERROR_TIMEOUT) {
            /* libssh2 has given up. A late answer carries a number that is never used again, so it can be
             * taken for nobody else's; it stays in libssh2's list, so the connection is renewed when it is
             * idle. */
            e->orphans++;
            if (e->opening)
                refused(e, ERR_TIMEOUT,
                        "the server did not say within 60 s whether the target can be reached");
            else
                ping_answered(e, false);
        } else {
            return l2_error(e, rc, e->opening ? "opening a channel" : "keepalive", err);
        }
    }
    return 0;
}

void l2_open_drive(struct l2 *e)
{
    LIBSSH2_CHANNEL *channel = open_step(e);
    if (channel)
        (void)libssh2_channel_free(channel);
}

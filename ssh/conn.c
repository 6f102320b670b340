/*
 * conn: one SSH connection from its socket to its end.
 *
 * Happy path: the stream reads, the engine agrees on keys, the host key is checked, auth logs in, `up` is
 * told, channels come and go. It fails when the socket ends, the engine finds an error, the host key is
 * wrong, nothing logs in, the handshake takes too long or keepalives stay unanswered. Every failure is only
 * noted where it is found; step(), on a later turn, ends all channels, then the connection. Its owner may
 * close it at any time, from any callback: the same path, silently.
 */
#include "conn.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "text.h"

void ssh_conn_soon(struct ssh_conn *c)
{
    ready_push(c->opt.ready, &c->step);
}

void ssh_conn_fail(struct ssh_conn *c, const struct err *err)
{
    if (c->failed || c->silent || c->state == SSH_CONN_ENDING)
        return;
    c->failed = true;
    c->failure = *err;
    if (c->state == SSH_CONN_HELLO && err->code == ERR_UNSUPPORTED &&
        ssh_engine_fall_back(c->engine_wanted, c->engine->ops, c->opt.host.host)) {
        c->failure.code = ERR_CLOSED; /* not for good */
        err_hint(&c->failure, "; the next attempt is made with the engine libssh2");
    }
    const char *tried = c->auth && c->state == SSH_CONN_AUTH ? ssh_auth_tried(c->auth) : "";
    if (*tried)
        err_hint(&c->failure, " (tried so far: %s)", tried);
    err_wrap(&c->failure, c->state == SSH_CONN_HELLO  ? "ssh handshake"
                          : c->state == SSH_CONN_AUTH ? "ssh auth"
                                                      : "ssh");
    ssh_conn_soon(c);
}

static void no_memory(struct ssh_conn *c)
{
    struct err err;
    err_set(&err, ERR_NOMEM, "out of memory");
    ssh_conn_fail(c, &err);
}

/* ---- what the engine tells ---- */

static int up_output(void *conn, const void *data, size_t n)
{
    struct ssh_conn *c = conn;
    struct err err;
    int rc = ssh_stream_write(c->stream, data, n);
    if (rc == ERR_LIMIT) {
        err_set(&err, ERR_LIMIT, "the server does not read: %u MiB wait for it already",
                SSH_STREAM_MAX >> 20);
        ssh_conn_fail(c, &err);
    }
    return rc;
}

static void up_soon(void *conn)
{
    struct ssh_conn *c = conn;
    c->stepping = true;
    ssh_conn_soon(c);
}

static void up_fatal(void *conn, const struct err *err)
{
    ssh_conn_fail(conn, err);
}

void ssh_conn_verified(struct ssh_conn *c)
{
    c->state = SSH_CONN_AUTH;
    if (c->events.verified)
        c->events.verified(c->arg);
    if (!c->failed && !c->silent)
        ssh_auth_begin(c->auth);
}

static bool authenticating(const struct ssh_conn *c)
{
    return c->auth && !c->failed && !c->silent;
}

static void up_auth_reply(void *conn, const struct ssh_auth_reply *reply)
{
    struct ssh_conn *c = conn;
    if (authenticating(c))
        ssh_auth_reply(c->auth, reply);
}

static void up_auth_sign(void *conn, const char *alg, const uint8_t *data, size_t n)
{
    struct ssh_conn *c = conn;
    if (authenticating(c))
        ssh_auth_sign(c->auth, alg, data, n);
}

static void up_auth_prompts(void *conn, const char *title, const struct ssh_prompt *prompts, unsigned count)
{
    struct ssh_conn *c = conn;
    if (authenticating(c))
        ssh_auth_prompts(c->auth, title, prompts, count);
}

static void up_pong(void *conn)
{
    struct ssh_conn *c = conn;
    ssh_keepalive_pong(&c->keepalive);
}

const struct ssh_engine_up ssh_conn_up = {
    .output = up_output,
    .soon = up_soon,
    .fatal = up_fatal,
    .host_key = ssh_conn_host_key,
    .ready = ssh_conn_ready,
    .auth_reply = up_auth_reply,
    .auth_sign = up_auth_sign,
    .auth_prompts = up_auth_prompts,
    .pong = up_pong,
    .opened = ssh_chan_up_opened,
    .data = ssh_chan_up_data,
    .eof = ssh_chan_up_eof,
    .closed = ssh_chan_up_closed,
    .answered = ssh_listen_up_answered,
    .incoming = ssh_listen_up_incoming,
};

void ssh_conn_authenticated(struct ssh_conn *c, const char *how)
{
    c->state = SSH_CONN_UP;
    timer_stop(&c->deadline);
    ssh_text_clean(c->auth_text, sizeof c->auth_text, how, strlen(how));
    c->up_since_ms = clock_now(c->opt.clock);
    c->events.up(c->arg);
    if (c->failed || c->silent)
        return;
    ssh_keepalive_start(&c->keepalive, c);
    ssh_conn_soon(c);
}

/* ---- the end ---- */

static void on_stream_closed(void *arg)
{
    struct ssh_conn *c = arg;
    ready_cancel(&c->step);
    if (c->silent)
        c->closed_cb(c->closed_arg);
    else
        c->events.closed(c->arg, &c->failure);
    ssh_conn_options_done(&c->opt);
    mem_free(c);
}

static void end(struct ssh_conn *c)
{
    struct err why;
    struct list *node;
    c->state = SSH_CONN_ENDING;
    timer_stop(&c->deadline);
    ssh_keepalive_stop(&c->keepalive);
    ssh_conn_new_key_done(c);
    ssh_auth_free(c->auth);
    c->auth = NULL;
    if (c->failed)
        why = c->failure;
    else
        err_set(&why, ERR_CANCELED, "the SSH connection was closed");
    while ((node = list_first(&c->chans)) != NULL)
        ssh_chan_up_closed(container_of(node, struct ssh_chan, node), &why);
    ssh_listen_end_all(c, &why);
    if (!c->failed || why.code == ERR_HOSTKEY || why.code == ERR_AUTH)
        c->engine->ops->goodbye(c->engine);
    c->engine->ops->free(c->engine);
    c->engine = NULL;
    ready_cancel(&c->step);
    ssh_stream_close(c->stream, on_stream_closed, c);
}

static void on_step(struct ready *r)
{
    struct ssh_conn *c = container_of(r, struct ssh_conn, step);
    struct err err;
    if (c->state == SSH_CONN_ENDING)
        return;
    if (!c->failed && !c->silent && c->stepping) {
        c->stepping = false;
        if (c->engine->ops->step(c->engine, &err) < 0)
            ssh_conn_fail(c, &err);
    }
    if (!c->failed && !c->silent) {
        ssh_wake_maybe(c);
        ssh_chan_offer_room(c);
    }
    if (c->failed || c->silent)
        end(c);
}

void ssh_conn_close(struct ssh_conn *c, ssh_closed_cb cb, void *arg)
{
    assert(!c->silent);
    c->silent = true;
    c->closed_cb = cb;
    c->closed_arg = arg;
    if (c->state != SSH_CONN_ENDING)
        ssh_conn_soon(c);
}

/* ---- what the stream and the clock tell ---- */

static void on_input(void *arg, const uint8_t *data, size_t n)
{
    struct ssh_conn *c = arg;
    struct err err;
    if (c->failed || c->silent || c->state == SSH_CONN_ENDING)
        return;
    if (!c->banner.done && ssh_banner_feed(&c->banner, data, n, &err) < 0) {
        ssh_conn_fail(c, &err);
        return;
    }
    if (c->engine->ops->feed(c->engine, data, n, &err) < 0) {
        ssh_conn_fail(c, &err);
        return;
    }
    if (c->failed || c->silent)
        return;
    ssh_chan_offer_room(c);
    if (!c->wake_done)
        ssh_wake_maybe(c);
}

static void on_drained(void *arg)
{
    struct ssh_conn *c = arg;
    ssh_conn_soon(c);
}

static void on_broken(void *arg, const struct err *err)
{
    struct ssh_conn *c = arg;
    struct err why = *err;
    if (!c->banner.done && c->banner.first[0])
        err_hint(&why, "; before that it said \"%s\"", c->banner.first);
    ssh_conn_fail(c, &why);
}

static const struct ssh_stream_events stream_events = {on_input, on_drained, on_broken};

static void on_deadline(struct timer *t)
{
    struct ssh_conn *c = container_of(t, struct ssh_conn, deadline);
    struct err err;
    if (c->state ==
        SSH_CONN_UP) { /* an engine may have given up on an open, and tells only when it is called */
        if (c->open_count > 0 && timer_start(&c->deadline, SSH_OPEN_LOOK_MS) < 0)
            no_memory(c);
        if (c->open_count > 0)
            up_soon(c);
        return;
    }
    if (c->new_key.asking ||
        (c->auth && ssh_auth_asking(c->auth))) { /* a person is not hurried; the server has its own limit */
        if (timer_start(&c->deadline, c->opt.handshake_timeout_ms) < 0)
            no_memory(c);
        return;
    }
    err_set(&err, ERR_TIMEOUT,
            c->state == SSH_CONN_HELLO ? "no SSH handshake within %u s" : "not logged in within %u s",
            (c->opt.handshake_timeout_ms + 999) / 1000);
    ssh_conn_fail(c, &err);
}

static int start(struct ssh_conn *c, struct err *err)
{
    int rc = ssh_stream_start(c->stream, err);
    if (rc == 0)
        rc = c->engine->ops->start(c->engine, err);
    if (rc == 0 && c->opt.handshake_timeout_ms > 0 &&
        timer_start(&c->deadline, c->opt.handshake_timeout_ms) < 0)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    return rc;
}

int ssh_conn_new(struct ssh_conn **out, int fd, const struct ssh_conn_options *options,
                 const struct ssh_conn_events *events, void *arg, struct err *err)
{
    char known[256];
    int rc;
    const struct ssh_engine_ops *ops = ssh_engine_find(options->engine, options->host.host);
    if (!ops)
        return err_set(err, ERR_INVAL, "there is no SSH engine \"%s\"", options->engine);
    if (!options->user || !*options->user)
        return err_set(err, ERR_INVAL, "no user name to log in with");
    rc = ssh_hostid_known_types(&options->host, known, sizeof known, err);
    if (rc < 0)
        return rc;
    struct ssh_conn *c = mem_zalloc(sizeof *c);
    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    rc = ssh_conn_options_copy(&c->opt, options, err);
    if (rc < 0) {
        mem_free(c);
        return rc;
    }
    c->engine_wanted = !options->engine || strcmp(options->engine, "auto") == 0 ? "auto" : ops->name;
    c->opt.engine = ops->name;
    c->events = *events;
    c->arg = arg;
    list_init(&c->chans);
    list_init(&c->blocked);
    list_init(&c->opening);
    list_init(&c->listens);
    ready_init(&c->step, on_step);
    timer_init(&c->deadline, c->opt.clock, on_deadline);
    ssh_keepalive_init(&c->keepalive, c);

    struct ssh_engine_config config = {
        .loop = c->opt.loop, .user = c->opt.user, .host_key_algs = known, .algorithms = c->opt.algorithms};
    rc = ops->create(&c->engine, &config, &ssh_conn_up, c, err);
    if (rc == ERR_UNSUPPORTED && ssh_engine_fall_back(c->engine_wanted, ops, c->opt.host.host)) {
        ops = ssh_engine_find("auto", c->opt.host.host);
        c->opt.engine = ops->name;
        rc = ops->create(&c->engine, &config, &ssh_conn_up, c, err);
    }
    if (rc == 0)
        rc = ssh_auth_new(&c->auth, c, err);
    if (rc == 0)
        rc = ssh_stream_new(&c->stream, fd, c->opt.loop, c->opt.ready, c->opt.pool, &stream_events, c, err);
    if (rc < 0) {
        ssh_auth_free(c->auth);
        if (c->engine)
            ops->free(c->engine);
        ready_cancel(&c->step);
        ssh_conn_options_done(&c->opt);
        mem_free(c);
        return rc;
    }
    struct err trouble;
    if (start(c, &trouble) < 0)
        ssh_conn_fail(c, &trouble);
    *out = c;
    return 0;
}

void ssh_conn_info(const struct ssh_conn *c, struct ssh_conn_info *out)
{
    struct ssh_engine_info e = {"", ""};
    *out = (struct ssh_conn_info){.engine = c->opt.engine};
    if (c->engine)
        c->engine->ops->info(c->engine, &e);
    out->server = c->banner.done ? c->banner.line : "";
    ssh_text_clean(out->cipher, sizeof out->cipher, e.cipher, strlen(e.cipher));
    ssh_text_clean(out->kex, sizeof out->kex, e.kex, strlen(e.kex));
    memcpy(out->host_key, c->host_key, sizeof out->host_key);
    memcpy(out->auth, c->auth_text, sizeof out->auth);
    out->rtt_us = c->keepalive.rtt_us;
    out->rx_bytes = ssh_stream_rx(c->stream);
    out->tx_bytes = ssh_stream_tx(c->stream);
    out->channels = c->chan_count;
    out->opening = c->open_count;
    struct list *first = list_first(&c->opening);
    if (first) {
        uint64_t waited = clock_now(c->opt.clock) - container_of(first, struct ssh_chan, opening)->since_ms;
        out->oldest_open_ms = waited ? waited : 1;
    }
    out->up_since_ms = c->up_since_ms;
}

/*
 * peer: a channel as the tests use it.
 */
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "targets.h"

void peer_send(struct peer *p)
{
    uv_buf_t room;
    while (p->ch && p->opened && (p->hello || p->sent < p->to_send) && ssh_chan_tx_reserve(p->ch, &room)) {
        size_t n;
        assert_true(room.len > 0);
        if (p->hello) {
            n = strlen(p->hello);
            n = n < room.len ? n : room.len;
            memcpy(room.base, p->hello, n);
            p->hello = p->hello[n] ? p->hello + n : NULL;
        } else {
            n = p->to_send - p->sent < room.len ? (size_t)(p->to_send - p->sent) : room.len;
            stream_fill((uint8_t *)room.base, p->sent, n);
            p->sent += n;
        }
        ssh_chan_tx_commit(p->ch, n);
    }
    if (p->ch && p->opened && p->eof_when_sent && !p->hello && p->sent == p->to_send) {
        p->eof_when_sent = false;
        ssh_chan_eof(p->ch);
    }
}

static void on_opened(void *arg)
{
    struct peer *p = arg;
    assert_false(p->opened);
    p->opened = true;
    peer_send(p);
}

static void on_data(void *arg, const uv_buf_t *bufs, unsigned count)
{
    struct peer *p = arg;
    assert_true(p->opened);
    assert_false(p->eof);
    for (unsigned i = 0; i < count; i++) {
        p->good += stream_check((const uint8_t *)bufs[i].base, p->got, bufs[i].len);
        for (size_t k = 0; k < bufs[i].len && p->got + k < PEER_TEXT - 1; k++)
            p->text[p->got + k] = bufs[i].base[k];
        p->got += bufs[i].len;
        p->held += bufs[i].len;
    }
    if (p->held > p->held_max)
        p->held_max = p->held;
    if (!p->hold) {
        size_t n = (size_t)p->held;
        p->held = 0;
        ssh_chan_rx_consume(p->ch, n);
    }
    if (p->on_data)
        p->on_data(p);
}

static void on_writable(void *arg)
{
    peer_send(arg);
}

static void on_eof(void *arg)
{
    struct peer *p = arg;
    assert_true(p->opened);
    assert_false(p->eof);
    p->eof = true;
}

static void on_closed(void *arg, const struct err *err)
{
    struct peer *p = arg;
    assert_false(p->closed);
    p->closed = true;
    p->ch = NULL;
    if (err)
        p->why = *err;
}

static const struct ssh_chan_events peer_events = {on_opened, on_data, on_writable, on_eof, on_closed};

static void open_target(struct peer *p, struct ssh_conn *c, const struct ssh_target *t)
{
    struct err err;
    if (ssh_chan_open(&p->ch, c, t, &peer_events, p, &err) == 0)
        return;
    if (!p->may_fail)
        fail_msg("%s", err.msg);
    p->closed = true;
    p->why = err;
}

void peer_open_tcp(struct peer *p, struct ssh_conn *c, const char *host, uint16_t port)
{
    struct ssh_target t = {.kind = SSH_TARGET_TCP, .host = host, .port = port};
    open_target(p, c, &t);
}

void peer_take(struct peer *p, struct ssh_chan *ch)
{
    p->ch = ch;
    ssh_chan_take(ch, &peer_events, p);
}

void peer_accept(struct peer *p)
{
    ssh_chan_accept(p->ch);
    p->opened = true;
    peer_send(p);
}

void peer_open_unix(struct peer *p, struct ssh_conn *c, const char *path)
{
    struct ssh_target t = {.kind = SSH_TARGET_UNIX, .path = path};
    open_target(p, c, &t);
}

void peer_release(struct peer *p)
{
    size_t n = (size_t)p->held;
    p->hold = false;
    p->held = 0;
    if (p->ch && n)
        ssh_chan_rx_consume(p->ch, n);
}

void peer_close(struct peer *p)
{
    if (p->ch)
        ssh_chan_close(p->ch);
    p->ch = NULL;
    p->closed = true;
}

bool peer_is_closed(void *arg)
{
    return ((struct peer *)arg)->closed;
}

bool peer_is_opened(void *arg)
{
    struct peer *p = arg;
    return p->opened || p->closed;
}

bool peer_has(void *arg)
{
    struct peer_wait *w = arg;
    return w->peer->got >= w->bytes;
}

/*
 * keepalive: notices that the other end is gone, and measures the round trip.
 *
 * Every interval a question goes out that the server must answer. Any byte that came since the last look is a
 * sign of life, so that a long queue of data in front of the answer kills no healthy connection.
 */
#include "keepalive.h"

#include "conn.h"

#define LOST_NS (60ull * 1000000000) /* a question without an answer for so long is asked anew */

void ssh_keepalive_ask(struct ssh_keepalive *k, struct ssh_conn *c)
{
    struct err err;
    if (k->asked && uv_hrtime() - k->asked_ns < LOST_NS)
        return;
    int rc = c->engine->ops->ping(c->engine, &err);
    if (rc < 0) {
        ssh_conn_fail(c, &err);
        return;
    }
    k->asked = rc > 0;
    k->asked_ns = uv_hrtime();
}

static void on_keepalive(struct timer *t)
{
    struct ssh_keepalive *k = container_of(t, struct ssh_keepalive, timer);
    struct ssh_conn *c = container_of(k, struct ssh_conn, keepalive);
    struct err err;
    uint64_t heard = ssh_stream_rx(c->stream);
    if (heard != k->heard)
        k->missed = 0;
    else
        k->missed++;
    k->heard = heard;
    if (c->opt.keepalive_count > 0 && k->missed >= c->opt.keepalive_count) {
        err_set(&err, ERR_TIMEOUT, "the server did not answer for %u s: the connection is dead",
                (unsigned)((uint64_t)c->opt.keepalive_ms * k->missed / 1000));
        ssh_conn_fail(c, &err);
        return;
    }
    if (timer_start(&k->timer, c->opt.keepalive_ms) < 0) {
        err_set(&err, ERR_NOMEM, "out of memory");
        ssh_conn_fail(c, &err);
        return;
    }
    ssh_keepalive_ask(k, c);
}

void ssh_keepalive_init(struct ssh_keepalive *k, struct ssh_conn *c)
{
    timer_init(&k->timer, c->opt.clock, on_keepalive);
}

void ssh_keepalive_start(struct ssh_keepalive *k, struct ssh_conn *c)
{
    struct err err;
    k->heard = ssh_stream_rx(c->stream);
    if (c->opt.keepalive_ms > 0) {
        if (c->opt.keepalive_count > 0)
            ssh_stream_set_dead(c->stream, c->opt.keepalive_ms * (c->opt.keepalive_count + 1));
        if (timer_start(&k->timer, c->opt.keepalive_ms) < 0) {
            err_set(&err, ERR_NOMEM, "out of memory");
            ssh_conn_fail(c, &err);
            return;
        }
    }
    if (!c->opt.wake)
        ssh_keepalive_ask(k, c);
}

void ssh_keepalive_pong(struct ssh_keepalive *k)
{
    if (!k->asked)
        return;
    k->asked = false;
    uint64_t us = (uv_hrtime() - k->asked_ns) / 1000;
    k->rtt_us = us > UINT32_MAX ? UINT32_MAX : us == 0 ? 1 : (uint32_t)us;
}

void ssh_keepalive_stop(struct ssh_keepalive *k)
{
    timer_stop(&k->timer);
}

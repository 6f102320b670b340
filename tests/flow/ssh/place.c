/*
 * place: a place where the server listens, as the tests use it.
 */
#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void on_listening(void *arg, uint16_t port)
{
    struct place *p = arg;
    assert_false(p->listening);
    p->listening = true;
    p->port = port;
}

static bool on_incoming(void *arg, struct ssh_chan *ch, const struct ssh_origin *from)
{
    struct place *p = arg;
    assert_true(p->listening);
    snprintf(p->from, sizeof p->from, "%s", from->host);
    unsigned i = p->came++;
    if (p->turn_away)
        return false;
    assert_true(i < p->peers_count);
    peer_take(&p->peers[i], ch);
    if (!p->keep_waiting)
        peer_accept(&p->peers[i]);
    return true;
}

static void on_listen_closed(void *arg, const struct err *err)
{
    struct place *p = arg;
    assert_false(p->closed);
    p->closed = true;
    p->listen = NULL;
    p->why = *err;
}

const struct ssh_listen_events place_events = {on_listening, on_incoming, on_listen_closed};

bool place_decided(void *arg)
{
    const struct place *p = arg;
    return p->listening || p->closed;
}

void place_ask(struct place *p, struct side *s, const char *host, uint16_t port)
{
    struct ssh_bind bind = {.kind = SSH_TARGET_TCP, .host = host, .port = port};
    struct err err = {0};
    if (ssh_listen_open(&p->listen, s->link.conn, &bind, &place_events, p, &err) < 0)
        fail_msg("%s", err.msg);
}

void place_open(struct place *p, struct side *s, const char *host)
{
    place_ask(p, s, host, 0);
    assert_true(world_run_until(&s->world, place_decided, p, 5000));
    if (!p->listening)
        fail_msg("%s", p->why.msg);
    assert_true(p->port > 0);
}

void place_close(struct place *p)
{
    if (p->listen)
        ssh_listen_close(p->listen);
    p->listen = NULL;
}

bool place_visited(void *arg)
{
    return ((struct place *)arg)->came > 0;
}

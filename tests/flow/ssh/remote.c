/*
 * remote: what every engine must do that can have the server listen: ports, channels that come in, refusals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "caller.h"
#include "fake.h"
#include "place.h"

#define MIB (1ull << 20)
#define CALLERS 64

static uint16_t free_port(void)
{
    struct port p;
    port_take(&p);
    port_release(&p);
    return p.port;
}

/* Both ways, each end of file on its own. */
static void test_there_and_back(void **state)
{
    struct side *s = *state;
    struct peer peer = {.to_send = 3 * MIB, .eof_when_sent = true};
    struct place p = {.peers = &peer, .peers_count = 1};
    struct caller c = {.to_send = 5 * MIB + 321, .end_when_sent = true};
    place_open(&p, s, "localhost");
    caller_tcp(&c, p.port);
    assert_true(world_run_until(&s->world, caller_over, &c, 20000));
    assert_true(world_run_until(&s->world, peer_is_closed, &peer, 5000));
    assert_false(c.reset);
    assert_int_equal(c.got, 3 * MIB);
    assert_int_equal(c.good, c.got);
    assert_int_equal(peer.got, c.to_send);
    assert_int_equal(peer.good, peer.got);
    assert_int_equal(peer.why.code, 0);
    assert_string_equal(p.from, side_is("fake") ? "192.0.2.7" : "127.0.0.1");
    caller_close(&c);
    place_close(&p);
}

static bool all_over(void *arg)
{
    struct caller *c = arg;
    bool over = true;
    for (int i = 0; i < CALLERS; i++)
        over = caller_over(&c[i]) && over;
    return over;
}

static void test_many_at_once(void **state)
{
    struct side *s = *state;
    struct peer peers[CALLERS] = {0};
    struct place p = {.peers = peers, .peers_count = CALLERS};
    struct caller c[CALLERS] = {0};
    uint64_t got = 0, want = 0;
    place_open(&p, s, "localhost");
    for (int i = 0; i < CALLERS; i++) {
        peers[i] = (struct peer){.to_send = 1000 + (uint64_t)i * 3001, .eof_when_sent = true};
        c[i] = (struct caller){.to_send = 77 + (uint64_t)i * 9973, .end_when_sent = true};
        want += c[i].to_send;
        caller_tcp(&c[i], p.port);
    }
    assert_true(world_run_until(&s->world, all_over, c, 30000));
    for (int i = 0; i < CALLERS; i++) {
        assert_true(world_run_until(&s->world, peer_is_closed, &peers[i], 5000));
        assert_false(c[i].reset);
        assert_int_equal(c[i].good, c[i].got);
        assert_int_equal((c[i].got - 1000) % 3001, 0);
        assert_int_equal(peers[i].good, peers[i].got);
        got += peers[i].got;
        caller_close(&c[i]);
    }
    assert_int_equal(got, want);
    assert_int_equal(p.came, CALLERS);
    place_close(&p);
}

/* A reader that takes nothing holds at most the window, here as anywhere. */
static void test_backpressure(void **state)
{
    struct side *s = *state;
    struct peer peer = {.hold = true};
    struct place p = {.peers = &peer, .peers_count = 1};
    struct caller c = {.to_send = 24 * MIB, .end_when_sent = true};
    place_open(&p, s, "localhost");
    caller_tcp(&c, p.port);
    uint64_t end = uv_hrtime() + 500000000;
    while (uv_hrtime() < end || peer.got == 0) {
        caller_over(&c);
        world_idle(&s->world, 5);
    }
    assert_true(peer.got > 0 && peer.got <= SSH_RX_WINDOW);
    peer_release(&peer);
    peer.eof_when_sent = true;
    peer_send(&peer);
    assert_true(world_run_until(&s->world, caller_over, &c, 20000));
    assert_true(world_run_until(&s->world, peer_is_closed, &peer, 5000));
    assert_int_equal(peer.good, c.to_send);
    caller_close(&c);
    place_close(&p);
}

static void test_turned_away(void **state)
{
    struct side *s = *state;
    struct peer peers[2] = {0};
    struct place p = {.peers = peers, .peers_count = 2, .turn_away = true};
    struct caller c = {0}, d = {0};
    struct ssh_conn_info info;
    place_open(&p, s, "localhost");
    caller_tcp(&c, p.port); /* at once */
    assert_true(world_run_until(&s->world, caller_over, &c, 5000));
    assert_int_equal(c.got, 0);
    p.turn_away = false;
    p.keep_waiting = true;
    p.came = 0;
    caller_tcp(&d, p.port); /* later */
    assert_true(world_run_until(&s->world, place_visited, &p, 5000));
    ssh_conn_info(s->link.conn, &info);
    assert_int_equal(info.channels, 1);
    ssh_chan_refuse(peers[0].ch, "the target is down");
    assert_true(world_run_until(&s->world, caller_over, &d, 5000));
    ssh_conn_info(s->link.conn, &info);
    assert_int_equal(info.channels, 0);
    caller_close(&c);
    caller_close(&d);
    place_close(&p);
}

/* Who waits to be accepted is told when the connection ends, and so is the place. */
static void test_connection_ends(void **state)
{
    struct side *s = *state;
    struct peer peer = {0};
    struct place p = {.peers = &peer, .peers_count = 1, .keep_waiting = true}, q = {0};
    struct caller c = {0};
    place_open(&p, s, "localhost");
    caller_tcp(&c, p.port);
    assert_true(world_run_until(&s->world, place_visited, &p, 5000));
    place_ask(&q, s, "localhost", 0);
    link_close(&s->world, &s->link);
    assert_true(peer.closed);
    assert_false(peer.opened);
    assert_int_equal(peer.why.code, ERR_CANCELED);
    assert_true(p.closed && q.closed);
    assert_int_equal(p.why.code, ERR_CANCELED);
    caller_close(&c);
}

static void test_port_in_use(void **state)
{
    struct side *s = *state;
    struct place p = {0};
    struct port taken;
    port_take(&taken);
    place_ask(&p, s, "localhost", taken.port);
    assert_true(world_run_until(&s->world, place_decided, &p, 5000));
    assert_true(p.closed);
    assert_int_equal(p.why.code, ERR_REFUSED);
    assert_string_equal(p.why.msg, "no reason was given");
    port_release(&taken);
}

/* The port is free again, and what came in before goes on. */
static void test_taken_back(void **state)
{
    struct side *s = *state;
    struct peer peer = {0};
    struct place p = {.peers = &peer, .peers_count = 1};
    struct caller c = {.to_send = MIB};
    place_ask(&p, s, "localhost", free_port());
    assert_true(world_run_until(&s->world, place_decided, &p, 5000));
    assert_true(p.listening);
    caller_tcp(&c, p.port);
    assert_true(world_run_until(&s->world, place_visited, &p, 5000));
    place_close(&p);
    if (side_is("fake")) /* elsewhere a port that has connections is not free for the others */
        assert_true(world_run_until(&s->world, port_is_free, &p.port, 5000));
    peer.to_send = MIB;
    peer.eof_when_sent = true;
    peer_send(&peer);
    c.end_when_sent = true;
    assert_true(world_run_until(&s->world, caller_over, &c, 10000));
    assert_true(world_run_until(&s->world, peer_is_closed, &peer, 5000));
    assert_int_equal(c.good, MIB);
    assert_int_equal(peer.good, MIB);
    caller_close(&c);
    if (!side_is("dropbear")) /* it keeps on listening until the connection ends */
        assert_true(world_run_until(&s->world, port_is_free, &p.port, 5000));
}

/* Asked for, let go before the answer, asked for again: the last word counts. */
static void test_let_go_while_asked(void **state)
{
    struct side *s = *state;
    struct place last = {0};
    uint16_t port = free_port();
    if (side_is("dropbear"))
        skip();
    for (int i = 0; i < 20; i++) {
        struct place p = {0};
        place_ask(&p, s, "localhost", port);
        for (int k = 0; k < i % 5; k++)
            uv_run(&s->world.loop, UV_RUN_NOWAIT);
        place_close(&p);
        assert_false(p.closed);
    }
    place_ask(&last, s, "localhost", port);
    assert_true(world_run_until(&s->world, place_decided, &last, 5000));
    assert_true(last.listening);
    assert_int_equal(last.port, port);
    place_close(&last);
    assert_true(world_run_until(&s->world, port_is_free, &port, 5000));
}

/* Answers have no number: yes, no, and signs of life, each finds its own question. */
static void test_answers_in_order(void **state)
{
    enum { COUNT = 24 };
    struct side *s = *state;
    struct link_options o = s->options;
    struct place p[COUNT] = {0};
    struct port taken[COUNT];
    link_close(&s->world, &s->link);
    o.keepalive_ms = 60;
    link_up(&s->world, &s->link, &o);
    for (int i = 0; i < COUNT; i++) {
        port_take(&taken[i]);
        place_ask(&p[i], s, "localhost", i % 3 == 1 ? taken[i].port : 0);
        world_idle(&s->world, i % 4 == 0 ? 40 : 0);
    }
    for (int i = 0; i < COUNT; i++) {
        assert_true(world_run_until(&s->world, place_decided, &p[i], 5000));
        assert_int_equal(p[i].closed, i % 3 == 1);
        assert_int_equal(p[i].port > 0, i % 3 != 1);
        place_close(&p[i]);
        port_release(&taken[i]);
    }
}

static void test_unix_socket(void **state)
{
    struct side *s = *state;
    struct peer peer = {.to_send = MIB, .eof_when_sent = true};
    struct place p = {.peers = &peer, .peers_count = 1};
    struct caller c = {.to_send = 2 * MIB, .end_when_sent = true};
    struct err err;
    char path[120];
    if (side_is("dropbear"))
        skip();
    snprintf(path, sizeof path, "%s/there.sock", s->server.dir);
    struct ssh_bind bind = {.kind = SSH_TARGET_UNIX, .path = path};
    assert_int_equal(ssh_listen_open(&p.listen, s->link.conn, &bind, &place_events, &p, &err), 0);
    assert_true(world_run_until(&s->world, place_decided, &p, 5000));
    assert_true(p.listening);
    assert_int_equal(p.port, 0);
    caller_unix(&c, path);
    assert_true(world_run_until(&s->world, caller_over, &c, 10000));
    assert_true(world_run_until(&s->world, peer_is_closed, &peer, 5000));
    assert_int_equal(c.good, MIB);
    assert_int_equal(peer.good, 2 * MIB);
    caller_close(&c);
    place_close(&p);
}

/* A server that is not what it should be opens channels from places that we never named. */
static void test_forged(void **state)
{
    struct side *s = *state;
    struct peer peer = {.to_send = MIB, .eof_when_sent = true};
    struct place p = {.peers = &peer, .peers_count = 1};
    struct caller c = {.to_send = MIB, .end_when_sent = true};
    if (!side_is("fake"))
        skip();
    place_open(&p, s, FAKE_FORGER);
    bool *opened = &peer.opened;
    uint64_t end = uv_hrtime() + 5000000000u;
    while (port_is_free(&p.port) && uv_hrtime() < end)
        world_idle(&s->world, 5);
    caller_tcp(&c, p.port); /* it listens only after all its forgeries were turned down */
    assert_true(world_run(&s->world, opened, 5000));
    assert_int_equal(p.came, 1);
    assert_true(world_run_until(&s->world, caller_over, &c, 10000));
    assert_true(world_run_until(&s->world, peer_is_closed, &peer, 5000));
    assert_int_equal(c.good, MIB);
    caller_close(&c);
    place_close(&p);
}

/* What sshd says on the side is the reason. */
static void test_not_allowed(void **state)
{
    struct side *s = *state;
    static const char *const lines[] = {"AllowTcpForwarding local\n", "PermitListen 1\n",
                                        "AllowStreamLocalForwarding no\n"};
    static const char *const reasons[] = {"Server has disabled port forwarding.", "port forwarding refused",
                                          "Server has disabled streamlocal forwarding."};
    if (!side_is("sshd"))
        skip();
    for (int i = 0; i < 3; i++) {
        struct side other = *s;
        struct place p = {0};
        struct err err;
        struct ssh_bind bind = {.kind = i == 2 ? SSH_TARGET_UNIX : SSH_TARGET_TCP,
                                .host = "localhost",
                                .path = "/tmp/adit-not-allowed.sock"};
        server_start_sshd(&other.server, lines[i]);
        other.options.port = other.server.port;
        other.options.key = other.server.key;
        snprintf(other.known_hosts, sizeof other.known_hosts, "%s/known", other.server.dir);
        other.options.known_hosts = other.known_hosts;
        link_up(&s->world, &other.link, &other.options);
        assert_int_equal(ssh_listen_open(&p.listen, other.link.conn, &bind, &place_events, &p, &err), 0);
        assert_true(world_run_until(&s->world, place_decided, &p, 5000));
        assert_true(p.closed);
        assert_int_equal(p.why.code, ERR_DENIED);
        assert_string_equal(p.why.msg, reasons[i]);
        link_close(&s->world, &other.link);
        server_stop(&other.server);
    }
}

static void test_engine_without_it(void **state)
{
    struct side *s = *state;
    struct ssh_bind bind = {.kind = SSH_TARGET_TCP, .host = "localhost"};
    struct place p = {0};
    struct err err;
    assert_int_equal(ssh_listen_open(&p.listen, s->link.conn, &bind, &place_events, &p, &err),
                     ERR_UNSUPPORTED);
    assert_string_equal(err.msg, "remote forwards need the engine native, and this connection has libssh2");
}

int main(int argc, char **argv)
{
#define OVER_LINK(test) cmocka_unit_test_setup_teardown(test, side_link_up, side_link_down)
    const struct CMUnitTest tests[] = {
        OVER_LINK(test_there_and_back),   OVER_LINK(test_many_at_once),
        OVER_LINK(test_backpressure),     OVER_LINK(test_turned_away),
        OVER_LINK(test_connection_ends),  OVER_LINK(test_port_in_use),
        OVER_LINK(test_taken_back),       OVER_LINK(test_let_go_while_asked),
        OVER_LINK(test_answers_in_order), OVER_LINK(test_unix_socket),
        OVER_LINK(test_forged),           OVER_LINK(test_not_allowed),
    };
    const struct CMUnitTest without[] = {OVER_LINK(test_engine_without_it)};
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    if (!side_is("fake") && strcmp(world_engine(), "libssh2") == 0)
        return cmocka_run_group_tests_name("remote", without, side_start, side_stop);
    return cmocka_run_group_tests_name("remote", tests, side_start, side_stop);
}

/*
 * conformance: what every engine must do, told through ssh.h alone.
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

#include "dribble.h"
#include "side.h"

#define MIB (1ull << 20)

static void test_open_echo(void **state)
{
    struct side *s = *state;
    char want[64];
    struct peer p = {.hello = "hello\n", .eof_when_sent = true};
    peer_open_tcp(&p, s->link.conn, "127.0.0.1", s->targets.greets[3]);
    int n = snprintf(want, sizeof want, "port %u\nhello\n", s->targets.greets[3]);
    assert_true(world_run_until(&s->world, peer_is_closed, &p, 5000));
    assert_string_equal(p.text, want);
    assert_int_equal(p.got, n);
    assert_true(p.eof);
    assert_int_equal(p.why.code, 0);
}

static void test_unix_socket(void **state)
{
    struct side *s = *state;
    struct peer p = {.hello = "over a path\n", .eof_when_sent = true};
    if (side_is("dropbear"))
        skip();
    peer_open_unix(&p, s->link.conn, s->targets.unix_path);
    assert_true(world_run_until(&s->world, peer_is_closed, &p, 5000));
    assert_string_equal(p.text, "port 0\nover a path\n");
    assert_int_equal(p.why.code, 0);
}

static void test_refused(void **state)
{
    struct side *s = *state;
    struct peer p = {0}, q = {.eof_when_sent = true};
    struct ssh_conn_info info;
    peer_open_tcp(&p, s->link.conn, "127.0.0.1", 1);
    peer_open_tcp(&q, s->link.conn, "127.0.0.1", s->targets.greets[0]);
    ssh_conn_info(s->link.conn, &info);
    assert_int_equal(info.opening, 2);
    assert_int_equal(info.channels, 2);
    assert_true(info.oldest_open_ms > 0);
    assert_true(world_run_until(&s->world, peer_is_closed, &p, 5000));
    assert_false(p.opened);
    assert_int_equal(p.why.code, ERR_REFUSED);
    assert_true(p.why.msg[0]);
    if (side_is("sshd"))
        assert_string_equal(p.why.msg, "Connection refused");
    assert_true(world_run_until(&s->world, peer_is_closed, &q, 5000));
    assert_int_equal(q.why.code, 0);
    assert_true(q.opened);
    ssh_conn_info(s->link.conn, &info);
    assert_int_equal(info.channels, 0);
    assert_int_equal(info.opening, 0);
}

/* The target has sent its eof and goes on to read. */
static void test_half_close_by_target(void **state)
{
    struct side *s = *state;
    struct peer p = {.hold = true};
    peer_open_tcp(&p, s->link.conn, "127.0.0.1", s->targets.port[TARGET_EARLY]);
    bool *eof = &p.eof;
    assert_true(world_run(&s->world, eof, 5000));
    assert_string_equal(p.text, "bye\n");
    assert_false(p.closed);
    p.to_send = 3 * MIB;
    p.eof_when_sent = true;
    peer_send(&p);
    assert_true(world_run_until(&s->world, peer_is_closed, &p, 10000));
    assert_int_equal(p.sent, 3 * MIB);
    assert_int_equal(p.why.code, 0);
}

/* We have sent our eof; the target answers afterwards. */
static void test_half_close_by_us(void **state)
{
    struct side *s = *state;
    struct peer p = {.to_send = 5 * MIB + 12345, .eof_when_sent = true};
    peer_open_tcp(&p, s->link.conn, "127.0.0.1", s->targets.port[TARGET_DRAIN]);
    assert_true(world_run_until(&s->world, peer_is_closed, &p, 20000));
    assert_string_equal(p.text, "5255225 ok\n");
    assert_int_equal(p.why.code, 0);
}

static bool all_closed(void *arg)
{
    for (struct peer *p = arg; p->on_data || p->text[PEER_TEXT - 1] != 'E'; p++) {
        if (!p->closed)
            return false;
    }
    return true;
}

/* A thousand opens at once to fifty destinations: each reaches its own, also where some are let go on the
 * way. */
static void test_thousand_opens(void **state)
{
    enum { COUNT = 1000 };
    struct side *s = *state;
    struct peer *p = calloc(COUNT + 1, sizeof *p);
    char want[32];
    p[COUNT].text[PEER_TEXT - 1] = 'E';
    for (int i = 0; i < COUNT; i++) {
        p[i].eof_when_sent = true;
        peer_open_tcp(&p[i], s->link.conn, "127.0.0.1", s->targets.greets[i * 7 % TARGET_GREETS]);
        if (i % 10 == 9)
            peer_close(&p[i - 4]);
    }
    assert_true(world_run_until(&s->world, peer_is_opened, &p[0], 5000));
    for (int i = 5; i < COUNT; i += 97)
        peer_close(&p[i]);
    assert_true(world_run_until(&s->world, all_closed, p, 60000));
    for (int i = 0; i < COUNT; i++) {
        if (!p[i].opened)
            continue;
        snprintf(want, sizeof want, "port %u\n", s->targets.greets[i * 7 % TARGET_GREETS]);
        if (p[i].got)
            assert_string_equal(p[i].text, want);
    }
    int good = 0;
    for (int i = 0; i < COUNT; i++)
        good += p[i].eof && p[i].got > 0;
    assert_true(good >= 850);
    free(p);
}

/* The one that is being opened goes away; the next one must not get its channel. */
static void test_let_go_while_opening(void **state)
{
    struct side *s = *state;
    char want[32];
    for (int round = 0; round < 40; round++) {
        struct peer a = {0}, b = {.eof_when_sent = true};
        peer_open_tcp(&a, s->link.conn, "127.0.0.1", s->targets.greets[1]);
        for (int i = 0; i < round % 8; i++)
            uv_run(&s->world.loop, UV_RUN_NOWAIT);
        peer_close(&a);
        peer_open_tcp(&b, s->link.conn, "127.0.0.1", s->targets.greets[2]);
        assert_true(world_run_until(&s->world, peer_is_closed, &b, 5000));
        snprintf(want, sizeof want, "port %u\n", s->targets.greets[2]);
        assert_string_equal(b.text, want);
    }
}

/* A reader that takes nothing holds at most the window, and delays nobody. */
static void test_slow_reader(void **state)
{
    struct side *s = *state;
    struct peer slow = {.hold = true, .hello = "20971520\n"}, quick = {.hello = "8388608\n"};
    peer_open_tcp(&slow, s->link.conn, "127.0.0.1", s->targets.port[TARGET_SOURCE]);
    assert_true(world_run_until(&s->world, peer_is_opened, &slow, 5000));
    peer_open_tcp(&quick, s->link.conn, "127.0.0.1", s->targets.port[TARGET_SOURCE]);
    bool *eof = &quick.eof;
    assert_true(world_run(&s->world, eof, 20000));
    assert_int_equal(quick.got, 8 * MIB);
    assert_int_equal(quick.good, quick.got);
    assert_true(slow.got > 0 && slow.got <= SSH_RX_WINDOW);
    struct ssh_conn_info info;
    ssh_conn_info(s->link.conn, &info);
    assert_true(info.rx_bytes < 8 * MIB + 8 * MIB / 10 + SSH_RX_WINDOW + SSH_RX_WINDOW / 10);
    peer_release(&slow);
    assert_true(world_run(&s->world, &slow.eof, 20000));
    assert_int_equal(slow.got, 20 * MIB);
    assert_int_equal(slow.good, slow.got);
    ssh_chan_eof(quick.ch);
    ssh_chan_eof(slow.ch);
    assert_true(world_run_until(&s->world, peer_is_closed, &slow, 5000));
    assert_true(world_run_until(&s->world, peer_is_closed, &quick, 5000));
}

/* A target that does not read stops the sender, and nothing piles up here. */
static void test_slow_target(void **state)
{
    struct side *s = *state;
    struct peer mute = {.to_send = 64 * MIB}, quick = {.to_send = 4 * MIB, .eof_when_sent = true};
    peer_open_tcp(&mute, s->link.conn, "127.0.0.1", s->targets.port[TARGET_MUTE]);
    assert_true(world_run_until(&s->world, peer_is_opened, &mute, 5000));
    peer_open_tcp(&quick, s->link.conn, "127.0.0.1", s->targets.port[TARGET_DRAIN]);
    assert_true(world_run_until(&s->world, peer_is_closed, &quick, 20000));
    assert_string_equal(quick.text, "4194304 ok\n");
    assert_true(mute.sent < 32 * MIB);
    assert_true(s->world.pool.used * CHUNK_SIZE < 2 * MIB);
    peer_close(&mute);
}

/* Both ways at once, through several key exchanges where the server makes them (RekeyLimit 16M). */
static void test_bulk(void **state)
{
    struct side *s = *state;
    struct peer up = {.to_send = 64 * MIB, .eof_when_sent = true}, down = {.hello = "67108864\n"};
    peer_open_tcp(&up, s->link.conn, "127.0.0.1", s->targets.port[TARGET_DRAIN]);
    peer_open_tcp(&down, s->link.conn, "127.0.0.1", s->targets.port[TARGET_SOURCE]);
    assert_true(world_run_until(&s->world, peer_is_closed, &up, 60000));
    assert_true(world_run(&s->world, &down.eof, 60000));
    assert_string_equal(up.text, "67108864 ok\n");
    assert_int_equal(down.got, 64 * MIB);
    assert_int_equal(down.good, down.got);
    peer_close(&down);
}

/* Twenty streams each way and of all sizes, while keys are exchanged anew. */
static void test_many_streams(void **state)
{
    enum { COUNT = 40 };
    struct side *s = *state;
    struct peer p[COUNT + 1] = {0};
    char ask[COUNT][24], want[32];
    p[COUNT].text[PEER_TEXT - 1] = 'E';
    for (int i = 0; i < COUNT; i++) {
        uint64_t n = 1 + (uint64_t)(i * i) * 1733;
        p[i].eof_when_sent = true;
        if (i % 2) {
            p[i].to_send = n;
        } else {
            snprintf(ask[i], sizeof ask[i], "%llu\n", (unsigned long long)n);
            p[i].hello = ask[i];
        }
        peer_open_tcp(&p[i], s->link.conn, "127.0.0.1",
                      s->targets.port[i % 2 ? TARGET_DRAIN : TARGET_SOURCE]);
    }
    assert_true(world_run_until(&s->world, all_closed, p, 60000));
    for (int i = 0; i < COUNT; i++) {
        uint64_t n = 1 + (uint64_t)(i * i) * 1733;
        assert_int_equal(p[i].why.code, 0);
        if (i % 2) {
            snprintf(want, sizeof want, "%llu ok\n", (unsigned long long)n);
            assert_string_equal(p[i].text, want);
        } else {
            assert_int_equal(p[i].got, n);
            assert_int_equal(p[i].good, n);
        }
    }
}

static bool has_rtt(void *arg)
{
    struct ssh_conn_info info;
    ssh_conn_info(arg, &info);
    return info.rtt_us > 0;
}

static void test_info(void **state)
{
    struct side *s = *state;
    struct ssh_conn_info info;
    assert_true(world_run_until(&s->world, has_rtt, s->link.conn, 5000));
    ssh_conn_info(s->link.conn, &info);
    assert_memory_equal(info.server, "SSH-2.0-", 8);
    assert_true(info.cipher[0] && info.kex[0]);
    assert_non_null(strstr(info.host_key, "ssh-ed25519 SHA256:"));
    assert_non_null(strstr(info.auth, "publickey"));
    assert_true(info.rx_bytes > 0 && info.tx_bytes > 0 && info.up_since_ms > 0);
    assert_int_equal(info.channels, 0);
}

/* Many short connections one after the other leave nothing behind. */
static void test_churn(void **state)
{
    struct side *s = *state;
    for (int i = 0; i < 300; i++) {
        struct peer p = {.hello = "x", .eof_when_sent = i % 3 != 0};
        peer_open_tcp(&p, s->link.conn, "127.0.0.1", s->targets.greets[i % TARGET_GREETS]);
        assert_true(world_run_until(&s->world, i % 3 ? peer_is_closed : peer_is_opened, &p, 5000));
        peer_close(&p);
    }
    struct ssh_conn_info info;
    ssh_conn_info(s->link.conn, &info);
    assert_int_equal(info.channels, 0);
}

static bool no_handles(void *arg)
{
    return ((struct dribble *)arg)->handles == 0;
}

/* However the server's bytes are cut, each packet is delivered as soon as it is whole. */
static void test_dribble(void **state)
{
    struct side *s = *state;
    struct link l;
    struct dribble *d = malloc(sizeof *d);
    struct link_options o = s->options;
    char want[PEER_TEXT];
    dribble_start(d, &s->world.loop, s->server.port);
    o.port = d->port;
    link_up(&s->world, &l, &o);
    struct peer p = {0}, bulk = {.hello = "100000\n"};
    peer_open_tcp(&p, l.conn, "127.0.0.1", s->targets.greets[0]);
    assert_true(world_run_until(&s->world, peer_is_opened, &p, 10000));
    size_t n = (size_t)snprintf(want, sizeof want, "port %u\n", s->targets.greets[0]);
    for (int i = 0; i < 60; i++) { /* one packet at a time, and nothing behind it that could push it out */
        struct peer_wait w = {&p, n};
        assert_true(world_run_until(&s->world, peer_has, &w, 5000));
        n += (size_t)snprintf(want + n, sizeof want - n, "%.*s", i % 4, "abc");
        char text[8];
        snprintf(text, sizeof text, "%.*s", i % 4, "abc");
        p.hello = text[0] ? text : NULL;
        peer_send(&p);
        assert_null(p.hello);
    }
    struct peer_wait all = {&p, n};
    assert_true(world_run_until(&s->world, peer_has, &all, 5000));
    assert_string_equal(p.text, want);
    peer_open_tcp(&bulk, l.conn, "127.0.0.1", s->targets.port[TARGET_SOURCE]);
    assert_true(world_run(&s->world, &bulk.eof, 20000));
    assert_int_equal(bulk.good, 100000);
    peer_close(&bulk);
    peer_close(&p);
    link_close(&s->world, &l);
    dribble_stop(d);
    assert_true(world_run_until(&s->world, no_handles, d, 5000));
    free(d);
}

int main(int argc, char **argv)
{
#define OVER_LINK(test) cmocka_unit_test_setup_teardown(test, side_link_up, side_link_down)
    const struct CMUnitTest tests[] = {
        OVER_LINK(test_open_echo),
        OVER_LINK(test_unix_socket),
        OVER_LINK(test_refused),
        OVER_LINK(test_half_close_by_target),
        OVER_LINK(test_half_close_by_us),
        OVER_LINK(test_let_go_while_opening),
        OVER_LINK(test_thousand_opens),
        OVER_LINK(test_slow_reader),
        OVER_LINK(test_slow_target),
        OVER_LINK(test_bulk),
        OVER_LINK(test_many_streams),
        OVER_LINK(test_dribble),
        OVER_LINK(test_info),
        OVER_LINK(test_churn),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("conformance", tests, side_start, side_stop);
}

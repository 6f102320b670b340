/*
 * trouble: servers that die, hang, or are none; owners that go away at any moment.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "life.h"

static bool link_gone(void *arg)
{
    return ((struct link *)arg)->closed;
}

static void test_server_is_killed(void **state)
{
    struct side *s = *state;
    struct peer idle = {0}, busy = {.hello = "1000000000\n"}, waiting = {0};
    if (!side_is("sshd"))
        skip();
    peer_open_tcp(&idle, s->link.conn, "127.0.0.1", s->targets.greets[0]);
    peer_open_tcp(&busy, s->link.conn, "127.0.0.1", s->targets.port[TARGET_SOURCE]);
    assert_true(world_run_until(&s->world, peer_is_opened, &busy, 5000));
    peer_open_tcp(&waiting, s->link.conn, "127.0.0.1", s->targets.greets[0]);
    server_kill(&s->server);
    assert_true(world_run_until(&s->world, link_gone, &s->link, 5000));
    assert_true(idle.closed && busy.closed && waiting.closed);
    assert_true(idle.why.code == ERR_CLOSED || idle.why.code == ERR_SYSTEM);
    assert_non_null(strstr(s->link.why.msg, "ssh: "));
    assert_non_null(strstr(idle.why.msg, "connection"));
    server_restart_sshd(&s->server);
    struct peer again = {.eof_when_sent = true};
    link_up(&s->world, &s->link, &s->options);
    peer_open_tcp(&again, s->link.conn, "127.0.0.1", s->targets.greets[0]);
    assert_true(world_run_until(&s->world, peer_is_closed, &again, 5000));
    assert_int_equal(again.why.code, 0);
}

/* The server stands still: keepalives find out. */
static void test_server_hangs(void **state)
{
    struct side *s = *state;
    struct link l;
    struct peer p = {0};
    struct link_options o = s->options;
    if (!side_is("sshd"))
        skip();
    o.keepalive_ms = 150;
    o.wake = false;
    link_up(&s->world, &l, &o);
    peer_open_tcp(&p, l.conn, "127.0.0.1", s->targets.greets[0]);
    assert_true(world_run_until(&s->world, peer_is_opened, &p, 5000));
    world_idle(&s->world, 1000); /* several intervals: a healthy one lives on */
    assert_false(l.closed);
    server_run("pkill -STOP -P %d", (int)s->server.pid);
    bool found = world_run_until(&s->world, link_gone, &l, 5000);
    server_run("pkill -CONT -P %d", (int)s->server.pid);
    assert_true(found);
    assert_int_equal(l.why.code, ERR_TIMEOUT);
    assert_non_null(strstr(l.why.msg, "did not answer"));
    assert_int_equal(p.why.code, ERR_TIMEOUT);
}

static void expect_failure(struct side *s, uint16_t port, uint32_t timeout_ms, int code, const char *text)
{
    struct link l;
    struct err err;
    struct link_options o = s->options;
    o.port = port;
    o.timeout_ms = timeout_ms;
    assert_int_equal(link_open(&s->world, &l, &o, &err), 0);
    assert_true(world_run_until(&s->world, link_gone, &l, 10000));
    assert_false(l.up);
    if (code)
        assert_int_equal(l.why.code, code);
    if (!strstr(l.why.msg, text))
        fail_msg("\"%s\" is not in: %s", text, l.why.msg);
}

static void test_no_ssh_server(void **state)
{
    struct side *s = *state;
    expect_failure(s, s->targets.port[TARGET_MUTE], 300, ERR_TIMEOUT, "no SSH handshake");
    expect_failure(s, s->targets.port[TARGET_EARLY], 2000, ERR_CLOSED, "\"bye\"");
    expect_failure(s, s->targets.greets[0], 3000, 0, "ssh "); /* it sends our own bytes back */
}

static const struct ssh_conn_events no_events;

/* What cannot begin leaves the descriptor to its owner. */
static void test_bad_beginnings(void **state)
{
    struct side *s = *state;
    struct ssh_conn *c;
    struct err err;
    int fds[2], pair[2];
    struct ssh_conn_options o = {.loop = &s->world.loop,
                                 .clock = s->world.clock,
                                 .ready = s->world.ready,
                                 .pool = &s->world.pool,
                                 .engine = "auto",
                                 .user = "u",
                                 .host = {.file = s->known_hosts, .host = "h", .label = "h"}};
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int file = open("/dev/null", O_RDWR);
    assert_int_equal(ssh_conn_new(&c, file, &o, &no_events, NULL, &err), ERR_INVAL);
    assert_int_equal(fcntl(file, F_GETFD) >= 0, 1);
    o.engine = "steam";
    assert_int_equal(ssh_conn_new(&c, pair[0], &o, &no_events, NULL, &err), ERR_INVAL);
    assert_non_null(strstr(err.msg, "steam"));
    o.engine = "auto";
    o.user = "";
    assert_int_equal(ssh_conn_new(&c, pair[0], &o, &no_events, NULL, &err), ERR_INVAL);
    assert_int_equal(fcntl(pair[0], F_GETFD) >= 0, 1);
    close(file);
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        close(pair[i]);
    }
}

/* A port whose connections neither succeed nor fail for minutes: its line of waiting connections is full. */
static uint16_t hanging_port(int fds[3])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fds[0], (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    assert_int_equal(getsockname(fds[0], (struct sockaddr *)&a, &len), 0);
    for (int i = 1; i < 3; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&a, sizeof a);
    }
    return ntohs(a.sin_port);
}

static bool waits_long(void *arg)
{
    struct ssh_conn_info info;
    struct link *l = arg;
    if (l->closed)
        return true;
    ssh_conn_info(l->conn, &info);
    return info.oldest_open_ms > 4000;
}

/* An open without an answer keeps neither the other channels nor the keepalive from working, and can be seen.
 */
static void test_open_hangs(void **state)
{
    struct side *s = *state;
    struct link l;
    struct ssh_conn_info info;
    struct peer other = {0}, stuck = {0};
    struct link_options o = s->options;
    int fds[3];
    uint16_t port = hanging_port(fds);
    o.keepalive_ms = 1000;
    link_up(&s->world, &l, &o);
    peer_open_tcp(&other, l.conn, "127.0.0.1", s->targets.greets[0]);
    assert_true(world_run_until(&s->world, peer_is_opened, &other, 5000));
    peer_open_tcp(&stuck, l.conn, "127.0.0.1", port);
    assert_true(world_run_until(&s->world, waits_long, &l, 10000));
    assert_false(l.closed);
    assert_false(stuck.closed);
    ssh_conn_info(l.conn, &info);
    assert_int_equal(info.opening, 1);
    other.hello = "still here";
    other.eof_when_sent = true;
    peer_send(&other);
    assert_true(world_run_until(&s->world, peer_is_closed, &other, 5000));
    assert_non_null(strstr(other.text, "still here"));
    peer_close(&stuck);
    ssh_conn_info(l.conn, &info);
    assert_int_equal(info.channels, 0);
    link_close(&s->world, &l);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

/* ---- a whole life, cut off at every turn ---- */

static void on_cut_closed(void *arg)
{
    struct life *l = arg;
    l->link.conn = NULL;
    l->link.closed = true;
}

static void cut_here(struct world *w)
{
    struct life *l = w->user;
    if (l->was_cut || w->turns < l->cut || l->link.closed || (l->what > 0 && !l->opened))
        return;
    l->was_cut = true;
    if (l->what == 0)
        ssh_conn_close(l->link.conn, on_cut_closed, l);
    else
        peer_close(&l->peers[l->what - 1]);
}

/* True when the life was cut off before it was over. */
static bool live(struct side *s, unsigned long cut, int what)
{
    struct world w;
    struct err err;
    struct life l = {.s = s, .cut = cut, .what = what};
    world_open(&w);
    w.each_turn = cut_here;
    w.user = &l;
    assert_int_equal(link_open(&w, &l.link, &s->options, &err), 0);
    assert_true(world_run_until(&w, life_over, &l, 10000));
    for (int i = 0; i < LIFE_PEERS; i++)
        assert_true(!l.opened || l.peers[i].closed);
    if (!l.was_cut || what > 0) {
        if (what != 1)
            assert_non_null(strstr(l.peers[0].text, "port "));
        if (what != 2)
            assert_int_equal(l.peers[1].good, 300000);
        if (what != 3)
            assert_string_equal(l.peers[2].text, "300000 ok\n");
    }
    link_close(&w, &l.link);
    world_close(&w);
    return l.was_cut;
}

static void test_connection_closed_at_every_turn(void **state)
{
    unsigned long n = 0;
    while (live(*state, n, 0)) {
        n += n < 60 ? 1 : n / 20;
        assert_true(n < 100000);
    }
    assert_true(n > 5);
}

static void test_channel_closed_at_every_turn(void **state)
{
    for (int what = 1; what <= LIFE_PEERS; what++) {
        for (unsigned long n = 0; n < 60; n += 1 + n / 8)
            (void)live(*state, n, what);
    }
}

int main(int argc, char **argv)
{
#define OVER_LINK(test) cmocka_unit_test_setup_teardown(test, side_link_up, side_link_down)
    const struct CMUnitTest tests[] = {
        OVER_LINK(test_server_is_killed),
        OVER_LINK(test_server_hangs),
        OVER_LINK(test_no_ssh_server),
        OVER_LINK(test_bad_beginnings),
        OVER_LINK(test_open_hangs),
        cmocka_unit_test(test_connection_closed_at_every_turn),
        cmocka_unit_test(test_channel_closed_at_every_turn),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("trouble", tests, side_start, side_stop);
}

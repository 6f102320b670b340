/*
 * The first address that answers wins; one that swallows delays the next by a quarter of a second, one that
 * refuses not at all. Time is frozen; a black hole is a listener whose backlog is full.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fcntl.h>

#include <cmocka.h>

#include "proxy/dial.h"
#include "resolver/facts_build.h"

static uv_loop_t loop;
static struct clock *clk;

struct result {
    unsigned calls;
    int fd;
    size_t index;
    struct err err;
};

static void on_dial(void *arg, int fd, size_t index, const struct err *err)
{
    struct result *r = arg;
    r->calls++;
    r->fd = fd;
    r->index = index;
    if (err)
        r->err = *err;
}

static int setup(void **state)
{
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(clock_new(&clk, &loop), 0);
    clock_test_freeze(clk, 1000);
    return 0;
}

static int teardown(void **state)
{
    clock_close(clk, NULL, NULL);
    for (int i = 0; i < 100 && uv_run(&loop, UV_RUN_NOWAIT) != 0; i++)
        ;
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

static int listener_at(const char *host, uint16_t port, int backlog)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    bool is_v4 = uv_ip4_addr(host, port, &v4) == 0;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM, 0), one = 1;
    if (!is_v4)
        assert_int_equal(uv_ip6_addr(host, port, &v6), 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6, is_v4 ? sizeof v4 : sizeof v6) !=
            0 ||
        listen(fd, backlog) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int listener(struct dial_address *a, int backlog)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(fd, backlog), 0);
    getsockname(fd, (struct sockaddr *)&in, &len);
    snprintf(a->host, sizeof a->host, "127.0.0.1");
    a->port = ntohs(in.sin_port);
    return fd;
}

/* A listener that takes no more: what connects now hears nothing. Returns how many descriptors it took. */
static int black_hole(struct dial_address *a, int fds[8])
{
    int n = 0;
    fds[n++] = listener(a, 0);
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(a->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    while (n < 8) {
        fds[n] = socket(AF_INET, SOCK_STREAM, 0);
        fcntl(fds[n], F_SETFL, O_NONBLOCK);
        connect(fds[n++], (struct sockaddr *)&in, sizeof in);
    }
    return n;
}

static void run_until(const struct result *r, unsigned calls)
{
    uint64_t end = uv_hrtime() + 5000000000u;
    while (r->calls < calls && uv_hrtime() < end) {
        clock_test_advance(clk, 0);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(r->calls, calls);
}

static void turns(int n)
{
    while (n-- > 0) {
        clock_test_advance(clk, 0);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
}

static void dial(struct dial **d, const struct dial_address *a, size_t n, uint32_t deadline_ms,
                 struct result *r)
{
    struct err err = {0};
    *r = (struct result){.fd = -1};
    assert_int_equal(dial_start(d, &loop, clk, a, n, deadline_ms, on_dial, r, &err), 0);
    assert_int_equal(r->calls, 0);
}

static void test_connects_and_hands_the_descriptor_out(void **state)
{
    struct dial_address a;
    struct result r;
    struct dial *d;
    int l = listener(&a, 5);
    dial(&d, &a, 1, 1000, &r);
    run_until(&r, 1);
    assert_int_equal(r.err.code, 0);
    assert_true(fcntl(r.fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(r.fd, F_GETFD) & FD_CLOEXEC);
    int peer = accept(l, NULL, NULL);
    assert_int_equal(write(r.fd, "x", 1), 1);
    char c;
    assert_int_equal(read(peer, &c, 1), 1);
    close(peer);
    close(r.fd);
    close(l);
}

static void test_refusal_moves_on_at_once(void **state)
{
    struct dial_address a[2] = {{.host = "127.0.0.1", .port = 1}};
    struct result r;
    struct dial *d;
    int l = listener(&a[1], 5);
    dial(&d, a, 2, 1000, &r);
    run_until(&r, 1); /* without any time passing */
    assert_int_equal(r.err.code, 0);
    assert_int_equal(r.index, 1);
    close(r.fd);
    close(l);
}

static void test_black_hole_is_overtaken(void **state)
{
    struct dial_address a[2];
    struct result r;
    struct dial *d;
    int fds[8], n = black_hole(&a[0], fds), l = listener(&a[1], 5);
    dial(&d, a, 2, 5000, &r);
    turns(20);
    clock_test_advance(clk, DIAL_STAGGER_MS - 1);
    turns(20);
    assert_int_equal(r.calls, 0);
    clock_test_advance(clk, 1);
    run_until(&r, 1);
    assert_int_equal(r.index, 1);
    close(r.fd);
    close(l);
    while (n > 0)
        close(fds[--n]);
}

/* A VM with three addresses of a family that is broken here and one of the other: as many attempts as there
 * are families, so one stagger (RFC 8305 §4, §5). */
static void test_a_broken_family_costs_one_stagger(void **state)
{
    static const char *const PUBLIC[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"};
    struct resolver_facts *facts;
    struct dial_address hole, a[DIAL_ADDRESSES_MAX];
    const struct resolver_address *picked[DIAL_ADDRESSES_MAX];
    struct result r;
    struct dial *d;
    int fds[8], n = black_hole(&hole, fds), l = listener_at("::1", hole.port, 5);
    assert_int_equal(
        facts_new(&facts,
                  "/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/g/providers/"
                  "Microsoft.Compute/virtualMachines/v",
                  RESOLVER_SOURCE_ARM, NULL),
        0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(facts_address_add(facts, PUBLIC[i], true, true, i == 0), 0);
    facts_address_sort(facts);
    int count = resolver_facts_pick(facts, &(struct resolver_want){0}, picked, DIAL_ADDRESSES_MAX, NULL);
    assert_int_equal(count, 4);
    for (int i = 0; i < count; i++) {
        snprintf(a[i].host, sizeof a[i].host, "%s", picked[i]->ip);
        a[i].port = hole.port;
    }
    resolver_facts_unref(facts);
    if (l < 0) { /* no IPv6 on this machine */
        while (n > 0)
            close(fds[--n]);
        skip();
    }
    dial(&d, a, (size_t)count, 5000, &r);
    turns(20);
    assert_int_equal(r.calls, 0);
    clock_test_advance(clk, DIAL_STAGGER_MS);
    run_until(&r, 1);
    assert_int_equal(r.err.code, 0);
    assert_int_equal(r.index, 1);
    assert_string_equal(a[1].host, "::1");
    close(r.fd);
    close(l);
    while (n > 0)
        close(fds[--n]);
}

static void test_deadline_names_every_address(void **state)
{
    struct dial_address a[2];
    struct result r;
    struct dial *d;
    int fds[8], n = black_hole(&a[0], fds);
    a[1] = (struct dial_address){.host = "::1", .port = 1};
    dial(&d, a, 2, 3000, &r);
    turns(5);
    clock_test_advance(clk, DIAL_STAGGER_MS);
    turns(5);
    assert_int_equal(r.calls, 0);
    clock_test_advance(clk, 3000);
    assert_int_equal(r.calls, 1);
    char first[DIAL_TEXT_MAX];
    dial_address_text(&a[0], first);
    assert_non_null(strstr(r.err.msg, first));
    assert_non_null(strstr(r.err.msg, "[::1]:1"));
    while (n > 0)
        close(fds[--n]);
}

static void test_all_refuse(void **state)
{
    struct dial_address a = {.host = "127.0.0.1", .port = 1};
    struct result r;
    struct dial *d;
    dial(&d, &a, 1, 1000, &r);
    run_until(&r, 1);
    assert_int_equal(r.fd, -1);
    assert_int_equal(r.err.code, ERR_REFUSED);
    assert_string_equal(r.err.msg, "connect to 127.0.0.1:1: connection refused");
}

static void test_what_is_no_address_is_an_error_like_any_other(void **state)
{
    struct dial_address a[2] = {{.host = "not-an-address", .port = 22}};
    struct result r;
    struct dial *d;
    int l = listener(&a[1], 5);
    dial(&d, a, 2, 1000, &r);
    run_until(&r, 1);
    assert_int_equal(r.index, 1);
    close(r.fd);
    close(l);
}

static void test_cancel_is_silent_at_any_time(void **state)
{
    struct dial_address a[3] = {{.host = "127.0.0.1", .port = 1}};
    int fds[8], n = black_hole(&a[1], fds), l = listener(&a[2], 5);
    for (int after = 0; after < 12; after++) {
        struct result r;
        struct dial *d;
        dial(&d, a, 3, 1000, &r);
        for (int i = 0; i < after && r.calls == 0; i++) {
            turns(1);
            clock_test_advance(clk, 40);
        }
        if (r.calls == 0)
            dial_cancel(d);
        unsigned calls = r.calls;
        turns(5);
        clock_test_advance(clk, 5000);
        assert_int_equal(r.calls, calls);
        if (r.fd >= 0)
            close(r.fd);
    }
    close(l);
    while (n > 0)
        close(fds[--n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_connects_and_hands_the_descriptor_out),
        T(test_refusal_moves_on_at_once),
        T(test_black_hole_is_overtaken),
        T(test_a_broken_family_costs_one_stagger),
        T(test_deadline_names_every_address),
        T(test_all_refuse),
        T(test_what_is_no_address_is_an_error_like_any_other),
        T(test_cancel_is_silent_at_any_time),
#undef T
    };
    return cmocka_run_group_tests_name("dial", tests, NULL, NULL);
}

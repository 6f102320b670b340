/*
 * test_splice: every byte arrives, each direction ends on its own, and a reader that is gone ends it all.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/splice.h"

#define DEADLINE_MS 20000

/* in[1] → in[0] = splice = sock[0] ↔ sock[1]; out[1] → out[0] */
struct rig {
    int in[2], out[2], sock[2];
    pthread_t thread;
    int rc;
    struct err err;
};

static void *run(void *arg)
{
    struct rig *r = arg;
    r->rc = splice_run(r->in[0], r->out[1], r->sock[0], &r->err);
    close(r->sock[0]);
    return NULL;
}

static void start(struct rig *r)
{
    memset(r, 0, sizeof *r);
    assert_int_equal(pipe(r->in), 0);
    assert_int_equal(pipe(r->out), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, r->sock), 0);
    assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
}

static void finish(struct rig *r, int rc)
{
    pthread_join(r->thread, NULL);
    assert_int_equal(r->rc, rc);
}

static void expect(int fd, const char *text)
{
    char buf[256] = "";
    size_t want = strlen(text), got = 0;
    while (got < want) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
        ssize_t n = read(fd, buf + got, want - got);
        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_string_equal(buf, text);
}

static void expect_end(int fd)
{
    char c;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
    assert_int_equal(read(fd, &c, 1), 0);
}

static void put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void test_our_end_first(void **state)
{
    struct rig r;
    start(&r);
    put(r.in[1], "request");
    close(r.in[1]);
    expect(r.sock[1], "request");
    expect_end(r.sock[1]); /* the socket knows that no more comes */
    put(r.sock[1], "answer, long after");
    expect(r.out[0], "answer, long after");
    close(r.sock[1]);
    expect_end(r.out[0]);
    finish(&r, 0);
    close(r.in[0]);
    close(r.out[0]);
}

static void test_their_end_first(void **state)
{
    struct rig r;
    start(&r);
    put(r.sock[1], "banner");
    shutdown(r.sock[1], SHUT_WR);
    expect(r.out[0], "banner");
    expect_end(r.out[0]); /* standard output is closed while input goes on */
    put(r.in[1], "still here");
    expect(r.sock[1], "still here");
    close(r.in[1]);
    expect_end(r.sock[1]);
    finish(&r, 0);
    close(r.sock[1]);
    close(r.in[0]);
    close(r.out[0]);
}

static void test_reader_gone(void **state)
{
    struct rig r;
    start(&r);
    close(r.out[0]); /* ssh was killed; nothing is under way */
    finish(&r, 0);
    close(r.in[0]);
    close(r.in[1]);
    close(r.sock[1]);
}

static void test_socket_gone(void **state)
{
    struct rig r;
    start(&r);
    close(r.sock[1]);
    expect_end(r.out[0]);
    put(r.in[1], "to nobody");
    close(r.in[1]);
    finish(&r, 0);
    close(r.in[0]);
    close(r.out[0]);
}

struct pump {
    int fd;
    bool writes;
    uint64_t sum;
};

#define MANY (8u << 20)

static void *pump(void *arg)
{
    struct pump *p = arg;
    uint8_t buf[8192];
    uint32_t x = 1;
    for (size_t done = 0; done < MANY;) {
        size_t n = sizeof buf - done % 7; /* odd sizes */
        n = n < MANY - done ? n : MANY - done;
        if (p->writes)
            for (size_t i = 0; i < n; i++)
                buf[i] = (uint8_t)((x = x * 1103515245u + 12345u) >> 16);
        ssize_t got = p->writes ? write(p->fd, buf, n) : read(p->fd, buf, n);
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got; i++)
            p->sum = p->sum * 31 + buf[i];
        done += (size_t)got;
        if (p->writes && (size_t)got < n)
            break; /* blocking descriptors write all */
    }
    return NULL;
}

static void test_both_ways_at_once(void **state)
{
    struct rig r;
    start(&r);
    struct pump p[4] = {
        {r.in[1], true, 0}, {r.sock[1], false, 0}, {r.sock[1], true, 0}, {r.out[0], false, 0}};
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, pump, &p[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    assert_true(p[0].sum == p[1].sum);
    assert_true(p[2].sum == p[3].sum);
    close(r.in[1]);
    shutdown(r.sock[1], SHUT_WR);
    finish(&r, 0);
    close(r.sock[1]);
    close(r.in[0]);
    close(r.out[0]);
}

static void test_flags_are_put_back(void **state)
{
    struct rig r;
    start(&r);
    close(r.in[1]);
    close(r.sock[1]);
    finish(&r, 0);
    assert_int_equal(fcntl(r.in[0], F_GETFL) & O_NONBLOCK, 0);
    close(r.in[0]);
    close(r.out[0]);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_our_end_first),     cmocka_unit_test(test_their_end_first),
        cmocka_unit_test(test_reader_gone),       cmocka_unit_test(test_socket_gone),
        cmocka_unit_test(test_both_ways_at_once), cmocka_unit_test(test_flags_are_put_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

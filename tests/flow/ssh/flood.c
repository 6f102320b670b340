/*
 * flood: a server that asks without end and reads no answer: what waits for it has a limit.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "far.h"
#include "ssh/stream.h"
#include "world.h"

struct flood {
    struct world world;
    struct link link;
    struct far far;
    char dir[64], known[96];
    int listener, fd;
    bool flooding;
    size_t most; /* bytes that waited at our side */
};

static uint16_t listen_here(int *fd)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(*fd, 1), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.sin_port);
}

static void hear(struct flood *f)
{
    uint8_t buf[65536];
    ssize_t n;
    while ((n = read(f->fd, buf, sizeof buf)) > 0)
        far_take(&f->far, buf, (size_t)n);
    assert_int_equal(far_run(&f->far), 0);
}

/* An answer to each of these is longer than it. */
static void ask_on(struct flood *f)
{
    static const uint8_t open[17] = {MSG_CHANNEL_OPEN, [16] = 1};
    while (f->far.out.len < 65536)
        far_send(&f->far, open, sizeof open);
}

static void each_turn(struct world *w)
{
    struct flood *f = w->user;
    size_t waiting = w->pool.used * CHUNK_SIZE;
    f->most = waiting > f->most ? waiting : f->most;
    if (f->flooding)
        ask_on(f);
    else
        hear(f);
    ssize_t n = f->far.out.len > 0 ? send(f->fd, f->far.out.data, f->far.out.len, MSG_NOSIGNAL) : 0;
    if (n <= 0)
        return;
    memmove(f->far.out.data, f->far.out.data + n, f->far.out.len - (size_t)n);
    f->far.out.len -= (size_t)n;
}

static bool is_up(void *arg)
{
    struct flood *f = arg;
    return f->link.up || f->link.closed;
}

static bool is_closed(void *arg)
{
    return ((struct flood *)arg)->link.closed;
}

static void test_answers_that_nobody_reads(void **state)
{
    struct flood f = {.dir = "/tmp/adit-flood-XXXXXX"};
    struct far_options far_options = {.lets_in = true, .strict = true};
    struct err err;
    assert_non_null(mkdtemp(f.dir));
    snprintf(f.known, sizeof f.known, "%s/known", f.dir);
    struct link_options o = {.engine = "native", .user = "u", .known_hosts = f.known};
    far_init(&f.far, &far_options);
    far_start(&f.far);
    world_open(&f.world);
    o.port = listen_here(&f.listener);
    assert_int_equal(link_open(&f.world, &f.link, &o, &err), 0);
    f.fd = accept(f.listener, NULL, NULL);
    assert_int_equal(fcntl(f.fd, F_SETFL, O_NONBLOCK), 0);
    f.world.each_turn = each_turn;
    f.world.user = &f;
    assert_true(world_run_until(&f.world, is_up, &f, 10000));
    if (!f.link.up)
        fail_msg("%s", f.link.why.msg);
    f.flooding = true;
    assert_true(world_run_until(&f.world, is_closed, &f, 60000));
    assert_int_equal(f.link.why.code, ERR_LIMIT);
    assert_non_null(strstr(f.link.why.msg, "the server does not read: 16 MiB wait for it already"));
    assert_in_range(f.most, SSH_STREAM_MAX / 2, SSH_STREAM_MAX + CHUNK_SIZE);
    world_close(&f.world);
    far_done(&f.far);
    close(f.fd);
    close(f.listener);
    unlink(f.known);
    strcat(f.known, ".lock");
    unlink(f.known);
    assert_int_equal(rmdir(f.dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers_that_nobody_reads)};
    return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}

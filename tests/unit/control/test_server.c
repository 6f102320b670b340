/*
 * test_server: rude, broken, slow and many clients: each gets what it deserves, the others notice nothing.
 */
#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "rig.h"

static int setup(void **state)
{
    struct rig *r = mem_zalloc(sizeof *r);
    rig_start(r);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    rig_stop(r);
    mem_free(r);
    return 0;
}

static void assert_serves(const struct rig *r)
{
    int fd = rig_hello(r);
    rig_send(fd, "{\"id\":1,\"op\":\"echo\",\"args\":{\"a\":\"fine\"}}\n");
    rig_expect(fd, "{\"id\":1,\"ok\":{\"a\":\"fine\"}}");
    close(fd);
}

static void test_garbage_ends_one_connection(void **state)
{
    static const char *const GARBAGE[] = {"\n",
                                          "hello\n",
                                          "[]\n",
                                          "{\"id\":1}\n",
                                          "{\"id\":1,\"op\":5}\n",
                                          "\xff\xfe\n",
                                          "{\"adit\":1}\n",
                                          "{\"cancel\":\"x\"}\n"};
    for (size_t i = 0; i < sizeof GARBAGE / sizeof GARBAGE[0]; i++) {
        int fd = rig_hello(*state);
        rig_send(fd, GARBAGE[i]);
        rig_expect(fd, "{\"error\":{\"code\":\"protocol\"");
        rig_expect_end(fd);
    }
    assert_serves(*state);
}

static void test_hello_comes_first(void **state)
{
    int fd = rig_connect(*state);
    rig_expect(fd, "\"adit\":1");
    rig_send(fd, "{\"id\":1,\"op\":\"echo\"}\n");
    rig_expect(fd, "hello");
    rig_expect_end(fd);
}

static void test_another_version_may_only_ask_and_stop(void **state)
{
    struct rig *r = *state;
    int fd = rig_connect(r);
    rig_expect(fd, "\"adit\":1");
    rig_send(fd, "{\"adit\":2}\n{\"id\":1,\"op\":\"echo\"}\n{\"id\":2,\"op\":\"stop\"}\n");
    rig_expect(fd, "{\"id\":1,\"error\":{\"code\":\"version\"");
    rig_wait(&r->hanging, 1); /* "stop" got through */
    close(fd);
    rig_wait(&r->gone, 1);
}

static void test_oversized_line(void **state)
{
    size_t n = CONTROL_REQUEST_LINE_MAX + 10;
    char *line = mem_alloc(n + 1);
    memset(line, ' ', n);
    line[n] = '\0';
    int fd = rig_hello(*state);
    rig_send(fd, line); /* no LF ever comes */
    rig_expect(fd, "{\"error\":{\"code\":\"limit\"");
    rig_expect_end(fd);
    mem_free(line);
    assert_serves(*state);
}

static void test_largest_line_is_served(void **state)
{
    size_t n = CONTROL_REQUEST_LINE_MAX;
    static const char HEAD[] = "{\"id\":1,\"op\":\"echo\"}";
    char *line = mem_alloc(n + 1);
    memset(line, ' ', n);
    memcpy(line, HEAD, sizeof HEAD - 1);
    line[n - 1] = '\n';
    line[n] = '\0';
    int fd = rig_hello(*state);
    rig_send(fd, line);
    rig_expect(fd, "{\"id\":1,\"ok\":{}}");
    close(fd);
    mem_free(line);
}

static void test_half_messages(void **state)
{
    static const char TEXT[] = "{\"id\":1,\"op\":\"echo\"}\n{\"id\":2,\"op\":\"echo\"}\n";
    int fd = rig_hello(*state);
    for (size_t i = 0; TEXT[i]; i++)
        rig_send(fd, (char[]){TEXT[i], '\0'});
    rig_expect(fd, "{\"id\":1,\"ok\":{}}");
    rig_expect(fd, "{\"id\":2,\"ok\":{}}");
    rig_send(fd, "{\"id\":3,\"op\"");
    close(fd); /* in the middle of a line */
    assert_serves(*state);
}

static void test_client_that_goes_is_told_to_the_handlers(void **state)
{
    struct rig *r = *state;
    int fd = rig_hello(r);
    rig_send(fd, "{\"id\":1,\"op\":\"hang\"}\n{\"id\":2,\"op\":\"hang\"}\n");
    rig_wait(&r->hanging, 2);
    rig_send(fd, "{\"cancel\":2}\n{\"cancel\":99}\n");
    rig_expect(fd, "{\"id\":2,\"error\":{\"code\":\"canceled\"");
    assert_int_equal(atomic_load(&r->gone), 1);
    close(fd);
    rig_wait(&r->gone, 2);
}

static void test_id_in_use(void **state)
{
    int fd = rig_hello(*state);
    rig_send(fd, "{\"id\":1,\"op\":\"hang\"}\n{\"id\":1,\"op\":\"echo\"}\n");
    rig_expect(fd, "{\"error\":{\"code\":\"protocol\"");
    rig_expect_end(fd);
}

static void test_too_many_requests(void **state)
{
    char line[64];
    int fd = rig_hello(*state);
    for (int i = 1; i <= CONTROL_REQUESTS_MAX + 1; i++) {
        snprintf(line, sizeof line, "{\"id\":%d,\"op\":\"hang\"}\n", i);
        rig_send(fd, line);
    }
    snprintf(line, sizeof line, "{\"id\":%d,\"error\":{\"code\":\"limit\"", CONTROL_REQUESTS_MAX + 1);
    rig_expect(fd, line);
    rig_send(fd, "{\"cancel\":1}\n");
    rig_expect(fd, "{\"id\":1,\"error\":{\"code\":\"canceled\"");
    rig_send(fd, "{\"id\":1,\"op\":\"echo\"}\n");
    rig_expect(fd, "{\"id\":1,\"ok\"");
    close(fd);
}

static void test_answer_that_is_too_long(void **state)
{
    int fd = rig_hello(*state);
    rig_send(fd, "{\"id\":1,\"op\":\"big\",\"args\":{\"size\":9000000}}\n");
    rig_expect(fd, "{\"id\":1,\"error\":{\"code\":\"limit\"");
    rig_send(fd, "{\"id\":2,\"op\":\"echo\"}\n");
    rig_expect(fd, "{\"id\":2,\"ok\"");
    close(fd);
}

static void test_client_that_does_not_read_is_dropped(void **state)
{
    char buf[65536];
    size_t total = 0;
    ssize_t n;
    int fd = rig_hello(*state);
    for (int i = 1; i <= 20; i++) {
        char line[96];
        snprintf(line, sizeof line, "{\"id\":%d,\"op\":\"big\",\"args\":{\"size\":2000000}}\n", i);
        rig_send(fd, line);
    }
    struct pollfd end = {.fd = fd};
    assert_int_equal(poll(&end, 1, 20000), 1); /* nothing has been read, and yet the connection ends */
    assert_true(end.revents & POLLHUP);
    while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
        total += (size_t)n;
    assert_true(total < 20u * 2000000u); /* not all of it was kept for us */
    close(fd);
    assert_serves(*state);
}

static void test_three_hundred_clients(void **state)
{
    enum { CLIENTS = 300 };
    int fds[CLIENTS], served = 0, refused = 0;
    char line[1024];

    for (int i = 0; i < CLIENTS; i++)
        fds[i] = rig_connect(*state);
    for (int i = 0; i < CLIENTS; i++) {
        rig_line(fds[i], line, sizeof line);
        assert_non_null(strstr(line, "\"adit\":1"));
        if (strstr(line, "\"code\":\"limit\"")) {
            refused++;
            rig_expect_end(fds[i]);
            fds[i] = -1;
            continue;
        }
        served++;
        rig_send(fds[i], "{\"adit\":1}\n{\"id\":1,\"op\":\"echo\"}\n");
    }
    for (int i = 0; i < CLIENTS; i++) {
        if (fds[i] < 0)
            continue;
        rig_expect(fds[i], "{\"id\":1,\"ok\"");
        close(fds[i]);
    }
    assert_int_equal(served, CONTROL_CLIENTS_MAX);
    assert_int_equal(refused, CLIENTS - CONTROL_CLIENTS_MAX);
}

static void test_descriptors_of_clients_are_not_taken(void **state)
{
    int fd = rig_hello(*state), fds[2];
    static const char TEXT[] = "{\"id\":1,\"op\":\"echo\"}\n";
    struct iovec iov = {(void *)(uintptr_t)TEXT, sizeof TEXT - 1};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } room;
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes};
    char c;

    assert_int_equal(pipe(fds), 0);
    memset(&room, 0, sizeof room);
    struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &fds[1], sizeof(int));
    assert_int_equal(sendmsg(fd, &msg, 0), sizeof TEXT - 1);
    close(fds[1]);
    rig_expect(fd, "{\"id\":1,\"ok\"");
    assert_int_equal(read(fds[0], &c, 1), 0); /* the last writing end is closed: the server kept none */
    close(fds[0]);
    close(fd);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_garbage_ends_one_connection),
        EACH(test_hello_comes_first),
        EACH(test_another_version_may_only_ask_and_stop),
        EACH(test_oversized_line),
        EACH(test_largest_line_is_served),
        EACH(test_half_messages),
        EACH(test_client_that_goes_is_told_to_the_handlers),
        EACH(test_id_in_use),
        EACH(test_too_many_requests),
        EACH(test_answer_that_is_too_long),
        EACH(test_client_that_does_not_read_is_dropped),
        EACH(test_three_hundred_clients),
        EACH(test_descriptors_of_clients_are_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

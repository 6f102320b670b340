/*
 * Dynamic forwards: what a client says reaches the target it names, whole and in order, and "connected" comes
 * when it is true.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "caller.h"
#include "fake_ssh.h"
#include "proxy/greeting.h"

static const struct {
    const char *name, *request;
    size_t request_len;
    const char *answer;
    size_t answer_len;
    const char *host;
} kinds[] = {
    {"SOCKS 4", BYTES("\4\1\0\7\12\1\2\3me\0"), BYTES("\0\132\0\0\0\0\0\0"), "10.1.2.3"},
    {"SOCKS 4a", BYTES("\4\1\0\7\0\0\0\1\0web-1.x\0"), BYTES("\0\132\0\0\0\0\0\0"), "web-1.x"},
    {"SOCKS 5, name", BYTES(TO_ECHO), BYTES(YES), "web-1"},
    {"SOCKS 5, IPv4", BYTES("\5\2\2\0\5\1\0\1\12\1\2\3\0\7"), BYTES(YES), "10.1.2.3"},
    {"SOCKS 5, IPv6", BYTES("\5\1\0\5\1\0\4\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\7"), BYTES(YES), "fd00::1"},
    {"HTTP",
     BYTES("CONNECT web-1:7 HTTP/1.1\r\nHost: web-1:7\r\nProxy-Authorization: Basic c2VjcmV0\r\n\r\n"),
     BYTES("HTTP/1.1 200 Connection established\r\n\r\n"), "web-1"},
    {"HTTP, IPv6", BYTES("CONNECT [fd00::1]:7 HTTP/1.0\n\n"),
     BYTES("HTTP/1.1 200 Connection established\r\n\r\n"), "fd00::1"},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static void test_each_protocol_reaches_the_target_it_names(void **state)
{
    for (size_t k = 0; k < KINDS; k++) {
        int fd = caller();
        say(fd, kinds[k].request, kinds[k].request_len);
        expect(fd, kinds[k].answer, kinds[k].answer_len);
        assert_string_equal(fake_counts().last_host, kinds[k].host);
        assert_int_equal(fake_counts().last_port, FAKE_ECHO);
        say(fd, BYTES("hello"));
        expect(fd, BYTES("hello"));
        shutdown(fd, SHUT_WR);
        expect_end(fd);
    }
    assert_int_equal(caller_forward()->flows_total, KINDS);
    assert_int_equal(caller_forward()->flows_failed, 0);
    assert_int_equal(caller_forward()->bytes.in, 5 * KINDS); /* the greeting is ours, not the target's */
    assert_int_equal(caller_forward()->bytes.out, 5 * KINDS);
}

static void test_request_may_come_in_pieces_of_any_size(void **state)
{
    for (size_t k = 0; k < KINDS; k++)
        for (size_t cut = 1; cut < kinds[k].request_len; cut++) {
            int fd = caller();
            say(fd, kinds[k].request, cut);
            rig_turns(&caller_rig, 3);
            assert_int_equal(fake_counts().chans_alive, 0);
            say(fd, kinds[k].request + cut, kinds[k].request_len - cut);
            expect(fd, kinds[k].answer, kinds[k].answer_len);
            close(fd);
            assert_true(rig_until(&caller_rig, caller_rig.plane.flows == 0));
        }
}

static void test_bytes_behind_the_request_are_the_first_of_the_connection(void **state)
{
    static const size_t sizes[] = {0, 1, 3000, 3900, 5000, 1 << 20};
    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            char *all = malloc(kinds[k].request_len + 6000);
            size_t early = sizes[i] < 6000 ? sizes[i] : 6000;
            memcpy(all, kinds[k].request, kinds[k].request_len);
            for (size_t b = 0; b < early; b++)
                all[kinds[k].request_len + b] = (char)fake_pattern(b);
            fake.chunk_max = i % 2 ? 100 : 0;
            struct client c = {.to_send = sizes[i],
                               .check = true,
                               .end_when_sent = true,
                               .step = 65536,
                               .skip = kinds[k].answer_len};
            client_connect(&c, rig_port(caller_vm, 0));
            say(c.fd, all, kinds[k].request_len + early); /* in one piece */
            c.sent = early;
            assert_true(rig_until(&caller_rig, client_over(&c)));
            assert_true(c.eof);
            assert_int_equal(c.received, sizes[i]);
            client_close(&c);
            free(all);
        }
}

/* The end of file stands right behind the request: the target's answer still comes. */
static void test_client_that_ends_behind_its_request_gets_the_answer(void **state)
{
    for (int i = 0; i < 20; i++) {
        int fd = caller();
        say(fd, BYTES("\5\1\0\5\1\0\3\5web-1\0\15early")); /* FAKE_LATER answers when we have ended */
        shutdown(fd, SHUT_WR);
        expect(fd, BYTES(YES "early"));
        expect_end(fd);
    }
}

static void test_connected_is_said_when_it_is_true(void **state)
{
    fake.stall_opens = true;
    int fd = caller();
    say(fd, BYTES(TO_ECHO "ping"));
    expect(fd, BYTES("\5\0"));
    rig_turns(&caller_rig, 200);
    assert_int_equal(fake_counts().chans_alive, 1);
    assert_true(nothing(fd));
    fake.stall_opens = false;
    int other = caller(); /* the fake takes a look */
    say(other, BYTES(TO_ECHO));
    expect(fd, BYTES("\5\0\0\1\0\0\0\0\0\0ping"));
    close(other);
    close(fd);
}

/* The deadline is for the client's words alone; its VM may take longer. */
static void test_vm_that_comes_up_late(void **state)
{
    const struct rig_answer away = {.code = ERR_UNAVAILABLE, .text = "it is deallocated"};
    const struct rig_answer back = rig_sshd(&caller_rig);
    rig_answers(&caller_rig, &away, 1);
    caller_vm->config->ssh.connect_timeout_ms = 3 * GREETING_MS;
    fake_kill(0, ERR_CLOSED, "the server closed the connection");
    assert_true(rig_until(&caller_rig, caller_vm->state == PROXY_VM_WAITING));
    int fd = caller();
    say(fd, BYTES(TO_ECHO "ping"));
    expect(fd, BYTES("\5\0"));
    rig_pass(&caller_rig, GREETING_MS + 1000);
    assert_int_equal(caller_rig.plane.greeting_count, 0);
    assert_true(nothing(fd));
    rig_answers(&caller_rig, &back, 1);
    expect(fd, BYTES("\5\0\0\1\0\0\0\0\0\0ping"));
    close(fd);
}

static unsigned flows_of(enum pool_class cls)
{
    unsigned n = 0;
    for (size_t s = 0; s < POOL_STATES; s++) {
        struct pool_conn *c;
        list_each(c, &caller_vm->pool.conns[s], struct pool_conn, node) n += c->load.flows[cls];
    }
    return n;
}

static void test_requested_port_tells_the_class(void **state)
{
    static const char *const requests[] = {"CONNECT a:3389 HTTP/1.1\n\n", "CONNECT a:443 HTTP/1.1\n\n",
                                           "CONNECT a:22 HTTP/1.1\n\n"};
    int fds[3];
    fake.chunk_max = 1;
    for (size_t i = 0; i < 3; i++) {
        fds[i] = caller();
        say(fds[i], requests[i], strlen(requests[i]));
        expect(fds[i], BYTES("HTTP/1.1 200 "));
    }
    assert_int_equal(flows_of(POOL_INTERACTIVE), 2);
    assert_int_equal(flows_of(POOL_UNKNOWN), 1);
    for (size_t i = 0; i < 3; i++)
        close(fds[i]);
}

static void test_client_that_leaves_in_the_middle(void **state)
{
    for (size_t k = 0; k < KINDS; k++)
        for (size_t cut = 0; cut <= kinds[k].request_len; cut++) {
            int fd = caller();
            say(fd, kinds[k].request, cut);
            close(fd);
            assert_true(
                rig_until(&caller_rig, caller_forward()->flows_total > 0 && caller_rig.plane.flows == 0));
        }
    assert_int_equal(caller_forward()->flows_failed, 0);
    assert_int_equal(caller_rig.plane.greeting_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, caller_setup, caller_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_protocol_reaches_the_target_it_names),
        TEST(test_request_may_come_in_pieces_of_any_size),
        TEST(test_bytes_behind_the_request_are_the_first_of_the_connection),
        TEST(test_client_that_ends_behind_its_request_gets_the_answer),
        TEST(test_connected_is_said_when_it_is_true),
        TEST(test_vm_that_comes_up_late),
        TEST(test_requested_port_tells_the_class),
        TEST(test_client_that_leaves_in_the_middle),
    };
    return cmocka_run_group_tests_name("dynamic", tests, NULL, NULL);
}

/*
 * Dynamic forwards: a client that cannot be connected is told why in its own protocol, and one that does not
 * say where to does not stay.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "caller.h"
#include "fake_ssh.h"
#include "proxy/greeting.h"

static void test_reason_of_the_server_becomes_the_code(void **state)
{
    static const struct {
        const char *said;
        char v5;
        const char *http;
    } rows[] = {
        {"Connection refused", 5, "HTTP/1.1 502 "},
        {"connect failed", 5, "HTTP/1.1 502 "},
        {"Connection timed out", 6, "HTTP/1.1 504 "},
        {"No route to host", 4, "HTTP/1.1 502 "},
        {"Network is unreachable", 3, "HTTP/1.1 502 "},
        {"Name or service not known", 4, "HTTP/1.1 502 "},
        {"administratively prohibited: open failed", 2, "HTTP/1.1 403 "},
        {"resource shortage", 1, "HTTP/1.1 503 "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fake.refusal = rows[i].said;
        char answer[] = "\5\0\5\0\0\1\0\0\0\0\0\0";
        answer[3] = rows[i].v5;
        int fd = caller();
        say(fd, BYTES("\5\1\0\5\1\0\3\5web-1\0\4"));
        expect(fd, BYTES(answer));
        expect_end(fd);
        fd = caller();
        say(fd, BYTES("\4\1\0\4\12\1\2\3\0"));
        expect(fd, BYTES("\0\133\0\0\0\0\0\0"));
        expect_end(fd);
        fd = caller();
        say(fd, BYTES("CONNECT web-1:4 HTTP/1.1\r\n\r\n"));
        expect(fd, rows[i].http, strlen(rows[i].http));
        close(fd);
    }
    assert_true(rig_until(&caller_rig, caller_rig.plane.flows == 0));
    assert_int_equal(caller_forward()->flows_failed, 3 * sizeof rows / sizeof rows[0]);
}

/* What the client said behind its request must not turn the answer into a reset. */
static void test_refusal_reaches_a_client_that_talks_on(void **state)
{
    int fd = caller();
    char early[20000] = "\5\1\0\5\1\0\3\5web-1\0\4";
    say(fd, early, sizeof early);
    expect(fd, BYTES("\5\0\5\5\0\1\0\0\0\0\0\0"));
    for (int i = 0; i < 50; i++) {
        say(fd, early, 1000);
        rig_turn(&caller_rig);
    }
    expect_end(fd);
    assert_int_equal(caller_forward()->err.code, 0); /* where clients go is not the forward's trouble */
}

static void test_refused_client_that_stays_is_closed(void **state)
{
    int fd = caller();
    say(fd, BYTES("\4\1\0\4\12\1\2\3\0"));
    expect(fd, BYTES("\0\133\0\0\0\0\0\0"));
    assert_true(rig_until(&caller_rig, ended(fd)));
    assert_int_equal(caller_rig.plane.flows, 1);
    rig_pass(&caller_rig, FLOW_LINGER_MS + 200);
    assert_true(rig_until(&caller_rig, caller_rig.plane.flows == 0));
    close(fd);
}

static void test_target_that_is_never_reached(void **state)
{
    int fd = caller();
    say(fd, BYTES("\5\1\0\5\1\0\3\5web-1\0\5"));
    expect(fd, BYTES("\5\0"));
    rig_pass(&caller_rig, FLOW_OPEN_MS + 1000);
    expect(fd, BYTES("\5\6\0\1\0\0\0\0\0\0"));
    expect_end(fd);
}

static void test_connection_that_dies_meanwhile(void **state)
{
    fake.stall_opens = true;
    int fd = caller();
    say(fd, BYTES(TO_ECHO));
    expect(fd, BYTES("\5\0"));
    assert_true(rig_until(&caller_rig, fake_counts().chans_alive == 1));
    fake_kill(0, ERR_CLOSED, "the server closed the connection");
    expect(fd, BYTES("\5\1\0\1\0\0\0\0\0\0"));
    expect_end(fd);
}

static void test_vm_that_needs_its_user(void **state)
{
    fake.auth_code = ERR_AUTH;
    fake_kill(0, ERR_CLOSED, "the server closed the connection");
    assert_true(rig_until(&caller_rig, caller_vm->state == PROXY_VM_FAILED));
    int fd = caller();
    say(fd, BYTES("CONNECT web-1:7 HTTP/1.1\r\n\r\n"));
    expect(fd, BYTES("HTTP/1.1 503 Service Unavailable\r\n"));
    close(fd);
    fd = caller();
    say(fd, BYTES(TO_ECHO));
    expect(fd, BYTES("\5\0\5\1\0\1\0\0\0\0\0\0"));
    expect_end(fd);
    assert_non_null(strstr(caller_forward()->err.msg, "refused everything"));
}

static void test_what_is_no_request_is_refused(void **state)
{
    static const struct {
        const char *said;
        size_t len;
        const char *answer;
        size_t answer_len;
    } rows[] = {
        {BYTES("\5\1\2"), BYTES("\5\377")},                                        /* only with a password */
        {BYTES("\5\1\0\5\2\0\1\12\1\2\3\0\7"), BYTES("\5\0\5\7\0\1\0\0\0\0\0\0")}, /* BIND */
        {BYTES("\5\1\0\5\1\0\2"), BYTES("\5\0\5\10\0\1\0\0\0\0\0\0")},
        {BYTES("\4\2\0\7\12\1\2\3"), BYTES("\0\133\0\0\0\0\0\0")},
        {BYTES("GET http://web-1/ HTTP/1.1\r\n"), BYTES("HTTP/1.1 405 Method Not Allowed\r\n")},
        {BYTES("CONNECT web-1 HTTP/1.1\r\n"), BYTES("HTTP/1.1 400 Bad Request\r\n")},
        {BYTES("\26\3\1\2\0"), BYTES("")}, /* TLS */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = caller();
        say(fd, rows[i].said, rows[i].len);
        expect(fd, rows[i].answer, rows[i].answer_len);
        shutdown(fd, SHUT_WR);
        assert_true(
            rig_until(&caller_rig, caller_forward()->flows_failed == i + 1 && caller_rig.plane.flows == 0));
        close(fd);
    }
    assert_int_equal(fake_counts().chans_opened, 0);
    assert_non_null(strstr(caller_forward()->err.msg, "neither SOCKS nor HTTP CONNECT"));
}

static void test_half_a_request_is_closed_at_the_deadline(void **state)
{
    int half = caller(), silent = caller(), slow = caller();
    say(half, BYTES("\5\1\0\5\1"));
    say(slow, BYTES("CONNECT "));
    expect(half, BYTES("\5\0"));
    for (int i = 0; i < 9; i++) { /* another byte now and then buys no time */
        rig_pass(&caller_rig, GREETING_MS / 10);
        say(slow, BYTES("x"));
    }
    assert_true(nothing(half) && nothing(silent) && nothing(slow));
    rig_pass(&caller_rig, GREETING_MS / 10 + 200);
    assert_true(rig_until(&caller_rig, ended(half)));
    assert_true(rig_until(&caller_rig, ended(silent)));
    assert_true(rig_until(&caller_rig, ended(slow)));
    assert_true(rig_until(&caller_rig, caller_rig.plane.flows == 0));
    assert_int_equal(caller_forward()->flows_failed, 2); /* who said nothing at all did nothing wrong */
    close(half);
    close(silent);
    close(slow);
}

static void test_clients_that_say_nothing_make_room_for_those_that_do(void **state)
{
    static int fds[GREETING_MAX];
    for (size_t i = 0; i < GREETING_MAX; i++)
        fds[i] = caller();
    assert_true(rig_until(&caller_rig, caller_rig.plane.greeting_count == GREETING_MAX));
    int fd = caller();
    say(fd, BYTES(TO_ECHO));
    expect(fd, BYTES(YES));
    char c;
    assert_int_equal(recv(fds[0], &c, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    for (size_t i = 1; i < GREETING_MAX; i++)
        assert_true(nothing(fds[i]));
    assert_int_equal(caller_rig.plane.greeting_count, GREETING_MAX - 1);
    assert_non_null(strstr(caller_forward()->err.msg, "the oldest is closed"));
    for (size_t i = 0; i < GREETING_MAX; i++)
        close(fds[i]);
    close(fd);
    assert_true(rig_until(&caller_rig, caller_rig.plane.flows == 0));
    assert_int_equal(caller_rig.plane.greeting_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, caller_setup, caller_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reason_of_the_server_becomes_the_code),
        TEST(test_refusal_reaches_a_client_that_talks_on),
        TEST(test_refused_client_that_stays_is_closed),
        TEST(test_target_that_is_never_reached),
        TEST(test_connection_that_dies_meanwhile),
        TEST(test_vm_that_needs_its_user),
        TEST(test_what_is_no_request_is_refused),
        TEST(test_half_a_request_is_closed_at_the_deadline),
        TEST(test_clients_that_say_nothing_make_room_for_those_that_do),
    };
    return cmocka_run_group_tests_name("greeting", tests, NULL, NULL);
}

/*
 * A VM behind another: its SSH runs over a channel of the other's connection, and falls and rises with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_ssh.h"
#include "proxy/via.h"
#include "rig.h"

static struct rig rig;
static struct vm *front, *behind;

static int setup(void **state)
{
    static const char *const echo[] = {"0:localhost:7"};
    memset(&rig, 0, sizeof rig);
    rig_init(&rig);
    struct err err = {0};
    /* Nobody wants the one in front for its own sake. */
    front = rig_vm_with(&rig, rig_config("jump", NULL, 0), 1, 0, 0, &err);
    behind = rig_vm_with(&rig, rig_config("db1", echo, 1), 2, 1, MAIL_WANTED, &err);
    return 0;
}

static int teardown(void **state)
{
    rig_done(&rig);
    return 0;
}

/* The private address, as the one in front sees it: the fake echoes there, and SSH is content with that. */
static void answer_private(void)
{
    struct rig_answer answers[] = {{.address = "10.0.0.4", .port = FAKE_ECHO, .vm_id = "vm-2"},
                                   rig_sshd(&rig)};
    rig_answers(&rig, answers, 2);
}

static void works(void)
{
    struct client c = {.to_send = 100, .check = true, .end_when_sent = true};
    client_connect(&c, rig_port(behind, 0));
    assert_true(rig_until(&rig, client_over(&c)));
    assert_int_equal(c.received, 100);
    client_close(&c);
}

static void test_the_one_in_front_is_brought_up_and_used(void **state)
{
    answer_private();
    assert_true(rig_until(&rig, behind->state == PROXY_VM_UP));
    assert_int_equal(front->state, PROXY_VM_UP);
    assert_int_equal(fake_counts().conns_made, 2);
    works();
    assert_int_equal(front->pool.flow_count, 1);
}

static void test_death_of_the_way_is_named_and_mended(void **state)
{
    answer_private();
    assert_true(rig_until(&rig, behind->state == PROXY_VM_UP));
    fake_kill(1, ERR_TIMEOUT, "keepalive: no answer");
    assert_true(rig_until(&rig, behind->state != PROXY_VM_UP));
    assert_non_null(strstr(behind->err.msg, "connection lost: via jump: keepalive: no answer"));
    rig_answers(&rig, (struct rig_answer[]){{.address = "10.0.0.4", .port = FAKE_ECHO, .vm_id = "vm-2"}}, 1);
    struct rig_answer own = rig_sshd(&rig);
    /* Both ask again; which one comes first does not matter to the one in front: its address has not changed.
     */
    rig_answers(&rig, &own, 1);
    rig_pass(&rig, 60000);
    assert_int_equal(front->state, PROXY_VM_UP);
}

static void test_refused_by_the_private_side(void **state)
{
    struct rig_answer answers[] = {{.address = "10.0.0.4", .port = FAKE_REFUSED, .vm_id = "vm-2"},
                                   rig_sshd(&rig),
                                   {.address = "10.0.0.4", .port = FAKE_REFUSED, .vm_id = "vm-2"}};
    rig_answers(&rig, answers, 3);
    assert_true(rig_until(&rig, behind->state == PROXY_VM_WAITING));
    assert_non_null(strstr(behind->err.msg, "via jump: Connection refused"));
    assert_int_equal(front->state, PROXY_VM_UP);
}

static void test_failed_one_in_front_is_the_reason(void **state)
{
    fake.auth_code = ERR_AUTH;
    answer_private();
    assert_true(rig_until(&rig, front->state == PROXY_VM_FAILED && behind->state == PROXY_VM_WAITING));
    assert_non_null(strstr(behind->err.msg, "via jump: ssh auth"));
    /* Once the user has put that right, this one comes by itself. */
    fake.auth_code = 0;
    struct rig_answer own = rig_sshd(&rig);
    rig_answers(&rig, &own, 1);
    vm_retry(front);
    assert_true(rig_until(&rig, front->state == PROXY_VM_UP));
    answer_private();
    rig_pass(&rig, 10000);
    assert_int_equal(behind->state, PROXY_VM_UP);
}

static void test_one_that_nobody_needs_goes_down_again(void **state)
{
    answer_private();
    assert_true(rig_until(&rig, behind->state == PROXY_VM_UP));
    static const char *const echo[] = {"0:localhost:7"};
    vm_set(behind, rig_config("db1", echo, 1), 1, 0, NULL);
    assert_true(rig_until(&rig, front->pool.flow_count == 0));
    rig_pass(&rig, VM_UNWANTED_IDLE_MS + 1000);
    assert_int_equal(front->state, PROXY_VM_DOWN);
    assert_int_equal(fake_counts().conns_alive, 0);
}

static void test_dialled_stream_carries_bytes_both_ways(void **state)
{
    vm_drop(behind);
    struct dial_address to = {.host = "10.0.0.9", .port = FAKE_ECHO};
    via_dial(&rig.plane, 1, &to, 1, 10000, 42);
    assert_true(rig_until(&rig, rig.dialed_count == 1));
    assert_int_equal(rig.dialed_err.code, 0);
    struct client c = {.fd = rig.dialed_fd, .to_send = 300000, .check = true, .end_when_sent = true};
    assert_true(rig_until(&rig, client_over(&c)));
    assert_true(c.eof);
    assert_int_equal(c.received, 300000);
    client_close(&c);
    assert_true(rig_until(&rig, rig.plane.flows == 0 && list_empty(&rig.plane.vias)));
}

static void test_dial_that_is_refused_says_so(void **state)
{
    vm_drop(behind);
    struct dial_address to[2] = {{.host = "10.0.0.9", .port = FAKE_REFUSED},
                                 {.host = "10.0.0.10", .port = FAKE_REFUSED}};
    via_dial(&rig.plane, 1, to, 2, 10000, 42);
    assert_true(rig_until(&rig, rig.dialed_count == 1));
    assert_int_equal(rig.dialed_err.code, ERR_REFUSED);
    assert_string_equal(rig.dialed_err.msg, "via jump: Connection refused");
}

static void test_second_address_is_tried_when_the_first_refuses(void **state)
{
    vm_drop(behind);
    struct dial_address to[2] = {{.host = "10.0.0.9", .port = FAKE_REFUSED},
                                 {.host = "10.0.0.10", .port = FAKE_ECHO}};
    via_dial(&rig.plane, 1, to, 2, 10000, 42);
    assert_true(rig_until(&rig, rig.dialed_count == 1));
    assert_int_equal(rig.dialed_err.code, 0);
    close(rig.dialed_fd);
}

static void test_private_address_that_swallows_ends_with_the_deadline(void **state)
{
    vm_drop(behind);
    struct dial_address to = {.host = "10.0.0.9", .port = FAKE_HANGS};
    via_dial(&rig.plane, 1, &to, 1, 10000, 42);
    rig_pass(&rig, 9000);
    assert_int_equal(rig.dialed_count, 0);
    rig_pass(&rig, 3000);
    assert_int_equal(rig.dialed_count, 1);
    assert_int_equal(rig.dialed_err.code, ERR_TIMEOUT);
}

static void test_a_circle_is_refused(void **state)
{
    struct err err = {0};
    vm_set(front, rig_config("jump", NULL, 0), 2, 0, &err);
    assert_true(rig_until(&rig, behind->state == PROXY_VM_FAILED || behind->state == PROXY_VM_WAITING));
    assert_non_null(strstr(behind->err.msg, "circle"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_the_one_in_front_is_brought_up_and_used),
        T(test_death_of_the_way_is_named_and_mended),
        T(test_refused_by_the_private_side),
        T(test_failed_one_in_front_is_the_reason),
        T(test_one_that_nobody_needs_goes_down_again),
        T(test_dialled_stream_carries_bytes_both_ways),
        T(test_dial_that_is_refused_says_so),
        T(test_second_address_is_tried_when_the_first_refuses),
        T(test_private_address_that_swallows_ends_with_the_deadline),
        T(test_a_circle_is_refused),
#undef T
    };
    return cmocka_run_group_tests_name("via", tests, NULL, NULL);
}

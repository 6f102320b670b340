/*
 * A VM's way up and back: old addresses, refusals, pauses, waiting clients, and what the user is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_ssh.h"
#include "proxy/forward.h"
#include "rig.h"

static struct rig rig;
static const char *const echo[] = {"0:localhost:7"};

static int setup(void **state)
{
    memset(&rig, 0, sizeof rig);
    rig_init(&rig);
    return 0;
}

static int teardown(void **state)
{
    rig_done(&rig);
    return 0;
}

/* Where nobody listens. */
static struct rig_answer dead(const char *vm_id)
{
    return (struct rig_answer){.address = "127.0.0.1", .port = 1, .vm_id = vm_id};
}

static void works(const struct vm *vm)
{
    struct client c = {.to_send = 100, .check = true, .end_when_sent = true};
    client_connect(&c, rig_port(vm, 0));
    assert_true(rig_until(&rig, client_over(&c)));
    assert_int_equal(c.received, 100);
    client_close(&c);
}

static void test_old_address_is_looked_up_again_at_once(void **state)
{
    struct rig_answer answers[] = {dead("vm-1"), rig_sshd(&rig)};
    rig_answers(&rig, answers, 2);
    const struct vm *vm = rig_vm(&rig, 1, "win11", echo, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    assert_int_equal(rig.lookups, 2);
    assert_int_equal(rig.lookups_direct, 1);
    assert_int_equal(vm->attempts, 0);
    works(vm);
}

static void test_address_that_stays_dead_is_tried_with_growing_pauses(void **state)
{
    struct rig_answer answer = dead("vm-1");
    rig_answers(&rig, &answer, 1);
    const struct vm *vm = rig_vm(&rig, 1, "win11", echo, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_WAITING));
    assert_int_equal(rig.lookups, 2); /* the second one confirmed the first */
    assert_non_null(strstr(vm->err.msg, "connect to 127.0.0.1:1: connection refused"));
    rig_pass(&rig, 600000);
    assert_int_equal(vm->state, PROXY_VM_WAITING);
    /* 1 + 2 + 4 + 8 + 16 + 32 s, then one a minute, each ± 25 %. */
    assert_in_range(vm->attempts, 11, 22);
    assert_int_equal(fake_counts().conns_made, 0);
    struct rig_answer good = rig_sshd(&rig);
    rig_answers(&rig, &good, 1);
    rig_pass(&rig, 75000);
    assert_int_equal(vm->state, PROXY_VM_UP);
}

static void test_refused_authentication_is_not_tried_again(void **state)
{
    fake.auth_code = ERR_AUTH;
    struct vm *vm = rig_vm(&rig, 1, "win11", echo, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_FAILED));
    unsigned made = fake_counts().conns_made;
    rig_pass(&rig, 3600000);
    assert_int_equal(vm->state, PROXY_VM_FAILED);
    assert_int_equal(fake_counts().conns_made, made);
    /* A client is not kept waiting for what will not come. */
    struct client c = {0};
    client_connect(&c, rig_port(vm, 0));
    assert_true(rig_until(&rig, client_over(&c)));
    assert_true(c.reset);
    client_close(&c);
    /* The user acts. */
    fake.auth_code = 0;
    vm_retry(vm);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    works(vm);
}

/* The address now belongs to another VM, which refuses us: that is no reason to give up. */
static void test_refusal_at_a_recycled_address_is_followed_to_the_new_one(void **state)
{
    fake.auth_code = ERR_HOSTKEY;
    fake.auth_failures = 1;
    struct rig_answer old = rig_sshd(&rig), now = old;
    old.vm_id = "vm-old";
    struct rig_answer answers[] = {old, now};
    rig_answers(&rig, answers, 2);
    const struct vm *vm = rig_vm(&rig, 1, "win11", echo, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    assert_int_equal(rig.lookups_direct, 1);
}

static void test_lost_connection_is_back_within_half_a_second(void **state)
{
    const struct vm *vm = rig_vm(&rig, 1, "win11", echo, 1);
    for (int i = 0; i < 10; i++) {
        assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
        fake_kill(0, ERR_TIMEOUT, "keepalive: no answer");
        rig_turns(&rig, 2);
        assert_int_not_equal(vm->state, PROXY_VM_UP); /* it waits, or the pause was that short */
        rig_turns(&rig, 520);
        assert_int_equal(vm->state, PROXY_VM_UP);
        rig_pass(&rig, VM_STABLE_MS);
    }
    assert_int_equal(vm->reconnects, 10);
}

static void test_connection_that_never_lasts_is_not_made_in_a_storm(void **state)
{
    const struct vm *vm = rig_vm(&rig, 1, "win11", echo, 1);
    for (int s = 0; s < 600; s++) {
        fake_kill(0, ERR_CLOSED, "the server closed the connection");
        rig_pass(&rig, 1000);
    }
    assert_in_range(fake_counts().conns_made, 5, 25);
    rig_pass(&rig, 80000);
    assert_int_equal(vm->state, PROXY_VM_UP);
}

static void test_sleep_ends_a_long_pause(void **state)
{
    struct rig_answer answer = dead("vm-1");
    rig_answers(&rig, &answer, 1);
    struct vm *vm = rig_vm(&rig, 1, "win11", echo, 1);
    rig_pass(&rig, 600000);
    struct rig_answer good = rig_sshd(&rig);
    rig_answers(&rig, &good, 1);
    vm_woke(vm);
    rig_pass(&rig, 600);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
}

static void test_idle_timeout_closes_and_the_next_client_opens(void **state)
{
    struct config_vm *config = rig_config("win11", echo, 1);
    config->ssh.idle_timeout_ms = 10000;
    struct err err = {0};
    const struct vm *vm = rig_vm_with(&rig, config, 1, 0, MAIL_WANTED, &err);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    works(vm);
    rig_pass(&rig, 9000);
    assert_int_equal(vm->state, PROXY_VM_UP);
    rig_pass(&rig, 2000);
    assert_int_equal(vm->state, PROXY_VM_IDLE);
    assert_true(rig_until(&rig, fake_counts().conns_alive == 0));
    works(vm);
    assert_int_equal(vm->state, PROXY_VM_UP);
}

static void test_request_for_an_unknown_vm_is_answered_at_once(void **state)
{
    struct rig_answer none = {.code = ERR_NOTFOUND, .text = "no VM nosuch in rg-web"};
    rig_answers(&rig, &none, 1);
    struct vm *vm = rig_vm(&rig, 1, "nosuch", echo, 1);
    vm_wait_add(vm, 77, 30000, NULL);
    assert_true(rig_until(&rig, rig.done_count == 1));
    assert_int_equal(rig.done_req, 77);
    assert_int_equal(rig.done_err.code, ERR_NOTFOUND);
    assert_string_equal(rig.done_err.msg, "vm nosuch: no VM nosuch in rg-web");
}

static void test_request_times_out_with_the_last_reason(void **state)
{
    struct rig_answer answer = dead(NULL);
    rig_answers(&rig, &answer, 1);
    struct vm *vm = rig_vm(&rig, 1, "win11", echo, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_WAITING));
    vm_wait_add(vm, 78, 300, NULL);
    rig_pass(&rig, 400);
    assert_int_equal(rig.done_count, 1);
    assert_int_equal(rig.done_err.code, ERR_TIMEOUT);
    assert_non_null(strstr(rig.done_err.msg, "connection refused"));
}

static void test_runtime_forward_is_answered_when_all_is_up(void **state)
{
    struct vm *vm = rig_vm(&rig, 1, "win11", NULL, 0);
    struct forward_spec spec;
    struct err err = {0};
    struct forward *f;
    assert_int_equal(forward_spec_parse(&spec, FORWARD_LOCAL, "0:localhost:7", &err), 0);
    assert_int_equal(vm_forward_add(vm, &spec, false, &f, &err), 0);
    vm_wait_add(vm, 5, 10000, f);
    assert_int_equal(rig.done_count, 0);
    assert_true(rig_until(&rig, rig.done_count == 1));
    assert_int_equal(rig.done_err.code, 0);
    assert_memory_equal(rig.done_text, "127.0.0.1:", 10);
    works(vm);
    assert_int_equal(vm_forward_cancel(vm, &spec, &err), 0);
    assert_true(list_empty(&vm->forwards));
    assert_int_equal(vm_forward_cancel(vm, &spec, &err), ERR_NOTFOUND);
    forward_spec_done(&spec);
}

static void test_what_is_not_served_says_so_and_disturbs_nothing_else(void **state)
{
    struct config_vm *config = rig_config("win11", echo, 1);
    struct err err = {0};
    forward_spec_done(&config->forwards[0]);
    config->forward_count = 0;
    mem_free(config->forwards);
    config->forwards = mem_calloc(2, sizeof *config->forwards);
    assert_int_equal(forward_spec_parse(&config->forwards[0], FORWARD_LOCAL, "0:localhost:7", &err), 0);
    assert_int_equal(forward_spec_parse(&config->forwards[1], FORWARD_REMOTE, "1080", &err), 0);
    config->forward_count = 2;
    const struct vm *vm = rig_vm_with(&rig, config, 1, 0, MAIL_WANTED, &err);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "vm win11: forward 1080: "));
    works(vm);
}

static void test_host_keys_are_never_checked_less_than_asked_for(void **state)
{
    struct config_vm *config = rig_config("win11", echo, 1);
    config->ssh.host_key_check = CONFIG_HOST_KEY_ARM;
    struct err err = {0};
    const struct vm *vm = rig_vm_with(&rig, config, 1, 0, MAIL_WANTED, &err);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_FAILED));
    assert_int_equal(vm->err.code, ERR_UNSUPPORTED);
    assert_int_equal(fake_counts().conns_made, 0);
}

/* A VM whose keys Azure is to say, with an ARM's answer that names it. */
static const struct vm *start_by_arm(void)
{
    struct config_vm *config = rig_config("win11", echo, 1);
    struct err err = {0};
    struct rig_answer answer = rig_sshd(&rig);
    config->ssh.host_key_check = CONFIG_HOST_KEY_ARM;
    config->vm.kind = VM_NAME_BARE;
    answer.vm_id = "vm-1";
    rig_answers(&rig, &answer, 1);
    return rig_vm_with(&rig, config, 1, 0, MAIL_WANTED, &err);
}

static void test_a_changed_key_is_asked_for_anew_and_is_the_vms(void **state)
{
    fake.auth_code = ERR_HOSTKEY;
    fake.auth_failures = 1;
    rig.keys_changed = true;
    const struct vm *vm = start_by_arm();
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    assert_int_equal(rig.rekeys, 1);
    /* The next time that it changes, it is asked again. */
    fake.auth_code = ERR_HOSTKEY;
    fake.auth_failures = 1;
    fake_kill(0, ERR_CLOSED, "the VM restarts");
    assert_true(rig_until(&rig, vm->reconnects == 1 && vm->state == PROXY_VM_UP));
    assert_int_equal(rig.rekeys, 2);
}

static void test_a_key_that_azure_does_not_confirm_is_asked_for_once(void **state)
{
    fake.auth_code = ERR_HOSTKEY;
    const struct vm *vm = start_by_arm();
    assert_true(rig_until(&rig, vm->state == PROXY_VM_FAILED));
    assert_int_equal(vm->err.code, ERR_HOSTKEY);
    assert_int_equal(rig.rekeys, 1);
    assert_int_equal(fake_counts().conns_made, 1);
}

static void test_a_key_that_is_wrong_again_is_not_asked_for_for_ever(void **state)
{
    fake.auth_code = ERR_HOSTKEY;
    rig.keys_changed = true;
    const struct vm *vm = start_by_arm();
    assert_true(rig_until(&rig, vm->state == PROXY_VM_FAILED));
    assert_int_equal(rig.rekeys, 1);
    assert_int_equal(fake_counts().conns_made, 2);
}

static void test_taken_down_it_lets_go_of_everything(void **state)
{
    struct vm *vm = rig_vm(&rig, 1, "win11", echo, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    struct client c = {.to_send = 5, .check = true};
    client_connect(&c, rig_port(vm, 0));
    assert_true(rig_until(&rig, (client_pump(&c), c.received == 5)));
    vm_set(vm, rig_config("win11", echo, 1), 0, 0, NULL);
    assert_int_equal(vm->state, PROXY_VM_DOWN);
    assert_int_equal(rig_port(vm, 0), 0);
    assert_true(rig_until(&rig, client_over(&c) && fake_counts().conns_alive == 0));
    client_close(&c);
    rig_pass(&rig, 120000);
    assert_int_equal(vm->state, PROXY_VM_DOWN);
    assert_int_equal(fake_counts().conns_made, 1);
    /* And up again. */
    struct err err = {0};
    vm_set(vm, rig_config("win11", echo, 1), 0, MAIL_WANTED, &err);
    works(vm);
}

static void test_changed_reach_takes_new_flows_elsewhere_and_leaves_the_old(void **state)
{
    struct vm *vm = rig_vm(&rig, 1, "win11", echo, 1);
    struct client old = {.to_send = 5, .check = true};
    client_connect(&old, rig_port(vm, 0));
    assert_true(rig_until(&rig, (client_pump(&old), old.received == 5)));
    struct err err = {0};
    vm_set(vm, rig_config("win11", echo, 1), 0, MAIL_WANTED | MAIL_REACH_CHANGED, &err);
    works(vm);
    assert_int_equal(fake_counts().conns_made, 2);
    old.to_send = 10;
    assert_true(rig_until(&rig, (client_pump(&old), old.received == 10)));
    client_close(&old);
    assert_true(rig_until(&rig, fake_counts().conns_alive == 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_old_address_is_looked_up_again_at_once),
        T(test_address_that_stays_dead_is_tried_with_growing_pauses),
        T(test_refused_authentication_is_not_tried_again),
        T(test_refusal_at_a_recycled_address_is_followed_to_the_new_one),
        T(test_lost_connection_is_back_within_half_a_second),
        T(test_connection_that_never_lasts_is_not_made_in_a_storm),
        T(test_sleep_ends_a_long_pause),
        T(test_idle_timeout_closes_and_the_next_client_opens),
        T(test_request_for_an_unknown_vm_is_answered_at_once),
        T(test_request_times_out_with_the_last_reason),
        T(test_runtime_forward_is_answered_when_all_is_up),
        T(test_what_is_not_served_says_so_and_disturbs_nothing_else),
        T(test_a_key_that_is_wrong_again_is_not_asked_for_for_ever),
        T(test_a_key_that_azure_does_not_confirm_is_asked_for_once),
        T(test_a_changed_key_is_asked_for_anew_and_is_the_vms),
        T(test_host_keys_are_never_checked_less_than_asked_for),
        T(test_taken_down_it_lets_go_of_everything),
        T(test_changed_reach_takes_new_flows_elsewhere_and_leaves_the_old),
#undef T
    };
    return cmocka_run_group_tests_name("vm", tests, NULL, NULL);
}

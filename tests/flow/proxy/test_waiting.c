/*
 * Clients of a VM that is away: they wait, get through when it comes back, and are let go with a reason when
 * it does not.
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

static void test_client_waits_for_a_vm_that_comes_back(void **state)
{
    struct rig_answer off = {.code = ERR_UNAVAILABLE, .text = "the VM is deallocated", .vm_id = "vm-1"};
    rig_answers(&rig, &off, 1);
    const struct vm *vm = rig_vm(&rig, 1, "off1", echo, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_WAITING));
    assert_string_equal(vm->err.msg, "the VM is deallocated");
    struct client c = {.to_send = 8, .check = true};
    client_connect(&c, rig_port(vm, 0));
    for (int i = 0; i < 5; i++) {
        client_pump(&c);
        rig_pass(&rig, 1000);
    }
    assert_false(client_over(&c));
    struct rig_answer on = rig_sshd(&rig);
    rig_answers(&rig, &on, 1);
    for (int i = 0; i < 60; i++)
        rig_pass(&rig, 100);
    assert_true(rig_until(&rig, (client_pump(&c), c.received == 8)));
    client_close(&c);
}

static void test_waiting_client_is_let_go_at_its_deadline_with_the_reason(void **state)
{
    struct rig_answer off = {.code = ERR_UNAVAILABLE, .text = "the VM is deallocated", .vm_id = "vm-1"};
    rig_answers(&rig, &off, 1);
    const struct vm *vm = rig_vm(&rig, 1, "off1", echo, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_WAITING));
    struct client c = {0};
    client_connect(&c, rig_port(vm, 0));
    rig_turns(&rig, 3);
    rig_pass(&rig, vm->config->ssh.connect_timeout_ms - 1000);
    assert_false(client_over(&c));
    rig_pass(&rig, 2000);
    assert_true(rig_until(&rig, client_over(&c)));
    assert_true(c.reset);
    client_close(&c);
    const struct forward *f = container_of(list_first(&vm->forwards), struct forward, node);
    assert_int_equal(f->flows_failed, 1);
    assert_non_null(strstr(f->err.msg, "the VM is deallocated"));
    assert_non_null(f->listener);
}

static void test_waiting_clients_ask_arm_at_most_every_five_seconds(void **state)
{
    struct rig_answer off = {.code = ERR_UNAVAILABLE, .text = "the VM is deallocated", .vm_id = "vm-1"};
    rig_answers(&rig, &off, 1);
    struct vm *vm = rig_vm(&rig, 1, "off1", echo, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_WAITING));
    rig_pass(&rig, 300000); /* the pauses are long by now */
    size_t before = rig.lookups;
    struct client c[20] = {0};
    for (int i = 0; i < 20; i++) {
        client_connect(&c[i], rig_port(vm, 0));
        rig_pass(&rig, 1000);
    }
    assert_in_range(rig.lookups - before, 3, 6);
    for (int i = 0; i < 20; i++)
        client_close(&c[i]);
}

static void test_client_that_hangs_up_while_it_waits_is_forgotten(void **state)
{
    struct rig_answer off = {.code = ERR_UNAVAILABLE, .text = "the VM is deallocated", .vm_id = "vm-1"};
    rig_answers(&rig, &off, 1);
    const struct vm *vm = rig_vm(&rig, 1, "off1", echo, 1);
    struct client c = {0};
    client_connect(&c, rig_port(vm, 0));
    assert_true(rig_until(&rig, rig.plane.flows == 1));
    struct linger now = {.l_onoff = 1};
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    client_close(&c);
    rig_pass(&rig, 1000);
    assert_int_equal(rig.plane.flows, 0);
    const struct forward *f = container_of(list_first(&vm->forwards), struct forward, node);
    assert_int_equal(f->flows_failed, 0);
}

/* It has said all that it wants to say, and listens: that is no hanging up. */
static void test_client_that_only_listens_is_not_taken_for_gone(void **state)
{
    struct rig_answer off = {.code = ERR_UNAVAILABLE, .text = "the VM is deallocated", .vm_id = "vm-1"};
    rig_answers(&rig, &off, 1);
    const struct vm *vm = rig_vm(&rig, 1, "off1", echo, 1);
    struct client c = {.to_send = 50, .check = true, .end_when_sent = true};
    client_connect(&c, rig_port(vm, 0));
    client_pump(&c);
    rig_pass(&rig, 3000);
    assert_int_equal(rig.plane.flows, 1);
    struct rig_answer on = rig_sshd(&rig);
    rig_answers(&rig, &on, 1);
    rig_pass(&rig, 6000);
    assert_true(rig_until(&rig, client_over(&c)));
    assert_int_equal(c.received, 50);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_client_waits_for_a_vm_that_comes_back),
        T(test_waiting_client_is_let_go_at_its_deadline_with_the_reason),
        T(test_waiting_clients_ask_arm_at_most_every_five_seconds),
        T(test_client_that_hangs_up_while_it_waits_is_forgotten),
        T(test_client_that_only_listens_is_not_taken_for_gone),
#undef T
    };
    return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}

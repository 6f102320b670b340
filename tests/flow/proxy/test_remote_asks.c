/*
 * A remote forward has the VM listen, and again after every reconnect; what is said when it does not.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "remote_rig.h"

static void test_it_listens_again_after_a_reconnect(void **state)
{
    const struct vm *vm = remote_vm();
    remote_works();
    for (unsigned i = 2; i < 5; i++) {
        fake_kill(0, ERR_CLOSED, "the remote_target closed the connection");
        rig_turns(&rig, 3);
        assert_null(forward_listening(remote_first(vm)));
        rig_pass(&rig, 5000);
        assert_true(rig_until(&rig, forward_listening(remote_first(vm)) != NULL));
        assert_int_equal(fake_listener("localhost", 8080), i);
        assert_int_equal(fake_counts().listens, 1);
        remote_works();
    }
}

static void test_a_refusal_is_not_the_last_word(void **state)
{
    fake.listen_code = ERR_REFUSED;
    fake.listen_failures = 3;
    const struct vm *vm = rig_vm(&rig, 1, "win11", remote_specs, 1);
    const struct forward *f = remote_first(vm);
    assert_true(rig_until(&rig, f->err.code != 0));
    assert_null(forward_listening(f));
    assert_string_equal(f->err.msg,
                        "its sshd does not listen on localhost:8080: the port is in use there, most likely "
                        "(or sshd_config says no: AllowTcpForwarding, GatewayPorts)");
    rig_pass(&rig, 20000);
    assert_string_equal(forward_listening(f), "localhost:8080");
    assert_int_equal(f->err.code, 0);
    remote_works();
}

static void test_what_sshd_forbids_says_so(void **state)
{
    fake.listen_code = ERR_DENIED;
    const struct vm *vm = rig_vm(&rig, 1, "win11", remote_specs, 1);
    const struct forward *f = remote_first(vm);
    assert_true(rig_until(&rig, f->err.code != 0));
    assert_string_equal(
        f->err.msg, "administratively prohibited: its sshd may not listen on localhost:8080 (\"Server has "
                    "disabled port forwarding.\"); see AllowTcpForwarding, PermitListen and GatewayPorts "
                    "in its sshd_config; ports below 1024 are root's");
    assert_int_equal(vm->state, PROXY_VM_UP);
}

static void test_an_engine_that_cannot_is_not_asked_again(void **state)
{
    fake.listen_code = ERR_UNSUPPORTED;
    const struct vm *vm = rig_vm(&rig, 1, "win11", remote_specs, 1);
    assert_true(rig_until(&rig, remote_first(vm)->err.code == ERR_UNSUPPORTED));
    fake.listen_code = 0;
    rig_pass(&rig, 200000);
    assert_null(forward_listening(remote_first(vm)));
    fake_kill(0, ERR_CLOSED, "the remote_target closed the connection");
    rig_pass(&rig, 5000);
    assert_true(rig_until(&rig, forward_listening(remote_first(vm)) != NULL));
}

static void test_cancel_and_down_take_it_back(void **state)
{
    struct err err = {0};
    struct vm *vm = remote_vm();
    struct client c = remote_reached(FAKE_SILENT);
    assert_true(fake_call("localhost", 8080, FAKE_ECHO)); /* not yet connected to its target */
    rig_turns(&rig, 2);
    assert_int_equal(vm_forward_cancel(vm, &remote_first(vm)->spec, &err), 0);
    assert_int_equal(fake_listener("localhost", 8080), 0);
    assert_true(rig_until(&rig, client_over(&c)));
    client_close(&c);
    assert_true(rig_until(&rig, fake_counts().chans_alive == 0));
    for (struct client late = {.fd = -1}; remote_accepted(&late); late.fd = -1)
        client_close(&late);

    vm_set(vm, rig_config("win11", remote_specs, 1), 0, MAIL_WANTED, &err);
    assert_true(rig_until(&rig, fake_listener("localhost", 8080) > 0));
    vm_set(vm, rig_config("win11", remote_specs, 1), 0, 0, &err);
    assert_int_equal(fake_counts().listens, 0);
    assert_null(forward_listening(remote_first(vm)));
    /* Others may use its connection: that is no reason to listen. */
    vm_wait_add(vm, 9, 10000, NULL);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    rig_turns(&rig, 20);
    assert_int_equal(fake_counts().listens, 0);
    vm_set(vm, rig_config("win11", remote_specs, 1), 0, MAIL_WANTED, &err);
    assert_true(rig_until(&rig, fake_listener("localhost", 8080) > 0));
    remote_works();
}

static struct forward_spec parsed(const char *text)
{
    struct forward_spec s;
    struct err err = {0};
    if (forward_spec_parse(&s, FORWARD_REMOTE, text, &err) < 0)
        fail_msg("%s", err.msg);
    return s;
}

static void test_who_adds_one_is_told_when_it_listens(void **state)
{
    struct err err = {0};
    struct forward *f;
    struct forward_spec s = parsed("*:0:localhost:80"), t = parsed("9090:localhost:80");
    struct vm *vm = rig_vm(&rig, 1, "win11", NULL, 0);
    assert_int_equal(vm_forward_add(vm, &s, false, &f, &err), 0);
    vm_wait_add(vm, 7, 10000, f);
    assert_true(rig_until(&rig, rig.done_count == 1));
    assert_int_equal(rig.done_req, 7);
    assert_int_equal(rig.done_err.code, 0);
    assert_memory_equal(rig.done_text, "*:4", 3); /* the port that the remote_target chose */
    assert_string_equal(rig.done_text, forward_listening(remote_first(vm)));

    fake.listen_code = ERR_REFUSED; /* one that is refused is not there */
    assert_int_equal(vm_forward_add(vm, &t, false, &f, &err), 0);
    vm_wait_add(vm, 8, 10000, f);
    assert_true(rig_until(&rig, rig.done_count == 2));
    assert_int_equal(rig.done_err.code, ERR_EXISTS);
    assert_memory_equal(rig.done_err.msg, "vm win11: forward 9090:localhost:80: its sshd does not", 54);
    assert_int_equal(list_count(&vm->forwards), 1);
    forward_spec_done(&s);
    forward_spec_done(&t);
}

static void test_up_waits_for_it(void **state)
{
    fake.listen_code = ERR_DENIED;
    fake.listen_failures = 1;
    struct vm *vm = rig_vm(&rig, 1, "win11", remote_specs, 1);
    vm_wait_add(vm, 7, 10000, NULL);
    assert_true(rig_until(&rig, rig.done_count == 1));
    assert_int_equal(rig.done_err.code, ERR_DENIED);
    rig_pass(&rig, 3000);
    assert_non_null(forward_listening(remote_first(vm)));
    vm_wait_add(vm, 8, 10000, NULL);
    assert_true(rig_until(&rig, rig.done_count == 2));
    assert_int_equal(rig.done_err.code, 0);
}

static void test_a_socks_proxy_over_there_is_not_served(void **state)
{
    struct err err = {0};
    struct forward *f;
    struct forward_spec s = parsed("1080");
    struct vm *vm = rig_vm(&rig, 1, "win11", NULL, 0);
    assert_int_equal(vm_forward_add(vm, &s, false, &f, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "name a target"));
    forward_spec_done(&s);
}

static void test_idle_timeout_leaves_it_alone(void **state)
{
    struct config_vm *config = rig_config("win11", remote_specs, 1);
    config->ssh.idle_timeout_ms = 10000;
    struct err err = {0};
    struct vm *vm = rig_vm_with(&rig, config, 1, 0, MAIL_WANTED, &err);
    assert_true(rig_until(&rig, forward_listening(remote_first(vm)) != NULL));
    rig_pass(&rig, 100000);
    assert_int_equal(vm->state, PROXY_VM_UP);
    assert_int_equal(fake_counts().conns_made, 1);
    remote_works();
}

static void test_its_connection_is_of_its_class(void **state)
{
    static const char *const both[] = {"0:localhost:11", "-R 2222:localhost:22"};
    struct config_vm *config = rig_config("win11", both, 1);
    struct err err = {0};
    config->ssh.connections_max = 3;
    struct vm *vm = rig_vm_with(&rig, config, 1, 0, MAIL_WANTED, &err);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    struct client bulk = {0};
    client_connect(&bulk, rig_port(vm, 0));
    const struct forward *f = remote_first(vm);
    assert_true(rig_until(&rig, f->flow_count == 1));
    rig_turns(&rig, 20);
    pool_reclass(&container_of(list_first(&f->flows), struct forward_flow, node)->flow->waiter, POOL_BULK);
    config = rig_config("win11", both, 2);
    mem_free(config->forwards[0].text);
    config->forwards[0].text = mem_strdup(f->spec.text);
    config->ssh.connections_max = 3;
    vm_set(vm, config, 0, MAIL_WANTED, &err);
    assert_true(rig_until(&rig, fake_listener("localhost", 2222) > 0));
    assert_int_equal(fake_listener("localhost", 2222), 2);
    client_close(&bulk);
}

static int quiet(void **state)
{
    log_init(open("/dev/null", O_WRONLY), LOG_ERROR, LOG_TEXT);
    return 0;
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, remote_setup, remote_teardown)
    const struct CMUnitTest tests[] = {
        T(test_it_listens_again_after_a_reconnect),
        T(test_a_refusal_is_not_the_last_word),
        T(test_what_sshd_forbids_says_so),
        T(test_an_engine_that_cannot_is_not_asked_again),
        T(test_cancel_and_down_take_it_back),
        T(test_who_adds_one_is_told_when_it_listens),
        T(test_up_waits_for_it),
        T(test_a_socks_proxy_over_there_is_not_served),
        T(test_idle_timeout_leaves_it_alone),
        T(test_its_connection_is_of_its_class),
    };
    return cmocka_run_group_tests_name("remote_asks", tests, quiet, NULL);
}

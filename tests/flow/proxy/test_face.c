/*
 * proxy.h as the daemon uses it: real worker threads, mail between them and the main loop, over the fake SSH.
 * With test_apply the run for ThreadSanitizer.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "face_rig.h"
#include "fake_ssh.h"

static void test_runtime_forwards_and_adhoc_vms(void **state)
{
    struct answer up = {0}, one = {0}, two = {0}, gone = {0};
    struct err err = {0};
    struct config_vm *vm = rig_config("rg/vm", NULL, 0);
    vm->ssh.port = face_servers.sshd_port;
    struct forward_spec spec, other;
    assert_int_equal(forward_spec_parse(&spec, FORWARD_LOCAL, "0:localhost:7", &err), 0);
    assert_int_equal(forward_spec_parse(&other, FORWARD_LOCAL, "127.0.0.2:0:localhost:9", &err), 0);
    assert_int_equal(proxy_vm_up(face_proxy, vm, true, 10000, face_on_done, &up, NULL, &err), 0);
    assert_int_equal(proxy_forward_add(face_proxy, "RG/VM", &spec, 10000, face_on_forward, &one, NULL, &err),
                     0);
    assert_int_equal(proxy_forward_add(face_proxy, "rg/vm", &other, 10000, face_on_forward, &two, NULL, &err),
                     0);
    face_answered(&up, 1);
    face_answered(&one, 1);
    face_answered(&two, 1);
    assert_int_equal(up.err.code, 0);
    assert_int_equal(one.err.code, 0);
    face_echo(face_port(one.text), 1000);

    /* They outlive a reload. */
    struct answer a = {0};
    face_apply(face_config("vms:\n" VM, "one", face_servers.sshd_port, "127.0.0.3:0:localhost:7"), &a);
    assert_int_equal(face_look().vm_count, 2);
    face_echo(face_port(one.text), 1000);

    /* The VM goes with the last of them. */
    assert_int_equal(proxy_forward_cancel(face_proxy, "rg/vm", &spec, face_on_done, &gone, NULL, &err), 0);
    face_answered(&gone, 1);
    assert_int_equal(face_look().vm_count, 2);
    assert_int_equal(proxy_forward_cancel(face_proxy, "rg/vm", &spec, face_on_done, &gone, NULL, &err), 0);
    face_answered(&gone, 2);
    assert_int_equal(gone.err.code, ERR_NOTFOUND);
    assert_non_null(strstr(gone.err.msg, "127.0.0.2:0:localhost:9"));
    assert_int_equal(proxy_forward_cancel(face_proxy, "rg/vm", &other, face_on_done, &gone, NULL, &err), 0);
    face_answered(&gone, 3);
    assert_int_equal(face_look().vm_count, 1);
    forward_spec_done(&spec);
    forward_spec_done(&other);
    config_vm_free(vm);
}

static void test_unknown_names_are_told(void **state)
{
    struct answer a = {0}, b = {0};
    struct err err = {0};
    struct forward_spec spec;
    assert_int_equal(forward_spec_parse(&spec, FORWARD_LOCAL, "0:localhost:7", &err), 0);
    assert_int_equal(proxy_vm_down(face_proxy, "nosuch", face_on_done, &a, NULL, &err), 0);
    assert_int_equal(proxy_forward_add(face_proxy, "nosuch", &spec, 1000, face_on_forward, &b, NULL, &err),
                     0);
    face_answered(&a, 1);
    face_answered(&b, 1);
    assert_int_equal(a.err.code, ERR_NOTFOUND);
    assert_int_equal(b.err.code, ERR_NOTFOUND);
    forward_spec_done(&spec);
    /* A name cannot be looked up without a resolver, and the reason is the resolver's. */
    struct config_vm *vm;
    const struct config *none;
    assert_int_equal(config_load(&none, NULL, NULL, &err), 0);
    assert_int_equal(config_vm_adhoc(none, "rg/vm", "me", &vm, &err), 0);
    config_unref(none);
    assert_int_equal(proxy_vm_up(face_proxy, vm, true, 10000, face_on_done, &a, NULL, &err), 0);
    face_answered(&a, 2);
    assert_int_equal(a.err.code, ERR_AUTH);
    assert_non_null(strstr(a.err.msg, "nobody has signed in"));
    assert_int_equal(face_look().vm_count, 0); /* only that request wanted it */
    config_vm_free(vm);
}

static void test_down_and_up_again(void **state)
{
    struct answer a = {0};
    struct err err = {0};
    const struct config *c =
        face_config("vms:\n" VM, "one", face_servers.sshd_port, "127.0.0.1:0:localhost:7");
    const struct config *kept = config_ref(c);
    face_apply(c, &a);
    assert_int_equal(proxy_vm_up(face_proxy, &kept->vms[0], false, 10000, face_on_done, &a, NULL, &err), 0);
    face_answered(&a, 2);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(face_look().vms[0].state, PROXY_VM_UP);
    assert_int_equal(proxy_vm_down(face_proxy, "one", face_on_done, &a, NULL, &err), 0);
    face_answered(&a, 3);
    assert_int_equal(face_look().vms[0].state, PROXY_VM_DOWN);
    assert_string_equal(face_look().vms[0].listening, "");
    assert_int_equal(proxy_vm_up(face_proxy, &kept->vms[0], false, 10000, face_on_done, &a, NULL, &err), 0);
    face_answered(&a, 4);
    face_echo(face_port(face_look().vms[0].listening), 100);
    config_unref(kept);
}

static void test_dial_direct_and_through_another(void **state)
{
    struct answer a = {0};
    struct err err = {0};
    struct config_vm *vm = rig_config("here", NULL, 0);
    assert_int_equal(proxy_dial(face_proxy, vm, face_servers.sshd_port, 5000, face_on_dial, &a, NULL, &err),
                     0);
    face_answered(&a, 1);
    assert_int_equal(a.err.code, 0);
    close(a.fd);
    assert_int_equal(proxy_dial(face_proxy, vm, 1, 5000, face_on_dial, &a, NULL, &err), 0);
    face_answered(&a, 2);
    assert_int_equal(a.err.code, ERR_REFUSED);
    assert_string_equal(a.err.msg, "vm here: connect to 127.0.0.1:1: connection refused");
    config_vm_free(vm);

    face_apply(face_config("vms:\n  - {name: jump, address: 127.0.0.1, port: %u, user: me, up: false}\n",
                           face_servers.sshd_port),
               &a);
    vm = rig_config("there", NULL, 0);
    mem_free(vm->vm.name);
    vm->vm.name = mem_strdup("inside.example");
    vm->via = mem_strdup("jump");
    assert_int_equal(proxy_dial(face_proxy, vm, FAKE_ECHO, 5000, face_on_dial, &a, NULL, &err), 0);
    face_answered(&a, 4);
    assert_string_equal(a.err.msg, "");
    struct client c = {.fd = a.fd, .to_send = 100000, .check = true, .end_when_sent = true};
    assert_true(face_until(client_over(&c)));
    assert_int_equal(c.received, 100000);
    client_close(&c);
    config_vm_free(vm);
}

static void test_cancelled_requests_stay_silent(void **state)
{
    struct answer a = {0};
    struct err err = {0};
    struct config_vm *vm = rig_config("here", NULL, 0);
    for (int i = 0; i < 50; i++) {
        struct proxy_req *req;
        assert_int_equal(
            proxy_dial(face_proxy, vm, face_servers.sshd_port, 5000, face_on_dial, &a, &req, &err), 0);
        for (int turns = 0; turns < i % 5 && a.calls == 0; turns++)
            uv_run(&face_loop, UV_RUN_NOWAIT);
        if (a.calls == 0)
            proxy_cancel(req);
        else
            close(a.fd);
        unsigned calls = a.calls;
        uv_run(&face_loop, UV_RUN_NOWAIT);
        assert_int_equal(a.calls, calls);
        a.calls = 0;
    }
    config_vm_free(vm);
}

static void test_vms_behind_each_other_share_a_worker_and_work(void **state)
{
    struct answer a = {0};
    unsigned ssh = face_servers.sshd_port;
    face_apply(face_config("vms:\n"
                           "  - {name: db, address: 10.9.9.9, port: 7, user: me, via: jump, local: "
                           "[\"127.0.0.2:0:localhost:7\"]}\n"
                           "  - {name: jump, address: 127.0.0.1, port: %u, user: me}\n",
                           ssh),
               &a);
    assert_int_equal(a.err.code, 0);
    assert_true(face_until(face_look().vms[0].state == PROXY_VM_UP));
    assert_int_equal(face_look().vms[1].state, PROXY_VM_UP);
}

static void test_closing_while_all_is_under_way(void **state)
{
    struct answer a = {0};
    struct err err = {0};
    const struct config *c =
        face_config("vms:\n" VM VM, "one", face_servers.sshd_port, "127.0.0.1:0:localhost:7", "two",
                    face_servers.sshd_port, "127.0.0.2:0:localhost:7");
    assert_int_equal(proxy_apply(face_proxy, c, face_on_done, &a, NULL, &err), 0);
    struct answer b = {0};
    assert_int_equal(proxy_vm_up(face_proxy, &c->vms[0], false, 10000, face_on_done, &b, NULL, &err), 0);
    config_unref(c);
    face_close(0);
    assert_int_equal(a.calls, 1);
    assert_int_equal(b.calls, 1);
}

static void test_many_clients_on_many_workers(void **state)
{
    struct answer a = {0};
    unsigned ssh = face_servers.sshd_port;
    face_apply(face_config("vms:\n" VM VM VM VM, "a", ssh, "127.0.0.1:0:localhost:7", "b", ssh,
                           "127.0.0.1:0:localhost:7", "c", ssh, "127.0.0.1:0:localhost:7", "d", ssh,
                           "127.0.0.1:0:localhost:7"),
               &a);
    struct picture p = face_look();
    enum { CLIENTS = 40 };
    struct client c[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        c[i] = (struct client){.to_send = 30000, .check = true, .end_when_sent = true};
        client_connect(&c[i], face_port(p.vms[i % 4].listening));
    }
    int over = 0;
    uint64_t end = uv_hrtime() + 30000000000u;
    while (over < CLIENTS && uv_hrtime() < end) {
        over = 0;
        for (int i = 0; i < CLIENTS; i++)
            over += client_over(&c[i]);
        if (over == CLIENTS / 2)
            face_look(); /* in the midst of it */
        uv_run(&face_loop, UV_RUN_NOWAIT);
    }
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(c[i].received, 30000);
        client_close(&c[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, face_setup, face_teardown)
        T(test_runtime_forwards_and_adhoc_vms),
        T(test_unknown_names_are_told),
        T(test_down_and_up_again),
        T(test_dial_direct_and_through_another),
        T(test_cancelled_requests_stay_silent),
        T(test_vms_behind_each_other_share_a_worker_and_work),
        T(test_closing_while_all_is_under_way),
        T(test_many_clients_on_many_workers),
#undef T
    };
    return cmocka_run_group_tests_name("face", tests, NULL, NULL);
}

/*
 * From one configuration to the next on real workers: what did not change goes on untouched.
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

static void test_apply_makes_changes_and_removes_vms(void **state)
{
    struct answer a = {0};
    unsigned port = face_servers.sshd_port;
    face_apply(face_config("vms:\n" VM VM VM, "one", port, "127.0.0.1:0:localhost:7", "two", port,
                           "127.0.0.2:0:localhost:7", "three", port, "127.0.0.3:0:localhost:7"),
               &a);
    assert_int_equal(a.err.code, 0);
    struct picture p = face_look();
    assert_int_equal(p.vm_count, 3);
    assert_string_equal(p.vms[0].alias, "one");
    assert_string_equal(p.vms[2].alias, "three");
    face_echo(face_port(p.vms[0].listening), 200000);
    assert_true(face_until(face_look().vms[0].state == PROXY_VM_UP));

    /* `one` goes on untouched, its flow too; `two` is gone; `four` is new. */
    struct client c = {.to_send = 5, .check = true};
    client_connect(&c, face_port(p.vms[0].listening));
    assert_true(face_until((client_pump(&c), c.received == 5)));
    face_apply(face_config("vms:\n" VM VM VM, "four", port, "127.0.0.4:0:localhost:7", "one", port,
                           "127.0.0.1:0:localhost:7", "three", port, "127.0.0.3:0:localhost:9"),
               &a);
    assert_int_equal(a.err.code, 0);
    struct picture q = face_look();
    assert_int_equal(q.vm_count, 3);
    assert_string_equal(q.vms[0].alias, "four");
    assert_string_equal(q.vms[1].alias, "one");
    assert_string_equal(q.vms[1].listening, p.vms[0].listening);
    assert_int_equal(q.vms[1].flows, 1);
    c.to_send = 10;
    assert_true(face_until((client_pump(&c), c.received == 10)));
    client_close(&c);
}

static void test_port_passes_from_one_vm_to_another(void **state)
{
    struct answer a = {0};
    unsigned ssh = face_servers.sshd_port;
    face_apply(face_config("vms:\n" VM VM, "one", ssh, "127.0.0.1:0:localhost:7", "two", ssh,
                           "127.0.0.2:0:localhost:7"),
               &a);
    uint16_t port = face_port(face_look().vms[0].listening);
    face_apply(face_config("vms: []\n"), &a);
    assert_int_equal(face_look().vm_count, 0);
    char spec[64];
    snprintf(spec, sizeof spec, "127.0.0.1:%u:localhost:7", port);
    for (int i = 0; i < 20; i++) {
        face_apply(face_config("vms:\n" VM VM, "one", ssh, i % 2 ? spec : "127.0.0.3:0:localhost:7", "two",
                               ssh, i % 2 ? "127.0.0.3:0:localhost:7" : spec),
                   &a);
        assert_string_equal(a.err.msg, "");
    }
}

static void test_failed_listener_is_told_and_tried_again_by_the_next_apply(void **state)
{
    struct answer a = {0};
    uint16_t port;
    unsigned ssh = face_servers.sshd_port;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&in, &len);
    port = ntohs(in.sin_port);
    char spec[64];
    snprintf(spec, sizeof spec, "127.0.0.1:%u:localhost:7", port);
    for (int i = 0; i < 2; i++) { /* nothing has changed between the two but the machine */
        face_apply(face_config("vms:\n" VM VM, "one", ssh, spec, "two", ssh, "127.0.0.2:0:localhost:7"), &a);
        if (i == 0) {
            assert_int_equal(a.err.code, ERR_EXISTS);
            assert_non_null(strstr(a.err.msg, "vm one: forward 127.0.0.1:"));
            assert_string_not_equal(face_look().vms[1].listening,
                                    ""); /* the other one listens all the same */
            close(fd);
        }
    }
    assert_int_equal(a.err.code, 0);
    face_echo(port, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, face_setup, face_teardown)
        T(test_apply_makes_changes_and_removes_vms),
        T(test_port_passes_from_one_vm_to_another),
        T(test_failed_listener_is_told_and_tried_again_by_the_next_apply),
#undef T
    };
    return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}

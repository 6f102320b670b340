/*
 * Who connects at the VM reaches the target of a remote forward here.
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

static void test_bytes_go_both_ways_and_each_ends_alone(void **state)
{
    fake.source_bytes = 3000000;
    fake.chunk_max = 30000;
    const struct vm *vm = remote_vm();
    const struct forward *f = remote_first(vm);
    assert_string_equal(forward_listening(f), "localhost:8080");
    struct client down = remote_reached(FAKE_SOURCE), both = remote_reached(FAKE_LATER);
    down.to_send = 70000;
    both.to_send = 500000;
    assert_true(rig_until(&rig, client_over(&down)));
    assert_true(rig_until(&rig, client_over(&both)));
    assert_int_equal(down.received, 3000000);
    assert_int_equal(both.received, 500000);
    client_close(&down);
    client_close(&both);
    assert_true(rig_until(&rig, f->flow_count == 0));
    assert_int_equal(f->flows_total, 2);
    assert_int_equal(f->flows_failed, 0);
    assert_int_equal(f->bytes.in, 3500000);
    assert_int_equal(f->bytes.out, 570000);
    assert_int_equal(fake_counts().calls_accepted, 2);
}

static void test_a_slow_target_holds_one_window(void **state)
{
    fake.source_bytes = 12u << 20;
    remote_vm();
    struct client c = remote_reached(FAKE_SOURCE);
    c.stop_reading = true;
    rig_turns(&rig, 3000);
    assert_true(fake_counts().held_most > 0 && fake_counts().held_most <= SSH_RX_WINDOW);
    c.stop_reading = false;
    assert_true(rig_until(&rig, client_over(&c)));
    assert_int_equal(c.received, 12u << 20);
    client_close(&c);
}

static void test_nobody_is_at_the_target(void **state)
{
    const struct vm *vm = remote_vm();
    const struct forward *f = remote_first(vm);
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    getsockname(remote_target, (struct sockaddr *)&a, &len);
    uint16_t port = ntohs(a.sin_port);
    close(remote_target);
    assert_true(fake_call("localhost", 8080, FAKE_ECHO));
    assert_true(rig_until(&rig, fake_counts().calls_refused == 1));
    assert_non_null(strstr(fake_counts().refusal, "connection refused"));
    assert_int_equal(f->flows_failed, 1);
    assert_int_equal(f->flows_total, 1);
    assert_memory_equal(f->err.msg, "from 192.0.2.7 port 4711: connect to 127.0.0.1:", 47);
    assert_string_equal(forward_listening(f), "localhost:8080");
    remote_target = remote_listen_at(&port);
    remote_works();
}

static void test_a_unix_socket_on_either_side(void **state)
{
    char dir[] = "/tmp/adit-XXXXXX", path[32];
    struct client c = {.fd = -1, .check = true, .end_when_sent = true, .to_send = 5000};
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    snprintf(remote_spec, sizeof remote_spec, "-R /run/there.sock:%s", path);
    uv_pipe_t pipe;
    uv_pipe_init(&rig.loop, &pipe, 0);
    assert_int_equal(uv_pipe_bind(&pipe, path), 0);
    uv_os_fd_t fd;
    uv_fileno((uv_handle_t *)&pipe, &fd);
    assert_int_equal(listen(fd, 5), 0);
    int tcp = remote_target;
    remote_target = fd;
    const struct vm *vm = remote_vm();
    assert_string_equal(forward_listening(remote_first(vm)), "/run/there.sock");
    assert_true(fake_call("/run/there.sock", 0, FAKE_ECHO));
    assert_true(rig_until(&rig, remote_accepted(&c)));
    assert_true(rig_until(&rig, client_over(&c)));
    assert_int_equal(c.received, 5000);
    client_close(&c);
    remote_target = tcp;
    uv_close((uv_handle_t *)&pipe, NULL);
    unlink(path);
    assert_true(fake_call("/run/there.sock", 0, FAKE_ECHO));
    assert_true(rig_until(&rig, fake_counts().calls_refused == 1));
    assert_non_null(strstr(remote_first(vm)->err.msg, path));
    rmdir(dir);
}

static void test_a_name_is_looked_up_here(void **state)
{
    snprintf(remote_spec, sizeof remote_spec, "-R 8080:nobody.invalid:80");
    const struct vm *vm = remote_vm();
    assert_true(fake_call("localhost", 8080, FAKE_ECHO));
    assert_true(rig_until(&rig, fake_counts().calls_refused == 1));
    assert_non_null(strstr(remote_first(vm)->err.msg, "nobody.invalid"));
}

static void test_no_more_than_there_is_room_for(void **state)
{
    enum { MAX = 5 };
    struct client c[MAX];
    rig_done(&rig);
    rig.flows_max = MAX;
    rig_init(&rig);
    const struct vm *vm = remote_vm();
    for (int i = 0; i < MAX; i++)
        c[i] = remote_reached(FAKE_ECHO);
    assert_true(rig_until(&rig, remote_first(vm)->flow_count == MAX));
    assert_true(fake_call("localhost", 8080, FAKE_ECHO));
    assert_true(rig_until(&rig, fake_counts().calls_refused == 1));
    for (int i = 0; i < MAX; i++)
        client_close(&c[i]);
    assert_true(rig_until(&rig, remote_first(vm)->flow_count == 0));
    remote_works();
}

static void test_flows_outlive_a_change_of_address(void **state)
{
    struct err err = {0};
    struct vm *vm = remote_vm();
    struct client c = remote_reached(FAKE_LATER);
    vm_set(vm, rig_config("win11", remote_specs, 1), 0, MAIL_WANTED | MAIL_REACH_CHANGED, &err);
    assert_int_equal(fake_counts().listens, 0);
    assert_true(rig_until(&rig, fake_listener("localhost", 8080) == 2));
    remote_works();
    c.to_send = 10000;
    assert_true(rig_until(&rig, client_over(&c)));
    assert_int_equal(c.received, 10000);
    client_close(&c);
    assert_true(rig_until(&rig, fake_counts().conns_alive == 1));
}

static void test_anything_may_be_closed_after_any_turn(void **state)
{
    for (int what = 0; what < 5; what++) {
        for (unsigned turns = 0; turns < 40; turns++) {
            struct err err = {0};
            rig_done(&rig);
            rig_init(&rig);
            struct vm *vm = turns < 12 ? rig_vm(&rig, 1, "win11", remote_specs, 1) : remote_vm();
            struct client c = {.fd = -1, .check = true, .end_when_sent = true, .to_send = 20000};
            vm_wait_add(vm, 3, 100, NULL);
            for (unsigned i = 0; i < turns; i++) {
                if (i == 12)
                    fake_call("localhost", 8080, i % 2 ? FAKE_ECHO : FAKE_SOURCE);
                rig_turn(&rig);
                if (remote_accepted(&c))
                    client_pump(&c);
            }
            if (what == 0)
                rig_close(&rig, 0);
            else if (what == 1)
                rig_close(&rig, 20);
            else if (what == 2)
                vm_drop(vm);
            else if (what == 3)
                fake_kill(0, ERR_CLOSED, "the remote_target closed the connection");
            else
                vm_set(vm, rig_config("win11", remote_specs, 0), 0, 0, &err);
            rig_turns(&rig, 10);
            while (remote_accepted(&c)) /* and what is in the backlog */
                client_close(&c);
        }
    }
}

static bool scene_without(long k)
{
    rig_done(&rig);
    rig_init(&rig);
    const struct vm *vm = rig_vm(&rig, 1, "win11", remote_specs, 1);
    long before = mem_allocations();
    mem_fail_after(k);
    bool called = false;
    for (int i = 0; i < 200; i++) {
        struct client c = {.fd = -1};
        called = called || fake_call("localhost", 8080, FAKE_SOURCE);
        rig_turn(&rig);
        if (remote_accepted(&c))
            client_close(&c);
    }
    mem_fail_after(-1);
    bool over = mem_allocations() - before < k;
    rig_pass(&rig, 70000);
    assert_true(rig_until(&rig, forward_listening(remote_first(vm)) != NULL));
    for (struct client c = {.fd = -1}; remote_accepted(&c);)
        client_close(&c);
    remote_works();
    return over;
}

static void test_any_allocation_may_fail(void **state)
{
    long k = 0;
    while (!scene_without(k) && k < 500)
        k++;
    assert_in_range(k, 10, 499);
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
        T(test_bytes_go_both_ways_and_each_ends_alone),
        T(test_a_slow_target_holds_one_window),
        T(test_nobody_is_at_the_target),
        T(test_a_unix_socket_on_either_side),
        T(test_a_name_is_looked_up_here),
        T(test_no_more_than_there_is_room_for),
        T(test_flows_outlive_a_change_of_address),
        T(test_anything_may_be_closed_after_any_turn),
        T(test_any_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("remote", tests, quiet, NULL);
}

/*
 * A VM's connections: who shares which, growth, opens that hang, a thousand opens at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_ssh.h"
#include "proxy/forward.h"
#include "rig.h"

static struct rig rig;

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

static void open_echo(struct client *c, uint16_t port)
{
    *c = (struct client){.to_send = 3, .check = true};
    client_connect(c, port);
    assert_true(rig_until(&rig, (client_pump(c), c->received == 3)));
}

static struct forward *forward_at(const struct vm *vm, size_t i)
{
    struct forward *f;
    list_each(f, &vm->forwards, struct forward, node)
    {
        if (i-- == 0)
            return f;
    }
    return NULL;
}

static void test_interactive_and_bulk_do_not_share(void **state)
{
    static const char *const forwards[] = {"0:localhost:7"};
    struct vm *vm = rig_vm(&rig, 1, "win11", forwards, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    /* Ports are the system's here, so what they would say is said directly. */
    struct forward *bulk = forward_at(vm, 0);
    bulk->bulk = true;
    struct client big, small[3];
    open_echo(&big, rig_port(vm, 0));
    assert_int_equal(fake_counts().conns_made, 1);
    bulk->bulk = false;
    bulk->spec.target.port = 22;
    for (int i = 0; i < 3; i++) {
        small[i] = (struct client){0};
        client_connect(&small[i], rig_port(vm, 0));
    }
    assert_true(rig_until(&rig, fake_channels_of(2) == 3));
    assert_int_equal(fake_channels_of(1), 1);
    assert_int_equal(fake_counts().conns_made, 2);
    for (int i = 0; i < 3; i++)
        client_close(&small[i]);
    client_close(&big);
}

static void test_traffic_tells_what_is_bulk(void **state)
{
    static const char *const forwards[] = {"0:localhost:19", "0:localhost:7"};
    fake.source_bytes = 32 << 20;
    struct vm *vm = rig_vm(&rig, 1, "win11", forwards, 2);
    struct client big = {.step = 65536};
    client_connect(&big, rig_port(vm, 0));
    assert_true(rig_until(&rig, (client_pump(&big), big.received > (8u << 20))));
    forward_at(vm, 1)->spec.target.port = 22; /* interactive from now on; the fake echoes there, too */
    struct client c = {0};
    client_connect(&c, rig_port(vm, 1));
    assert_true(rig_until(&rig, (client_pump(&big), fake_channels_of(2) == 1)));
    client_close(&c);
    client_close(&big);
}

static void test_growth_that_fails_leaves_all_on_what_is_there(void **state)
{
    static const char *const forwards[] = {"0:localhost:22"};
    struct vm *vm = rig_vm(&rig, 1, "win11", forwards, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    forward_at(vm, 0)->bulk = true;
    struct client big = {0}, small = {0};
    client_connect(&big, rig_port(vm, 0));
    assert_true(rig_until(&rig, fake_channels_of(1) == 1));
    forward_at(vm, 0)->bulk = false;
    fake.auth_code = ERR_AUTH;
    client_connect(&small, rig_port(vm, 0));
    assert_true(rig_until(&rig, fake_channels_of(1) == 2));
    assert_int_equal(vm->state, PROXY_VM_UP);
    client_close(&big);
    client_close(&small);
}

static void test_open_that_hangs_holds_up_nobody_else(void **state)
{
    static const char *const forwards[] = {"0:localhost:5", "0:localhost:7"};
    struct vm *vm = rig_vm(&rig, 1, "win11", forwards, 2);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    struct client hangs = {0};
    client_connect(&hangs, rig_port(vm, 0));
    assert_true(rig_until(&rig, fake_channels_of(1) == 1));
    struct client c[10];
    for (int i = 0; i < 10; i++) { /* these stand behind it before it is known to hang */
        c[i] = (struct client){.to_send = 3, .check = true};
        client_connect(&c[i], rig_port(vm, 1));
        rig_turns(&rig, 3);
    }
    uint64_t before = clock_now(rig.clock);
    for (int i = 0; i < 10; i++)
        assert_true(rig_until(&rig, (client_pump(&c[i]), c[i].received == 3)));
    assert_in_range(clock_now(rig.clock) - before, 0, 2000);
    assert_false(client_over(&hangs));
    for (int i = 0; i < 10; i++)
        client_close(&c[i]);
    /* It ends with an error in the end. */
    rig_pass(&rig, 61000);
    assert_true(rig_until(&rig, client_over(&hangs)));
    assert_true(hangs.reset);
    assert_non_null(strstr(forward_at(vm, 0)->err.msg, "did not connect"));
    client_close(&hangs);
}

static void test_a_thousand_opens_each_reach_their_own_target(void **state)
{
    enum { TARGETS = 50, OPENS = 1000 };
    static char text[TARGETS][32];
    const char *forwards[TARGETS];
    for (int i = 0; i < TARGETS; i++) {
        snprintf(text[i], sizeof text[i], "0:localhost:%d", FAKE_NAMES + i);
        forwards[i] = text[i];
    }
    struct vm *vm = rig_vm(&rig, 1, "web1", forwards, TARGETS);
    uint16_t ports[TARGETS];
    for (int i = 0; i < TARGETS; i++)
        ports[i] = rig_port(vm, (size_t)i);
    static struct client c[OPENS];
    static char got[OPENS][16];
    static size_t len[OPENS];
    memset(len, 0, sizeof len);
    for (int i = 0; i < OPENS; i++) {
        c[i] = (struct client){0};
        client_connect(&c[i], ports[i % TARGETS]);
    }
    int right = 0;
    for (int turns = 0; right < OPENS && turns < 20000; turns++) {
        rig_turn(&rig);
        for (int i = 0; i < OPENS; i++) {
            ssize_t n = c[i].fd >= 0 ? read(c[i].fd, got[i] + len[i], sizeof got[i] - len[i] - 1) : -1;
            if (n > 0)
                len[i] += (size_t)n;
            if (n != 0)
                continue;
            got[i][len[i]] = '\0';
            assert_int_equal(atoi(got[i]), FAKE_NAMES + i % TARGETS);
            right++;
            client_close(&c[i]);
        }
    }
    assert_int_equal(right, OPENS);
    assert_true(rig_until(&rig, rig.plane.flows == 0));
}

static void test_spare_connection_is_closed_after_a_while(void **state)
{
    static const char *const forwards[] = {"0:localhost:22"};
    struct vm *vm = rig_vm(&rig, 1, "win11", forwards, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    forward_at(vm, 0)->bulk = true;
    struct client big = {0}, small = {0};
    client_connect(&big, rig_port(vm, 0));
    assert_true(rig_until(&rig, fake_channels_of(1) == 1));
    forward_at(vm, 0)->bulk = false;
    client_connect(&small, rig_port(vm, 0));
    assert_true(rig_until(&rig, fake_channels_of(2) == 1));
    client_close(&big);
    client_close(&small);
    rig_pass(&rig, 30000);
    assert_int_equal(fake_counts().conns_alive, 2);
    rig_pass(&rig, 60000);
    assert_int_equal(fake_counts().conns_alive, 1);
    rig_pass(&rig, 600000);
    assert_int_equal(fake_counts().conns_alive, 1);
    assert_int_equal(vm->state, PROXY_VM_UP);
}

static void test_limit_of_flows_lets_the_next_wait_in_the_backlog(void **state)
{
    teardown(state);
    memset(&rig, 0, sizeof rig);
    rig.flows_max = 3;
    rig_init(&rig);
    static const char *const forwards[] = {"0:localhost:7"};
    struct vm *vm = rig_vm(&rig, 1, "win11", forwards, 1);
    struct client c[4];
    for (int i = 0; i < 3; i++)
        open_echo(&c[i], rig_port(vm, 0));
    c[3] = (struct client){.to_send = 3, .check = true};
    client_connect(&c[3], rig_port(vm, 0));
    for (int i = 0; i < 200; i++) {
        client_pump(&c[3]);
        rig_turn(&rig);
    }
    assert_int_equal(c[3].received, 0);
    assert_int_equal(rig.plane.flows, 3);
    client_close(&c[0]);
    uint64_t before = clock_now(rig.clock);
    assert_true(rig_until(&rig, (client_pump(&c[3]), c[3].received == 3)));
    assert_in_range(clock_now(rig.clock) - before, 0, 500); /* at once, not at some later look */
    for (int i = 1; i < 4; i++)
        client_close(&c[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_interactive_and_bulk_do_not_share),
        T(test_traffic_tells_what_is_bulk),
        T(test_growth_that_fails_leaves_all_on_what_is_there),
        T(test_open_that_hangs_holds_up_nobody_else),
        T(test_a_thousand_opens_each_reach_their_own_target),
        T(test_spare_connection_is_closed_after_a_while),
        T(test_limit_of_flows_lets_the_next_wait_in_the_backlog),
#undef T
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}

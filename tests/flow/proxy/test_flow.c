/*
 * A flow's bytes: exact in both directions, in any chunks, with half-close on either side, and a slow reader
 * alone pays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_ssh.h"
#include "proxy/forward.h"
#include "rig.h"

static struct rig rig;
static const char *const forwards[] = {"0:localhost:7",  "0:localhost:9",  "0:localhost:19",
                                       "0:localhost:13", "0:localhost:11", "0:localhost:4"};
enum { TO_ECHO, TO_SINK, TO_SOURCE, TO_LATER, TO_SILENT, TO_REFUSED, FORWARDS };

static struct vm *vm;

static int setup(void **state)
{
    memset(&rig, 0, sizeof rig);
    rig_init(&rig);
    vm = rig_vm(&rig, 1, "web1", forwards, FORWARDS);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    return 0;
}

static int teardown(void **state)
{
    rig_done(&rig);
    return 0;
}

static struct forward *forward_at(size_t i)
{
    struct forward *f;
    list_each(f, &vm->forwards, struct forward, node)
    {
        if (i-- == 0)
            return f;
    }
    return NULL;
}

static void echo_of(size_t bytes, size_t chunk, size_t step)
{
    fake.chunk_max = chunk;
    struct client c = {.to_send = bytes, .check = true, .end_when_sent = true, .step = step};
    client_connect(&c, rig_port(vm, TO_ECHO));
    assert_true(rig_until(&rig, client_over(&c)));
    assert_true(c.eof);
    assert_int_equal(c.received, bytes);
    client_close(&c);
    assert_true(rig_until(&rig, rig.plane.flows == 0));
}

static void test_bytes_come_back_unchanged_in_chunks_of_any_size(void **state)
{
    echo_of(0, 0, 0);
    echo_of(1, 1, 1);
    echo_of(3000, 7, 13);
    echo_of(100000, 1000, 65536);
    echo_of(4 << 20, 65536, 65536);
    assert_int_equal(forward_at(TO_ECHO)->bytes.in, 1 + 3000 + 100000 + (4 << 20));
    assert_int_equal(forward_at(TO_ECHO)->bytes.out, forward_at(TO_ECHO)->bytes.in);
    assert_int_equal(forward_at(TO_ECHO)->flows_total, 5);
    assert_int_equal(forward_at(TO_ECHO)->flows_failed, 0);
}

static void test_client_that_ends_first_still_gets_the_answer(void **state)
{
    struct client c = {.to_send = 300000, .check = true, .end_when_sent = true};
    client_connect(&c, rig_port(vm, TO_LATER)); /* answers only after our end of file */
    assert_true(rig_until(&rig, client_over(&c)));
    assert_true(c.eof);
    assert_int_equal(c.received, 300000);
    client_close(&c);
}

static void test_target_that_ends_first_still_gets_the_rest(void **state)
{
    fake.source_bytes = 1000;
    struct client c = {.check = true};
    client_connect(&c, rig_port(vm, TO_SOURCE));
    assert_true(rig_until(&rig, client_over(&c)));
    assert_true(c.eof);
    assert_int_equal(c.received, 1000);
    /* The other direction is open as before. */
    c.to_send = 500000;
    c.end_when_sent = true;
    assert_true(rig_until(&rig, (client_pump(&c), fake_counts().swallowed == 500000)));
    assert_true(rig_until(&rig, fake_counts().ends_seen == 1 && rig.plane.flows == 0));
    assert_false(c.reset);
    client_close(&c);
}

static void test_slow_reader_holds_at_most_the_window_and_delays_no_other(void **state)
{
    fake.source_bytes = 16 << 20;
    struct client slow = {.check = true, .stop_reading = true};
    client_connect(&slow, rig_port(vm, TO_SOURCE));
    rig_turns(&rig, 2000);
    size_t held = rig.plane.chunks.used * CHUNK_SIZE;
    assert_in_range(held, 1, SSH_RX_WINDOW + 2 * CHUNK_SIZE);
    assert_in_range(fake_counts().held_most, SSH_RX_WINDOW / 2, SSH_RX_WINDOW);
    {
        struct client c = {.to_send = 1 << 20, .check = true, .end_when_sent = true};
        client_connect(&c, rig_port(vm, TO_ECHO));
        unsigned turns = 0;
        while (!client_over(&c) && turns++ < 5000)
            rig_turn(&rig);
        assert_int_equal(c.received, 1 << 20);
        client_close(&c);
    }
    slow.stop_reading = false;
    assert_true(rig_until(&rig, client_over(&slow)));
    assert_int_equal(slow.received, 16 << 20);
    client_close(&slow);
    assert_true(rig_until(&rig, rig.plane.flows == 0));
    assert_int_equal(rig.plane.chunks.used, 0);
}

static void test_target_that_reads_nothing_stops_the_client_and_nobody_else(void **state)
{
    struct client stuck = {.to_send = 64 << 20};
    client_connect(&stuck, rig_port(vm, TO_SILENT));
    for (int i = 0; i < 2000; i++) {
        client_pump(&stuck);
        rig_turn(&rig);
    }
    assert_true(stuck.sent < (32u << 20));
    fake.chunk_max = 0;
    struct client c = {.to_send = 100000, .check = true, .end_when_sent = true};
    client_connect(&c, rig_port(vm, TO_ECHO));
    assert_true(rig_until(&rig, client_over(&c)));
    assert_int_equal(c.received, 100000);
    client_close(&c);
    client_close(&stuck);
}

static void test_refused_target_resets_its_client_and_no_other(void **state)
{
    struct client good = {.check = true};
    client_connect(&good, rig_port(vm, TO_ECHO));
    assert_true(rig_until(&rig, rig.plane.flows == 1 && fake_counts().chans_opened == 1));
    struct client c = {0};
    client_connect(&c, rig_port(vm, TO_REFUSED));
    assert_true(rig_until(&rig, client_over(&c)));
    assert_true(c.reset);
    client_close(&c);
    assert_int_equal(forward_at(TO_REFUSED)->flows_failed, 1);
    assert_string_equal(forward_at(TO_REFUSED)->err.msg, "Connection refused");
    assert_int_equal(vm->state, PROXY_VM_UP);
    good.to_send = 5;
    assert_true(rig_until(&rig, (client_pump(&good), good.received == 5)));
    client_close(&good);
}

static void test_reset_by_the_client_closes_the_channel(void **state)
{
    struct client c = {.to_send = 1000};
    client_connect(&c, rig_port(vm, TO_ECHO));
    assert_true(rig_until(&rig, (client_pump(&c), c.received > 0)));
    struct linger now = {.l_onoff = 1};
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    client_close(&c);
    assert_true(rig_until(&rig, fake_counts().chans_alive == 0 && rig.plane.flows == 0));
    assert_int_equal(fake_counts().ends_seen, 0); /* a broken stream is not passed off as a whole one */
    assert_int_equal(forward_at(TO_ECHO)->flows_failed, 0);
}

/* The client says all, then vanishes without reading: what it said arrives. */
static void test_bytes_of_a_client_that_is_gone_still_arrive(void **state)
{
    fake.source_bytes = 8 << 20;
    struct client c = {.to_send = 30000, .stop_reading = true}; /* all of it is in our kernel by then */
    client_connect(&c, rig_port(vm, TO_SOURCE));
    assert_true(rig_until(&rig, (client_pump(&c), c.sent == c.to_send)));
    client_close(&c);
    assert_true(rig_until(&rig, fake_counts().swallowed == 30000));
    assert_true(rig_until(&rig, rig.plane.flows == 0));
}

static void test_dead_connection_resets_its_flows_and_the_next_client_works(void **state)
{
    struct client a = {.to_send = 10, .check = true}, b = {0};
    client_connect(&a, rig_port(vm, TO_ECHO));
    client_connect(&b, rig_port(vm, TO_SINK));
    assert_true(rig_until(&rig, (client_pump(&a), a.received == 10)));
    uint16_t port = rig_port(vm, TO_ECHO);
    fake_kill(0, ERR_CLOSED, "the server closed the connection");
    assert_true(rig_until(&rig, (client_pump(&a), client_over(&b)) && client_over(&a)));
    assert_true(a.reset && b.reset);
    assert_non_null(strstr(vm->err.msg, "connection lost: the server closed the connection"));
    client_close(&a);
    client_close(&b);
    assert_int_equal(rig_port(vm, TO_ECHO), port); /* still bound */
    echo_of(1000, 0, 0);
    assert_int_equal(vm->reconnects, 1);
}

static void test_connection_at_rest_holds_no_memory(void **state)
{
    struct client c[50] = {0};
    for (size_t i = 0; i < 50; i++) {
        c[i].to_send = 100;
        c[i].check = true;
        client_connect(&c[i], rig_port(vm, TO_ECHO));
        assert_true(rig_until(&rig, (client_pump(&c[i]), c[i].received == 100)));
    }
    assert_int_equal(rig.plane.flows, 50);
    assert_int_equal(rig.plane.chunks.used, 0);
    for (size_t i = 0; i < 50; i++)
        client_close(&c[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes_come_back_unchanged_in_chunks_of_any_size, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_client_that_ends_first_still_gets_the_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_target_that_ends_first_still_gets_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader_holds_at_most_the_window_and_delays_no_other, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_target_that_reads_nothing_stops_the_client_and_nobody_else,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_target_resets_its_client_and_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset_by_the_client_closes_the_channel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytes_of_a_client_that_is_gone_still_arrive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dead_connection_resets_its_flows_and_the_next_client_works,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_connection_at_rest_holds_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}

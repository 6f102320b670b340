/*
 * test_native_window: what a server may send and we may send, and how much all of it may be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

#define MIB (1u << 20)

static struct rig rig;

static uint32_t id_of(const struct ssh_chan *ch)
{
    return ((const struct native_chan *)ch->ec)->id;
}

static void begin(struct wire_writer *w, uint8_t type, uint32_t id)
{
    wire_write_init(w);
    wire_put_u8(w, type);
    wire_put_u32(w, id);
}

static void send_data(uint32_t id, size_t n)
{
    static const uint8_t data[NATIVE_PACKET_MAX];
    struct wire_writer w;
    begin(&w, MSG_CHANNEL_DATA, id);
    wire_put_str(&w, data, n);
    far_send_writer(&rig.far, &w);
}

static void send_adjust(uint32_t id, uint32_t more)
{
    struct wire_writer w;
    begin(&w, MSG_CHANNEL_WINDOW_ADJUST, id);
    wire_put_u32(&w, more);
    far_send_writer(&rig.far, &w);
}

static void up(const struct far_options *more)
{
    struct far_options o = more ? *more : (struct far_options){.confirms = true};
    o.lets_in = true;
    rig_init(&rig, &o);
    assert_int_equal(rig_up(&rig), 0);
}

static struct ssh_chan *up_chan(void)
{
    up(NULL);
    struct ssh_chan *ch = rig_open(&rig);
    assert_int_equal(rig_run(&rig), 0);
    assert_true(ch->opened);
    return ch;
}

static void breaks(const char *text)
{
    assert_true(rig_run(&rig) < 0);
    rig_expect(&rig, ERR_PROTOCOL, text);
    rig_done(&rig);
}

static void more_than_the_window(void **state)
{
    struct ssh_chan *ch = up_chan();
    ch->hold = true;
    for (size_t sent = 0; sent < SSH_RX_WINDOW; sent += 32768)
        send_data(id_of(ch), 32768);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(ch->got, SSH_RX_WINDOW);
    send_data(id_of(ch), 1);
    assert_true(rig_run(&rig) < 0);
    rig_expect(&rig, ERR_PROTOCOL, "window has room for");
    assert_int_equal(ch->got, SSH_RX_WINDOW);
    rig_done(&rig);
}

static void more_in_a_packet_than_was_said(void **state)
{
    struct ssh_chan *ch = up_chan();
    send_data(id_of(ch), NATIVE_DATA_MAX);
    send_data(id_of(ch), NATIVE_DATA_MAX + 1);
    assert_true(rig_run(&rig) < 0);
    rig_expect(&rig, ERR_PROTOCOL, "more data in a packet than a channel takes");
    assert_int_equal(ch->got, NATIVE_DATA_MAX);
    rig_done(&rig);
}

/* The reader keeps up over a long link; then nobody reads any more. */
static void grow_and_stall(struct ssh_chan *ch)
{
    struct native_chan *c = (struct native_chan *)ch->ec;
    rig_native(&rig)->rtt_ns = 1000000000;
    for (int i = 0; i < 4; i++) { /* as if so much had come in the two seconds before */
        c->rate_bytes = 64 * MIB;
        c->rate_from = uv_hrtime() - 2100000000;
        for (int k = 0; k < 100; k++)
            send_data(c->id, 32768);
        assert_int_equal(rig_run(&rig), 0);
    }
    ch->hold = true;
    while (c->rx_window > 0) {
        send_data(c->id, c->rx_window < 32768 ? c->rx_window : 32768);
        assert_int_equal(rig_run(&rig), 0);
    }
}

/* Windows that grew and are let shrink again: what was promised meanwhile counts until it is gone. */
static void what_all_windows_promise_has_a_limit(void **state)
{
    size_t held = 0;
    up(NULL);
    for (int i = 0; i < 30; i++) {
        struct ssh_chan *ch = rig_open(&rig);
        assert_int_equal(rig_run(&rig), 0);
        grow_and_stall(ch);
        held += ch->held;
    }
    assert_true(rig.chans[0].held > 8 * MIB); /* or this shows nothing */
    assert_in_range(held, 30 * 2 * MIB, 30 * 2 * MIB + 96 * MIB);
    for (unsigned i = 0; i < rig.chan_count; i++)
        rig_consume(&rig.chans[i], rig.chans[i].held);
    assert_int_equal(rig_run(&rig), 0);
    struct ssh_chan *ch = rig_open(&rig);
    assert_int_equal(rig_run(&rig), 0);
    grow_and_stall(ch);
    assert_true(ch->held > 8 * MIB); /* the limit is free again */
    rig_done(&rig);
}

static void a_window_of_ours_that_overflows(void **state)
{
    struct ssh_chan *ch = up_chan();
    send_adjust(id_of(ch), UINT32_MAX - MIB);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig_commit(ch, SIZE_MAX), SSH_TX_MAX);
    send_adjust(id_of(ch), SSH_TX_MAX + 1);
    breaks("a window that makes no sense");
}

static void tiny_windows_and_packets(void **state)
{
    struct far_options o = {.confirms = true, .window = 10, .packet = 3};
    up(&o);
    struct ssh_chan *ch = rig_open(&rig);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig_commit(ch, 100), 10);
    assert_int_equal(rig_commit(ch, 100), 0);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(far_heard(&rig.far, MSG_CHANNEL_DATA), 4);
    send_adjust(id_of(ch), 1);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig_commit(ch, 100), 1);
    rig_done(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_the_window),
        cmocka_unit_test(more_in_a_packet_than_was_said),
        cmocka_unit_test(what_all_windows_promise_has_a_limit),
        cmocka_unit_test(a_window_of_ours_that_overflows),
        cmocka_unit_test(tiny_windows_and_packets),
    };
    rig.may_allocate = -1;
    return cmocka_run_group_tests_name("native window", tests, NULL, NULL);
}

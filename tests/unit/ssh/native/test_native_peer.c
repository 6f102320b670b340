/*
 * test_native_peer: a server that has let us in, and what it then says about channels.
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

static void send_id(uint8_t type, uint32_t id)
{
    struct wire_writer w;
    begin(&w, type, id);
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

static void messages_about_no_channel(void **state)
{
    for (uint8_t type = MSG_CHANNEL_OPEN_CONFIRMATION; type <= MSG_CHANNEL_FAILURE; type++) {
        for (int which = 0; which < 3; which++) {
            static const uint32_t ids[] = {1, 100, UINT32_MAX};
            (void)up_chan();
            send_id(type, ids[which]);
            breaks("broke the protocol");
        }
    }
}

/* Nothing but an answer may come before the answer. */
static void messages_about_a_channel_that_opens(void **state)
{
    for (uint8_t type = MSG_CHANNEL_WINDOW_ADJUST; type <= MSG_CHANNEL_FAILURE; type++) {
        for (int let_go = 0; let_go < 2; let_go++) {
            struct far_options o = {.confirms = false};
            struct wire_writer w;
            up(&o);
            struct ssh_chan *ch = rig_open(&rig);
            assert_int_equal(rig_run(&rig), 0);
            begin(&w, type, id_of(ch));
            if (let_go)
                rig_let_go(ch);
            wire_put_u32(&w, 0);
            wire_put_u32(&w, 0);
            far_send_writer(&rig.far, &w);
            assert_true(rig_run(&rig) < 0);
            rig_expect(&rig, ERR_PROTOCOL, "broke the protocol");
            assert_false(ch->opened || ch->eof || ch->closed);
            rig_done(&rig);
        }
    }
}

static void after_the_end(void **state)
{
    struct ssh_chan *ch = up_chan();
    uint32_t id = id_of(ch);
    send_id(MSG_CHANNEL_EOF, id);
    send_id(MSG_CHANNEL_EOF, id);
    assert_int_equal(rig_run(&rig), 0);
    assert_true(ch->eof);
    send_data(id, 1);
    breaks("data for a channel that takes none");

    ch = up_chan();
    send_id(MSG_CHANNEL_CLOSE, id);
    assert_int_equal(rig_run(&rig), 0);
    assert_true(ch->closed);
    assert_int_equal(far_heard(&rig.far, MSG_CHANNEL_CLOSE), 1);
    send_id(MSG_CHANNEL_CLOSE, id);
    breaks("a channel that there is not");
}

/* A number is given again only when the server's close has come, and late messages meet the right channel. */
static void a_number_is_not_used_twice(void **state)
{
    struct ssh_chan *old = up_chan();
    uint32_t id = id_of(old);
    rig_let_go(old);
    struct ssh_chan *next = rig_open(&rig);
    assert_int_not_equal(id_of(next), id);
    send_data(id, 5); /* was under way */
    send_adjust(id, 5);
    send_id(MSG_CHANNEL_EOF, id);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(next->got, 0);
    assert_false(next->eof);
    send_id(MSG_CHANNEL_CLOSE, id);
    assert_int_equal(rig_run(&rig), 0);
    struct ssh_chan *third = rig_open(&rig);
    assert_int_equal(id_of(third), id);
    assert_int_equal(rig_run(&rig), 0);
    send_data(id, 7);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(third->got, 7);
    rig_done(&rig);
}

/* It never says that it has closed its half. */
static void channels_that_never_end_have_a_limit(void **state)
{
    up(NULL);
    unsigned opened = 0;
    while (!rig.failed && opened <= NATIVE_CHANNELS_MAX) {
        rig.chan_count = 0;
        rig.chans[0] = (struct ssh_chan){0};
        struct ssh_chan *ch = rig_open(&rig);
        if (!ch)
            break;
        opened++;
        if (opened % 64 == 0)
            assert_int_equal(rig_run(&rig), 0);
        rig_let_go(ch);
    }
    assert_int_equal(opened, NATIVE_CHANNELS_MAX);
    rig_expect(&rig, ERR_LIMIT, "still being closed");
    rig_done(&rig);
}

static void send_open(uint32_t id, uint32_t packet)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_CHANNEL_OPEN);
    wire_put_cstr(&w, "forwarded-tcpip");
    wire_put_u32(&w, id);
    wire_put_u32(&w, 100);
    wire_put_u32(&w, packet);
    far_send_writer(&rig.far, &w);
}

/* Channels that the server opens: nothing may come on them before they are accepted, and one that is refused
 * leaves nothing behind. */
static void channels_that_come_in(void **state)
{
    for (uint8_t type = MSG_CHANNEL_OPEN_CONFIRMATION; type <= MSG_CHANNEL_FAILURE; type++) {
        struct wire_writer w;
        up(NULL);
        rig.takes_incoming = true;
        send_open(7, 100);
        assert_int_equal(rig_run(&rig), 0);
        begin(&w, type, id_of(&rig.chans[0]));
        for (int i = 0; i < 3; i++)
            wire_put_u32(&w, 0);
        far_send_writer(&rig.far, &w);
        breaks("broke the protocol");
    }
    up(NULL);
    rig.takes_incoming = true;
    send_open(7, 100);
    send_open(7, 100);
    assert_int_equal(rig_run(&rig), 0);
    struct ssh_chan *a = &rig.chans[0], *b = &rig.chans[1];
    uint32_t id = id_of(a);
    rig_let_go(a);
    rig_accept(b);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(far_heard(&rig.far, MSG_CHANNEL_OPEN_FAILURE), 1);
    assert_int_equal(far_heard(&rig.far, MSG_CHANNEL_OPEN_CONFIRMATION), 1);
    send_data(id_of(b), 5);
    assert_int_equal(rig_commit(b, 1000), 100);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(b->got, 5);
    send_data(id, 5);
    breaks("takes none");
    up(NULL);
    send_open(7, 0);
    breaks("a malformed request for a channel");
}

static void a_server_that_opens_without_end(void **state)
{
    up(NULL);
    rig.takes_incoming = true;
    for (int i = 0; i < 2 * RIG_CHANS; i++)
        send_open(7, 100);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(far_heard(&rig.far, MSG_CHANNEL_OPEN_FAILURE), RIG_CHANS);
    assert_int_equal(rig_native(&rig)->chan_count, RIG_CHANS);
    rig_done(&rig);
}

static void answers_to_requests(void **state)
{
    struct err err;
    up(NULL);
    assert_int_equal(rig_request(&rig), 0);
    assert_int_equal(rig.e->ops->ping(rig.e, &err), 1);
    assert_int_equal(rig_request(&rig), 0);
    far_send_type(&rig.far, MSG_REQUEST_SUCCESS);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig.answers * 10 + rig.pongs, 10);
    far_send_type(&rig.far, MSG_REQUEST_FAILURE);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig.answers * 10 + rig.pongs, 11);
    far_send_type(&rig.far, MSG_REQUEST_FAILURE);
    far_send_type(&rig.far, MSG_REQUEST_FAILURE);
    assert_true(rig_run(&rig) < 0);
    rig_expect(&rig, ERR_PROTOCOL, "an answer to no request");
    assert_int_equal(rig.answers * 10 + rig.pongs, 21);
    rig_done(&rig);
}

static void let_go_at_every_event(struct rig *r, enum rig_event event, struct ssh_chan *ch)
{
    const enum rig_event *when = r->arg;
    if (event == *when)
        for (unsigned i = 0; i < r->chan_count; i++)
            rig_let_go(&r->chans[i]);
}

/* Callbacks may close the channel that they are about and any other. */
static void channels_closed_in_their_own_callbacks(void **state)
{
    for (enum rig_event when = RIG_PONG; when <= RIG_CLOSED; when++) {
        up(NULL);
        struct err err;
        struct ssh_chan *a = rig_open(&rig), *b = rig_open(&rig);
        rig.on = let_go_at_every_event;
        rig.arg = &when;
        uint32_t ids[] = {id_of(a), id_of(b)};
        assert_int_equal(rig.e->ops->ping(rig.e, &err), 1);
        assert_int_equal(rig_run(&rig), 0);
        for (int i = 0; i < 20; i++)
            for (int k = 0; k < 2; k++)
                send_data(ids[k], 1000);
        far_send_type(&rig.far, MSG_REQUEST_FAILURE);
        for (int k = 0; k < 2; k++) {
            send_id(MSG_CHANNEL_EOF, ids[k]);
            send_id(MSG_CHANNEL_CLOSE, ids[k]);
        }
        assert_int_equal(rig_run(&rig), 0);
        assert_true(a->let_go || a->closed);
        assert_true(b->let_go || b->closed);
        assert_int_equal(rig_native(&rig)->chan_count, 0);
        rig_done(&rig);
        rig.on = NULL;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_about_no_channel),
        cmocka_unit_test(messages_about_a_channel_that_opens),
        cmocka_unit_test(after_the_end),
        cmocka_unit_test(a_number_is_not_used_twice),
        cmocka_unit_test(channels_that_never_end_have_a_limit),
        cmocka_unit_test(channels_that_come_in),
        cmocka_unit_test(a_server_that_opens_without_end),
        cmocka_unit_test(answers_to_requests),
        cmocka_unit_test(channels_closed_in_their_own_callbacks),
    };
    rig.may_allocate = -1;
    return cmocka_run_group_tests_name("native peer", tests, NULL, NULL);
}

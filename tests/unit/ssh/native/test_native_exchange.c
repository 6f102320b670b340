/*
 * test_native_exchange: key exchanges of the native engine: strict or not, again and again, and those that
 * somebody meddles with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "rig.h"

static const char *const CIPHERS[] = {"aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
                                      "chacha20-poly1305@openssh.com", "aes128-ctr", "aes256-ctr"};

static struct rig rig;

static void send_data(const struct ssh_chan *ch, size_t n)
{
    static const uint8_t data[NATIVE_PACKET_MAX];
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_CHANNEL_DATA);
    wire_put_u32(&w, ((const struct native_chan *)ch->ec)->id);
    wire_put_str(&w, data, n);
    far_send_writer(&rig.far, &w);
}

/* Numbers and nonces are right on both sides only if each packet of each key opens. */
static void talk(struct ssh_chan *ch)
{
    for (int i = 0; i < 3; i++) {
        size_t before = ch->got;
        unsigned heard = far_heard(&rig.far, MSG_CHANNEL_DATA);
        send_data(ch, 1000);
        assert_int_equal(rig_commit(ch, 70000), 65536);
        assert_int_equal(rig_run(&rig), 0);
        assert_int_equal(ch->got, before + 1000);
        assert_int_equal(far_heard(&rig.far, MSG_CHANNEL_DATA), heard + 2);
    }
}

static int our_rekey(void)
{
    rig_native(&rig)->out.packets = 1ull << 32; /* as after so many */
    rig.soon = true;
    return rig_run(&rig);
}

static void every_cipher_and_exchange(void **state)
{
    for (size_t i = 0; i < 2 * sizeof CIPHERS / sizeof *CIPHERS; i++) {
        for (const struct kex_method *m = KEX_METHODS; m->name; m++) {
            struct far_options o = {
                .cipher = CIPHERS[i / 2], .kex = m->name, .strict = i % 2, .lets_in = true, .confirms = true};
            rig.piece = i % 2 ? 0 : 7;
            rig_init(&rig, &o);
            assert_int_equal(rig_up(&rig), 0);
            struct ssh_chan *ch = rig_open(&rig);
            assert_int_equal(rig_run(&rig), 0);
            talk(ch);
            far_offer(&rig.far); /* the server's wish */
            assert_int_equal(rig_run(&rig), 0);
            assert_int_equal(rig.far.exchanges, 2);
            talk(ch);
            assert_int_equal(our_rekey(), 0);
            assert_int_equal(rig.far.exchanges, 3);
            talk(ch);
            rig_native(&rig)->out.packets = 1ull << 32;
            rig.soon = true;
            far_offer(&rig.far); /* both at once */
            assert_int_equal(rig_run(&rig), 0);
            assert_int_equal(rig.far.exchanges, 4);
            talk(ch);
            assert_int_equal(rig.host_keys, 1);
            struct ssh_engine_info info;
            rig.e->ops->info(rig.e, &info);
            assert_string_equal(info.cipher, CIPHERS[i / 2]);
            assert_string_equal(info.kex, m->name);
            rig_done(&rig);
        }
    }
    rig.piece = 0;
}

/* ---- something is slipped in ---- */

static void slip_in(struct far *f, enum far_point point)
{
    const uint8_t *what = f->arg; /* where, and a message of one byte; IGNORE's empty string follows */
    if (f->exchanges == 0 && point == (enum far_point)what[0])
        far_send(f, what + 1, 5);
}

static void messages_within_the_first_exchange(void **state)
{
    for (uint8_t point = FAR_KEXINIT; point <= FAR_NEWKEYS; point++) {
        for (int strict = 0; strict < 2; strict++) {
            static const uint8_t types[] = {MSG_IGNORE, MSG_DEBUG, MSG_UNIMPLEMENTED};
            for (size_t t = 0; t < sizeof types; t++) {
                uint8_t what[6] = {point, types[t]};
                struct far_options o = {
                    .strict = strict, .lets_in = true, .at = slip_in, .cipher = CIPHERS[2]};
                rig_init(&rig, &o);
                rig.far.arg = what;
                if (strict) {
                    assert_true(rig_start(&rig) < 0);
                    rig_expect(&rig, ERR_PROTOCOL,
                               point == FAR_KEXINIT ? "before the first key exchange"
                                                    : "within the first key exchange");
                    assert_false(rig.is_ready);
                } else {
                    assert_int_equal(rig_up(&rig), 0);
                    assert_true(rig.logged_in);
                }
                rig_done(&rig);
            }
        }
    }
}

/* Nobody signed what is said before the keys. */
static void only_the_exchange_is_heard_before_the_keys(void **state)
{
    static const uint8_t types[] = {
        MSG_EXT_INFO,       MSG_SERVICE_ACCEPT, MSG_USERAUTH_SUCCESS, MSG_USERAUTH_FAILURE,
        MSG_GLOBAL_REQUEST, MSG_CHANNEL_OPEN,   MSG_CHANNEL_DATA,     200};
    for (size_t t = 0; t < sizeof types; t++) {
        for (uint8_t point = FAR_KEXINIT; point <= FAR_NEWKEYS; point++) {
            uint8_t what[6] = {point, types[t]};
            struct far_options o = {.lets_in = true, .at = slip_in};
            rig_init(&rig, &o);
            rig.far.arg = what;
            assert_true(rig_start(&rig) < 0);
            rig_expect(&rig, ERR_PROTOCOL, "broke the protocol");
            assert_false(rig.is_ready);
            rig_done(&rig);
        }
    }
}

static void between_later_exchanges_all_is_well(void **state)
{
    struct far_options o = {.strict = true, .lets_in = true, .confirms = true};
    static const uint8_t ignore[5] = {MSG_IGNORE};
    rig_init(&rig, &o);
    assert_int_equal(rig_up(&rig), 0);
    struct ssh_chan *ch = rig_open(&rig);
    assert_int_equal(rig_run(&rig), 0);
    far_send(&rig.far, ignore, sizeof ignore);
    far_offer(&rig.far);
    far_send(&rig.far, ignore, sizeof ignore);
    assert_int_equal(rig_run(&rig), 0);
    talk(ch);
    rig_done(&rig);
}

/* ---- messages of the exchange at the wrong time ---- */

static void replay(struct far *f, enum far_point point)
{
    const uint8_t *what = f->arg;
    if (point != (enum far_point)what[0] || f->exchanges > 0)
        return;
    if (what[1] == MSG_KEXINIT)
        far_send(f, f->ours.data, f->ours.len);
    else
        far_send_type(f, what[1]);
}

static void the_order_of_an_exchange(void **state)
{
    static const uint8_t cases[][2] = {
        {FAR_KEXINIT, MSG_NEWKEYS},     {FAR_KEXINIT, MSG_KEX_ECDH_REPLY}, {FAR_REPLY, MSG_NEWKEYS},
        {FAR_REPLY, MSG_KEXINIT},       {FAR_REPLY, MSG_KEX_ECDH_INIT},    {FAR_REPLY, 49},
        {FAR_NEWKEYS, MSG_KEXINIT},     {FAR_NEWKEYS, MSG_KEX_ECDH_REPLY}, {FAR_DONE, MSG_NEWKEYS},
        {FAR_DONE, MSG_KEX_ECDH_REPLY}, {FAR_KEXINIT, MSG_KEX_ECDH_INIT},  {FAR_DONE, 22},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct far_options o = {.strict = i % 2, .lets_in = true, .at = replay};
        rig_init(&rig, &o);
        rig.far.arg = (void *)cases[i];
        assert_true(rig_start(&rig) < 0);
        rig_expect(&rig, ERR_PROTOCOL, "");
        rig_done(&rig);
    }
}

static void a_wrong_guess_is_passed_over(void **state)
{
    struct far_options o = {.lets_in = true, .wrong_guess = true, .strict = true};
    rig_init(&rig, &o);
    assert_int_equal(rig_up(&rig), 0);
    far_offer(&rig.far);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig.far.exchanges, 2);
    rig_done(&rig);
}

/* ---- what waits meanwhile ---- */

static void what_is_said_during_an_exchange_follows_it(void **state)
{
    struct far_options o = {.lets_in = true, .confirms = true, .strict = true};
    struct err err;
    uv_buf_t room;
    rig_init(&rig, &o);
    assert_int_equal(rig_up(&rig), 0);
    struct ssh_chan *first = rig_open(&rig);
    assert_int_equal(rig_run(&rig), 0);
    rig.far.silent_exchange = true;
    assert_int_equal(our_rekey(), 0);
    assert_false(rig.e->ops->tx_reserve(first->ec, &room));
    struct ssh_chan *second = rig_open(&rig);
    assert_int_equal(rig.e->ops->ping(rig.e, &err), 1);
    rig_let_go(first);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(far_heard(&rig.far, MSG_CHANNEL_OPEN), 1);
    assert_int_equal(far_heard(&rig.far, MSG_CHANNEL_CLOSE), 0);
    rig.far.silent_exchange = false;
    far_offer(&rig.far);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(far_heard(&rig.far, MSG_CHANNEL_OPEN), 2);
    assert_int_equal(far_heard(&rig.far, MSG_CHANNEL_CLOSE), 1);
    assert_int_equal(far_heard(&rig.far, MSG_GLOBAL_REQUEST), 1);
    assert_true(second->opened);
    talk(second);
    rig_done(&rig);
}

/* A server that begins an exchange, asks on and on, and never ends it. */
static void what_waits_has_a_limit(void **state)
{
    static const uint8_t ask[6] = {MSG_GLOBAL_REQUEST, 0, 0, 0, 0, 1};
    struct far_options o = {.lets_in = true};
    rig_init(&rig, &o);
    assert_int_equal(rig_up(&rig), 0);
    rig.far.silent_exchange = true;
    assert_int_equal(our_rekey(), 0);
    for (size_t i = 0; i < NATIVE_HELD_MAX && !rig.failed; i++) {
        far_send(&rig.far, ask, sizeof ask);
        if (i % 1000 == 0)
            (void)rig_run(&rig);
    }
    rig_expect(&rig, ERR_LIMIT, "does not come to an end with exchanging keys");
    rig_done(&rig);
}

static void numbers_never_come_again(void **state)
{
    struct far_options o = {.lets_in = true};
    rig_init(&rig, &o);
    assert_int_equal(rig_up(&rig), 0);
    rig_native(&rig)->in.packets = 1ull << 32;
    far_send_type(&rig.far, MSG_UNIMPLEMENTED);
    assert_true(rig_run(&rig) < 0);
    rig_expect(&rig, ERR_PROTOCOL, "numbers come again");
    rig_done(&rig);
}

/* The k-th allocation of a life with two exchanges fails, for every k. */
static void memory_runs_out(void **state)
{
    long k = 0;
    for (bool done = false; !done; k++) {
        struct far_options o = {.strict = true, .lets_in = true, .confirms = true};
        rig.may_allocate = k;
        rig_init(&rig, &o);
        if (rig_up(&rig) == 0 && rig_open(&rig) && rig_run(&rig) == 0) {
            far_offer(&rig.far);
            (void)rig_run(&rig);
        }
        if (rig.failed)
            assert_int_equal(rig.err.code, ERR_NOMEM);
        done = !rig.failed;
        rig_done(&rig);
        rig.may_allocate = -1;
    }
    assert_true(k > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cipher_and_exchange),
        cmocka_unit_test(messages_within_the_first_exchange),
        cmocka_unit_test(only_the_exchange_is_heard_before_the_keys),
        cmocka_unit_test(between_later_exchanges_all_is_well),
        cmocka_unit_test(the_order_of_an_exchange),
        cmocka_unit_test(a_wrong_guess_is_passed_over),
        cmocka_unit_test(what_is_said_during_an_exchange_follows_it),
        cmocka_unit_test(what_waits_has_a_limit),
        cmocka_unit_test(numbers_never_come_again),
        cmocka_unit_test(memory_runs_out),
    };
    rig.may_allocate = -1;
    return cmocka_run_group_tests_name("native exchange", tests, NULL, NULL);
}

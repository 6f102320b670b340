/*
 * test_native_packet: packets that were cut, changed or made up: an error and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static const char *const CIPHERS[] = {"aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
                                      "chacha20-poly1305@openssh.com", "aes128-ctr", "aes256-ctr"};
#define CIPHER_COUNT (sizeof CIPHERS / sizeof *CIPHERS)

static struct rig rig;

static struct ssh_chan *up(const char *cipher, bool strict)
{
    struct far_options o = {.cipher = cipher, .strict = strict, .lets_in = true, .confirms = true};
    rig_init(&rig, &o);
    assert_int_equal(rig_up(&rig), 0);
    struct ssh_chan *ch = rig_open(&rig);
    assert_int_equal(rig_run(&rig), 0);
    assert_true(ch->opened);
    return ch;
}

static void put_data(struct wire_writer *w, const struct ssh_chan *ch, const char *text)
{
    wire_write_init(w);
    wire_put_u8(w, MSG_CHANNEL_DATA);
    wire_put_u32(w, ((const struct native_chan *)ch->ec)->id);
    wire_put_cstr(w, text);
}

static void send_data(const struct ssh_chan *ch, const char *text)
{
    struct wire_writer w;
    put_data(&w, ch, text);
    far_send_writer(&rig.far, &w);
}

/* Each byte of a packet once: what came before it is told, it is not. */
static void a_changed_bit_anywhere(void **state)
{
    for (size_t c = 0; c < CIPHER_COUNT; c++) {
        size_t size = 1;
        for (size_t at = 0; at < size; at++) {
            struct ssh_chan *ch = up(CIPHERS[c], at % 2);
            send_data(ch, "before");
            size_t from = rig.far.out.len;
            send_data(ch, "changed");
            size = rig.far.out.len - from;
            rig.far.out.data[from + at] ^= at < 2 ? 0x10 : 1; /* lengths get absurd, not long */
            send_data(ch, "after");
            for (int i = 0; i < 3000; i++) /* should the length have been made longer */
                send_data(ch, "after that");
            assert_true(rig_run(&rig) < 0);
            rig_expect(&rig, ERR_PROTOCOL, "broke the protocol");
            assert_string_equal(ch->text, "before");
            rig_done(&rig);
        }
    }
}

static void a_packet_again_or_in_another_order(void **state)
{
    for (size_t c = 0; c < CIPHER_COUNT; c++) {
        for (int swapped = 0; swapped < 2; swapped++) {
            struct ssh_chan *ch = up(CIPHERS[c], true);
            send_data(ch, "one");
            size_t len = rig.far.out.len;
            uint8_t *copy = malloc(len);
            memcpy(copy, rig.far.out.data, len);
            if (swapped) {
                rig.far.out.len = 0;
                send_data(ch, "two");
            }
            wire_put_bytes(&rig.far.out, copy, len);
            assert_true(rig_run(&rig) < 0);
            rig_expect(&rig, ERR_PROTOCOL, "broke the protocol");
            assert_string_equal(ch->text, swapped ? "" : "one");
            free(copy);
            rig_done(&rig);
        }
    }
}

/* What is cut off is waited for, byte by byte, and completed. */
static void a_packet_in_single_bytes(void **state)
{
    for (size_t c = 0; c < CIPHER_COUNT; c++) {
        struct ssh_chan *ch = up(CIPHERS[c], true);
        send_data(ch, "whole");
        struct wire_writer out = rig.far.out;
        wire_write_init(&rig.far.out);
        for (size_t i = 0; i < out.len; i++) {
            assert_int_equal(ch->got, 0);
            assert_int_equal(rig_feed(&rig, out.data + i, 1), 0);
        }
        assert_string_equal(ch->text, "whole");
        wire_write_done(&out);
        rig_done(&rig);
    }
}

/* As a server with the keys would do it. */
static void lengths_and_paddings_that_make_no_sense(void **state)
{
    static const uint32_t lengths[] = {
        0, 1, 4, 8, 15, 17, 24 + 1, NATIVE_PACKET_MAX + 16, 1u << 30, UINT32_MAX, UINT32_MAX - 15};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t head[64] = {(uint8_t)(lengths[i] >> 24), (uint8_t)(lengths[i] >> 16),
                            (uint8_t)(lengths[i] >> 8), (uint8_t)lengths[i], 4};
        (void)up(CIPHERS[0], true);
        assert_true(rig_feed(&rig, head, sizeof head) < 0);
        rig_expect(&rig, ERR_PROTOCOL,
                   lengths[i] == 0 || lengths[i] > 16 || lengths[i] < 16 ? "length makes no sense" : "");
        rig_done(&rig);
        if (lengths[i] % 8 == 4) /* as it must be before the keys */
            continue;
        struct far_options o = {.lets_in = true};
        rig_init(&rig, &o);
        wire_put_bytes(&rig.far.out, "SSH-2.0-x\n", 10);
        wire_put_bytes(&rig.far.out, head, sizeof head);
        rig.far.offered = true;
        assert_true(rig_start(&rig) < 0);
        rig_expect(&rig, ERR_PROTOCOL, "length makes no sense");
        rig_done(&rig);
    }
    for (unsigned pad = 0; pad < 256; pad++) {
        struct ssh_chan *ch = up(CIPHERS[0], true);
        struct cipher_state *s = &rig.far.to;
        uint8_t body[16] = {(uint8_t)pad, MSG_IGNORE}, sealed[64];
        assert_int_equal(s->cipher->seal(s->keys, s->seq++, sealed, body, sizeof body), 0);
        int rc = rig_feed(&rig, sealed, 4 + sizeof body + CIPHER_AEAD_TAG);
        if (pad >= 4 && pad < 15)
            assert_int_equal(rc, 0);
        else
            rig_expect(&rig, ERR_PROTOCOL, pad == 15 ? "an empty message" : "padding makes no sense");
        assert_int_equal(ch->got, 0);
        rig_done(&rig);
    }
}

/* ---- before the first packet ---- */

static void start_with(const char *text, size_t n)
{
    struct far_options o = {.lets_in = true};
    rig_init(&rig, &o);
    rig.far.offered = true; /* it says no more */
    wire_put_bytes(&rig.far.out, text, n);
    (void)rig_start(&rig);
}

static void versions(void **state)
{
    char text[4096];
    static const struct {
        const char *said;
        int code;
        const char *why;
    } cases[] = {
        {"SSH-1.5-x\r\n", ERR_UNSUPPORTED, "speaks another protocol than SSH 2: \"SSH-1.5-x\""},
        {"SSH-\x1b[2J\r\n", ERR_UNSUPPORTED, "\"SSH-?[2J\""},
        {"\n\r\n\nhello\nSSH-2.0\n", ERR_UNSUPPORTED, "another protocol"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        start_with(cases[i].said, strlen(cases[i].said));
        rig_expect(&rig, cases[i].code, cases[i].why);
        rig_done(&rig);
    }
    start_with("SSH-2.0-a\0b\r\n", 13);
    rig_expect(&rig, ERR_PROTOCOL, "no text of at most 255 bytes");
    rig_done(&rig);
    memset(text, 'x', sizeof text);
    memcpy(text, "SSH-2.0-", 8);
    text[256] = '\n';
    start_with(text, 257);
    rig_expect(&rig, ERR_PROTOCOL, "no text of at most 255 bytes");
    rig_done(&rig);
    start_with(text, 255 - strlen("SSH-2.0-far_1")); /* which the far end says after it */
    assert_false(rig.failed);
    rig_done(&rig);
    memset(text, 'x', sizeof text);
    start_with(text, sizeof text);
    rig_expect(&rig, ERR_PROTOCOL, "a line before its version is too long");
    rig_done(&rig);
    memset(text, '\n', sizeof text);
    start_with(text, sizeof text);
    rig_expect(&rig, ERR_PROTOCOL, "no version after a hundred lines");
    rig_done(&rig);
}

static void lines_before_the_version(void **state)
{
    struct far_options o = {.lets_in = true};
    for (size_t piece = 0; piece < 3; piece++) {
        rig.piece = piece;
        rig_init(&rig, &o);
        wire_put_bytes(&rig.far.out, "\nhello\r\n\r\n", 10);
        assert_int_equal(rig_up(&rig), 0);
        rig_done(&rig);
    }
    rig.piece = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_bit_anywhere),
        cmocka_unit_test(a_packet_again_or_in_another_order),
        cmocka_unit_test(a_packet_in_single_bytes),
        cmocka_unit_test(lengths_and_paddings_that_make_no_sense),
        cmocka_unit_test(versions),
        cmocka_unit_test(lines_before_the_version),
    };
    rig.may_allocate = -1;
    return cmocka_run_group_tests_name("native packet", tests, NULL, NULL);
}

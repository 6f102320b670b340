/*
 * Tests of base/wire.h: the examples of RFC 4251 section 5, values cut short at every byte, and allocation
 * failures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/wire.h"

static void put_all(struct wire_writer *w)
{
    const uint8_t small[] = {0x00, 0x00, 0x7f}, big[] = {0x80};
    wire_put_u8(w, 0xab);
    wire_put_bool(w, true);
    wire_put_u32(w, 0x29b7f4aa);
    wire_put_u64(w, 0x0123456789abcdefu);
    wire_put_cstr(w, "testing");
    wire_put_str(w, "\0x", 2);
    wire_put_mpint(w, small, sizeof small);
    wire_put_mpint(w, big, sizeof big);
    wire_put_mpint(w, NULL, 0);
    wire_put_bytes(w, "end", 3);
}

static void get_all(struct wire_reader *r)
{
    assert_int_equal(wire_get_u8(r), 0xab);
    assert_true(wire_get_bool(r));
    assert_int_equal(wire_get_u32(r), 0x29b7f4aa);
    assert_true(wire_get_u64(r) == 0x0123456789abcdefu);
    assert_true(wire_str_is(wire_get_str(r), "testing"));
    struct wire_str s = wire_get_str(r);
    assert_int_equal(s.len, 2);
    assert_memory_equal(s.data, "\0x", 2);
    s = wire_get_mpint(r);
    assert_int_equal(s.len, 1);
    assert_int_equal(s.data[0], 0x7f);
    s = wire_get_mpint(r);
    assert_int_equal(s.len, 1);
    assert_int_equal(s.data[0], 0x80);
    assert_int_equal(wire_get_mpint(r).len, 0);
    assert_true(wire_ok(r));
    assert_false(wire_end(r));
    assert_true(wire_str_is(wire_get_bytes(r, 3), "end"));
    assert_true(wire_end(r));
}

static void test_round_trip(void **state)
{
    struct wire_writer w;
    wire_write_init(&w);
    put_all(&w);
    assert_true(wire_write_ok(&w));
    struct wire_reader r;
    wire_read_init(&r, w.data, w.len);
    get_all(&r);
    wire_write_done(&w);
    assert_null(w.data);
}

static void test_bytes_of_the_rfc(void **state)
{
    const uint8_t rfc[] = {0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7};
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u32(&w, 699921578);
    wire_put_cstr(&w, "testing");
    wire_put_mpint(&w, rfc, sizeof rfc);
    wire_put_mpint(&w, (const uint8_t *)"\x80", 1);
    static const char expected[] = "\x29\xb7\xf4\xaa"
                                   "\0\0\0\x07testing"
                                   "\0\0\0\x08\x09\xa3\x78\xf9\xb2\xe3\x32\xa7"
                                   "\0\0\0\x02\0\x80";
    assert_int_equal(w.len, sizeof expected - 1);
    assert_memory_equal(w.data, expected, w.len);
    wire_write_done(&w);
}

/* Each prefix lies in a block of its own, so that ASan sees one byte too many. */
static void test_cut_anywhere_goes_bad_and_stays_bad(void **state)
{
    struct wire_writer w;
    wire_write_init(&w);
    put_all(&w);
    for (size_t n = 0; n < w.len; n++) {
        uint8_t *part = mem_alloc(n);
        assert_non_null(part);
        memcpy(part, w.data, n);
        struct wire_reader r;
        wire_read_init(&r, part, n);
        wire_get_u8(&r);
        wire_get_bool(&r);
        wire_get_u32(&r);
        wire_get_u64(&r);
        wire_get_str(&r);
        wire_get_str(&r);
        for (int i = 0; i < 3; i++)
            wire_get_mpint(&r);
        wire_get_bytes(&r, 3);
        assert_false(wire_ok(&r));
        assert_false(wire_end(&r));
        assert_int_equal(wire_get_u8(&r), 0);
        assert_true(wire_get_u64(&r) == 0);
        assert_int_equal(wire_get_str(&r).len, 0);
        assert_int_equal(wire_get_bytes(&r, 0).len, 0);
        assert_null(wire_get_cstr(&r));
        mem_free(part);
    }
    wire_write_done(&w);
}

static void test_lengths_that_lie(void **state)
{
    const uint8_t lies[] = {0xff, 0xff, 0xff, 0xff, 'a', 'b'};
    struct wire_reader r;
    wire_read_init(&r, lies, sizeof lies);
    struct wire_str s = wire_get_str(&r);
    assert_null(s.data);
    assert_false(wire_ok(&r));
    wire_read_init(&r, lies, sizeof lies);
    assert_null(wire_get_bytes(&r, SIZE_MAX).data);
    assert_false(wire_ok(&r));
    wire_read_init(&r, lies, sizeof lies);
    assert_true(wire_get_u64(&r) == 0); /* not the half that is there */
    assert_false(wire_ok(&r));
    wire_read_init(&r, NULL, 0);
    assert_true(wire_end(&r));
    assert_int_equal(wire_get_u32(&r), 0);
    assert_false(wire_ok(&r));
}

static void test_negative_mpint_is_refused(void **state)
{
    const uint8_t negative[] = {0, 0, 0, 1, 0x80};
    struct wire_reader r;
    wire_read_init(&r, negative, sizeof negative);
    assert_int_equal(wire_get_mpint(&r).len, 0);
    assert_false(wire_ok(&r));
}

static void test_cstr(void **state)
{
    static const uint8_t bytes[] = "\0\0\0\x02hi\0\0\0\0\0\0\0\x03h\0i";
    struct wire_reader r;
    wire_read_init(&r, bytes, sizeof bytes - 1);
    char *s = wire_get_cstr(&r);
    assert_string_equal(s, "hi");
    mem_free(s);
    s = wire_get_cstr(&r);
    assert_string_equal(s, "");
    mem_free(s);
    assert_true(wire_ok(&r));
    assert_null(wire_get_cstr(&r)); /* a NUL inside */
    assert_false(wire_ok(&r));
    wire_read_init(&r, bytes, sizeof bytes - 1);
    mem_fail_after(0);
    assert_null(wire_get_cstr(&r));
    assert_false(wire_ok(&r));
}

static void test_writer_out_of_memory(void **state)
{
    for (long k = 0;; k++) {
        struct wire_writer w;
        wire_write_init(&w);
        mem_fail_after(k);
        for (int i = 0; i < 20; i++)
            put_all(&w);
        mem_fail_after(-1);
        bool ok = wire_write_ok(&w);
        size_t len = w.len;
        wire_put_u32(&w, 1);
        assert_int_equal(wire_write_ok(&w), ok);
        assert_int_equal(w.len, ok ? len + 4 : len);
        wire_write_done(&w);
        if (ok) {
            assert_true(k > 2);
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes_of_the_rfc),
        cmocka_unit_test(test_cut_anywhere_goes_bad_and_stays_bad),
        cmocka_unit_test(test_lengths_that_lie),
        cmocka_unit_test(test_negative_mpint_is_refused),
        cmocka_unit_test(test_cstr),
        cmocka_unit_test(test_writer_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

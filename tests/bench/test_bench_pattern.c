/*
 * test_bench_pattern: the content of the load generator's streams shows every kind of mistake; percentiles
 * are right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "measure.h"
#include "pattern.h"

#define SEED 0x1234567890abcdefu

static void any_cut_checks(void **state)
{
    (void)state;
    uint8_t whole[257], part[257];
    pattern_fill(whole, sizeof whole, SEED, 0);
    for (size_t from = 0; from < 40; from++) {
        for (size_t n = 0; from + n <= sizeof whole; n++) {
            pattern_fill(part, n, SEED, from);
            assert_memory_equal(part, whole + from, n);
            assert_int_equal(pattern_check(whole + from, n, SEED, from), n);
        }
    }
}

static void a_changed_byte_is_found_where_it_is(void **state)
{
    (void)state;
    uint8_t buf[100];
    for (size_t from = 0; from < 9; from++) {
        for (size_t at = 0; at < sizeof buf; at++) {
            pattern_fill(buf, sizeof buf, SEED, from);
            buf[at] ^= 0x40;
            assert_int_equal(pattern_check(buf, sizeof buf, SEED, from), at);
        }
    }
}

static void a_lost_byte_a_shift_and_another_stream_are_found(void **state)
{
    (void)state;
    uint8_t buf[4096];
    pattern_fill(buf, sizeof buf, SEED, 0);
    for (uint64_t shift = 1; shift < 70000; shift += shift < 300 ? 1 : 997)
        assert_true(pattern_check(buf, sizeof buf, SEED, shift) < 16);
    assert_true(pattern_check(buf, sizeof buf, pattern_seed(SEED, 0), 0) < 16);
    memmove(buf + 1000, buf + 1001, sizeof buf - 1001);
    assert_in_range(pattern_check(buf, sizeof buf - 1, SEED, 0), 1000, 1008);
}

static void percentiles_are_nearest_ranks(void **state)
{
    (void)state;
    struct samples s = {0};
    assert_true(samples_us(&s, 0.5) == 0);
    for (uint64_t i = 1000; i >= 1; i--)
        assert_int_equal(samples_add(&s, i * 1000), 0);
    samples_sort(&s);
    assert_true(samples_us(&s, 0.5) == 500);
    assert_true(samples_us(&s, 0.99) == 990);
    assert_true(samples_us(&s, 0.999) == 999);
    assert_true(samples_us(&s, 1) == 1000);
    samples_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_cut_checks),
        cmocka_unit_test(a_changed_byte_is_found_where_it_is),
        cmocka_unit_test(a_lost_byte_a_shift_and_another_stream_are_found),
        cmocka_unit_test(percentiles_are_nearest_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

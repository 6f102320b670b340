/*
 * test_format: quantities are never wider than they need to be, and round where they should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/format.h"

static void test_bytes(void **state)
{
    static const struct {
        uint64_t n;
        const char *want;
    } CASES[] = {{0, "0 B"},
                 {999, "999 B"},
                 {1000, "1.0 KiB"},
                 {1024, "1.0 KiB"},
                 {1536, "1.5 KiB"},
                 {10137, "9.9 KiB"},
                 {10240, "10 KiB"},
                 {1023 * 1024, "1.0 MiB"},
                 {34u << 20, "34 MiB"},
                 {UINT64_C(5) << 30, "5.0 GiB"},
                 {UINT64_MAX, "16 EiB"}};
    char out[FORMAT_MAX];
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_string_equal(format_bytes(out, CASES[i].n), CASES[i].want);
}

static void test_duration(void **state)
{
    static const struct {
        uint64_t ms;
        const char *want;
    } CASES[] = {{0, "0s"},           {999, "0s"},           {59999, "59s"},     {60000, "1m00s"},
                 {192000, "3m12s"},   {3599999, "59m59s"},   {7500000, "2h05m"}, {86399999, "23h59m"},
                 {86400000, "1d00h"}, {1047600000, "12d03h"}};
    char out[FORMAT_MAX];
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_string_equal(format_duration(out, CASES[i].ms), CASES[i].want);
    assert_true(strlen(format_duration(out, UINT64_MAX)) < FORMAT_MAX);
}

static void test_round_trip(void **state)
{
    static const struct {
        uint64_t us;
        const char *want;
    } CASES[] = {{80, "0.08ms"},  {99, "0.10ms"},    {100, "0.1ms"},   {812, "0.8ms"},
                 {12345, "12ms"}, {999400, "999ms"}, {1200000, "1.2s"}};
    char out[FORMAT_MAX];
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_string_equal(format_round_trip(out, CASES[i].us), CASES[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

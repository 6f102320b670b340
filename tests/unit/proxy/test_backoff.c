/*
 * Pauses grow, stay bounded, and a sleep of the machine is told from a busy moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proxy/backoff.h"

static void test_base_doubles_up_to_a_minute(void **state)
{
    static const uint64_t want[] = {0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    for (uint32_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_int_equal(backoff_base(i), want[i]);
    assert_int_equal(backoff_base(UINT32_MAX), 60000);
}

static void test_pauses_are_spread_and_bounded(void **state)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (int i = 0; i < 2000; i++) {
        assert_in_range(backoff_pause(0), 0, BACKOFF_FIRST_MS);
        assert_in_range(backoff_pause(100), 45000, BACKOFF_MAX_MS);
        uint64_t ms = backoff_pause(3);
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    assert_in_range(least, 3000, 3200);
    assert_in_range(most, 4800, 5000);
}

static void test_sleep_is_told_from_a_busy_moment(void **state)
{
    struct backoff_nap n = {0};
    uint64_t wall = 1700000000000, mono = 5000;
    assert_false(backoff_nap_check(&n, wall, mono, 5000));
    assert_false(backoff_nap_check(&n, wall += 5000, mono += 5000, 5000));
    assert_false(backoff_nap_check(&n, wall += 9000, mono += 9000, 5000)); /* busy */
    assert_true(
        backoff_nap_check(&n, wall += 3600000, mono += 5000, 5000)); /* suspended: only the wall clock ran */
    assert_false(backoff_nap_check(&n, wall += 5000, mono += 5000, 5000));
    assert_true(
        backoff_nap_check(&n, wall += 60000, mono += 60000, 5000)); /* stopped: both ran, we did not */
    assert_false(
        backoff_nap_check(&n, wall -= 3600000, mono += 5000, 5000)); /* the wall clock was set back */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_doubles_up_to_a_minute),
        cmocka_unit_test(test_pauses_are_spread_and_bounded),
        cmocka_unit_test(test_sleep_is_told_from_a_busy_moment),
    };
    return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}

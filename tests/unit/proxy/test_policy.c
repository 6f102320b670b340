/*
 * Which connection a flow gets, when there is one more, and when one less.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proxy/pool_policy.h"

#define LOAD(i, u, b)                                                                                        \
    {                                                                                                        \
        .flows = { [POOL_INTERACTIVE] = (i), [POOL_UNKNOWN] = (u), [POOL_BULK] = (b) }                       \
    }

static void picks(const struct pool_load *conns, size_t n, enum pool_class cls, enum pool_growth growth,
                  size_t index)
{
    struct pool_choice c = pool_policy_pick(conns, n, cls, growth);
    assert_int_equal(c.action, POOL_PICK);
    assert_int_equal(c.index, index);
}

static void test_idle_connection_serves_anybody(void **state)
{
    struct pool_load one[] = {LOAD(0, 0, 0)};
    for (int cls = 0; cls < POOL_CLASSES; cls++)
        for (int growth = 0; growth <= POOL_GROWTH_MAY; growth++)
            picks(one, 1, (enum pool_class)cls, (enum pool_growth)growth, 0);
}

static void test_interactive_keeps_off_bulk_while_the_pool_may_grow(void **state)
{
    struct pool_load bulk[] = {LOAD(0, 0, 1)}, desk[] = {LOAD(1, 0, 0)};
    assert_int_equal(pool_policy_pick(bulk, 1, POOL_INTERACTIVE, POOL_GROWTH_MAY).action, POOL_GROW);
    assert_int_equal(pool_policy_pick(bulk, 1, POOL_INTERACTIVE, POOL_GROWTH_UNDER_WAY).action, POOL_WAIT);
    picks(bulk, 1, POOL_INTERACTIVE, POOL_GROWTH_NONE, 0);
    assert_int_equal(pool_policy_pick(desk, 1, POOL_BULK, POOL_GROWTH_MAY).action, POOL_GROW);
    picks(desk, 1, POOL_BULK, POOL_GROWTH_NONE, 0);
}

/* Measured beside an upload: a ping on a port that says nothing took up to 59 ms where one apart took 0.3 ms.
 */
static void test_what_may_be_a_prompt_does_not_start_behind_a_transfer(void **state)
{
    struct pool_load bulk[] = {LOAD(0, 0, 1)};
    assert_int_equal(pool_policy_pick(bulk, 1, POOL_UNKNOWN, POOL_GROWTH_MAY).action, POOL_GROW);
    picks(bulk, 1, POOL_UNKNOWN, POOL_GROWTH_NONE, 0);
}

static void test_kinds_gather_where_they_fit(void **state)
{
    struct pool_load two[] = {LOAD(0, 0, 1), LOAD(5, 0, 0)};
    picks(two, 2, POOL_INTERACTIVE, POOL_GROWTH_MAY, 1);
    picks(two, 2, POOL_BULK, POOL_GROWTH_MAY, 0);
    picks(two, 2, POOL_UNKNOWN, POOL_GROWTH_MAY, 1);
    struct pool_load three[] = {LOAD(0, 0, 1), LOAD(5, 0, 0), LOAD(0, 9, 0)};
    picks(three, 3, POOL_UNKNOWN, POOL_GROWTH_NONE, 2);
}

static void test_fewest_flows_among_equals(void **state)
{
    struct pool_load three[] = {LOAD(3, 0, 0), LOAD(1, 0, 0), LOAD(2, 0, 0)};
    picks(three, 3, POOL_INTERACTIVE, POOL_GROWTH_NONE, 1);
}

static void test_stuck_connection_is_the_last_resort(void **state)
{
    struct pool_load two[] = {LOAD(1, 0, 0), LOAD(0, 0, 7)};
    two[0].stuck = true;
    picks(two, 2, POOL_BULK, POOL_GROWTH_MAY, 1);
    assert_int_equal(pool_policy_pick(two, 2, POOL_INTERACTIVE, POOL_GROWTH_MAY).action, POOL_GROW);
    picks(two, 2, POOL_INTERACTIVE, POOL_GROWTH_NONE, 1);
    picks(two, 1, POOL_INTERACTIVE, POOL_GROWTH_NONE, 0);
}

static void test_full_and_busy_connections_are_waited_for(void **state)
{
    struct pool_load full[] = {LOAD(0, 8000, 0)};
    full[0].full = true;
    assert_int_equal(pool_policy_pick(full, 1, POOL_UNKNOWN, POOL_GROWTH_NONE).action, POOL_WAIT);
    assert_int_equal(pool_policy_pick(full, 1, POOL_UNKNOWN, POOL_GROWTH_MAY).action, POOL_GROW);
    struct pool_load busy[] = {LOAD(0, POOL_OPENING_MAX, 0)};
    busy[0].opening = POOL_OPENING_MAX;
    assert_int_equal(pool_policy_pick(busy, 1, POOL_UNKNOWN, POOL_GROWTH_MAY).action, POOL_WAIT);
    busy[0].opening--;
    picks(busy, 1, POOL_UNKNOWN, POOL_GROWTH_MAY, 0);
}

static void test_first_connection_is_not_the_pools_business(void **state)
{
    assert_int_equal(pool_policy_pick(NULL, 0, POOL_UNKNOWN, POOL_GROWTH_MAY).action, POOL_WAIT);
}

static void test_slow_opens_are_judged_by_the_round_trip(void **state)
{
    assert_false(pool_policy_stuck(0, 0));
    assert_false(pool_policy_stuck(POOL_STUCK_MS, 1000));
    assert_true(pool_policy_stuck(POOL_STUCK_MS + 1, 1000));
    assert_false(pool_policy_stuck(900, 300000)); /* a satellite */
    assert_true(pool_policy_stuck(1300, 300000));
    assert_false(pool_policy_behind(100, 200));
    assert_true(pool_policy_behind(100, 50000));
}

static void test_spare_connections_retire_the_last_one_never(void **state)
{
    assert_false(pool_policy_retire(POOL_SPARE_IDLE_MS - 1, 1, 0));
    assert_true(pool_policy_retire(POOL_SPARE_IDLE_MS, 1, 0));
    assert_true(pool_policy_retire(5000, 1, 5000));
    assert_false(pool_policy_retire(UINT64_MAX, 0, 5000));
}

static void test_ports_tell_the_class(void **state)
{
    assert_int_equal(pool_policy_class(3389, 3389, false), POOL_INTERACTIVE);
    assert_int_equal(pool_policy_class(13389, 3389, false), POOL_INTERACTIVE);
    assert_int_equal(pool_policy_class(5900, 1, false), POOL_INTERACTIVE);
    assert_int_equal(pool_policy_class(2222, 22, false), POOL_INTERACTIVE);
    assert_int_equal(pool_policy_class(5432, 5432, false), POOL_UNKNOWN);
    assert_int_equal(pool_policy_class(3389, 3389, true), POOL_BULK);
    assert_int_equal(pool_policy_class(0, 0, false), POOL_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_connection_serves_anybody),
        cmocka_unit_test(test_interactive_keeps_off_bulk_while_the_pool_may_grow),
        cmocka_unit_test(test_what_may_be_a_prompt_does_not_start_behind_a_transfer),
        cmocka_unit_test(test_kinds_gather_where_they_fit),
        cmocka_unit_test(test_fewest_flows_among_equals),
        cmocka_unit_test(test_stuck_connection_is_the_last_resort),
        cmocka_unit_test(test_full_and_busy_connections_are_waited_for),
        cmocka_unit_test(test_first_connection_is_not_the_pools_business),
        cmocka_unit_test(test_slow_opens_are_judged_by_the_round_trip),
        cmocka_unit_test(test_spare_connections_retire_the_last_one_never),
        cmocka_unit_test(test_ports_tell_the_class),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}

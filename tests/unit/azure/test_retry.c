/*
 * When a request is tried again, how long it waits, and when it gives up. The clock is frozen where waiting
 * is measured.
 */
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define THROTTLED "{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"slow down\"}}"
#define EXPIRED                                                                                              \
    "{\"error\":{\"code\":\"ExpiredAuthenticationToken\",\"message\":\"The access token expiry\"}}"

static void retry_after_is_obeyed(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    struct azure_stats stats;
    clock_test_freeze(rig->clock, 1000000);
    fake_arm_on(rig->arm, "GET /x", 429, "Retry-After: 3\r\n", THROTTLED);
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    rig_send(rig, "GET", "/x", 0, &told);
    uint64_t took = rig_advance_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, 0);
    assert_true(took >= 3000 && took < 5000);
    azure_stats_get(rig->azure, &stats);
    assert_int_equal(stats.throttled, 1);
    told_done(&told);
}

static void throttled_past_the_deadline_is_told_at_once(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    clock_test_freeze(rig->clock, 1000000);
    fake_arm_on(rig->arm, "GET /x", 429, "Retry-After: 60\r\n", THROTTLED);
    rig_send(rig, "GET", "/x", 10000, &told);
    uint64_t took = rig_advance_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, ERR_THROTTLED);
    assert_contains(told.err.msg, "TooManyRequests");
    assert_contains(told.err.msg, "deadline");
    assert_true(took < 2000);
    assert_int_equal(fake_arm_hits(rig->arm, "GET /x"), 1);
    told_done(&told);
}

static void a_pausing_request_holds_no_place(void **state)
{
    struct rig *rig = *state;
    struct told slow = {0}, quick = {0};
    clock_test_freeze(rig->clock, 1000000);
    rig_reopen(rig, &(struct rig_options){.requests_max = 1});
    fake_arm_on(rig->arm, "GET /slow", 429, "Retry-After: 20\r\n", THROTTLED);
    fake_arm_on(rig->arm, "GET /quick", 200, NULL, "{}");
    struct azure_req *req = rig_send(rig, "GET", "/slow", 0, &slow);
    rig_send(rig, "GET", "/quick", 0, &quick);
    rig_until(rig, &quick.count, 1);
    assert_int_equal(slow.count, 0);
    azure_cancel(req);
    told_done(&quick);
}

static void server_errors_are_tried_again(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    clock_test_freeze(rig->clock, 1000000);
    fake_arm_on(rig->arm, "GET /x", 503, NULL, "");
    fake_arm_on(rig->arm, "GET /x", 500, NULL, "");
    fake_arm_on(rig->arm, "GET /x", FAKE_CUT, NULL, "{\"half\":true}");
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    rig_send(rig, "GET", "/x", 0, &told);
    rig_advance_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, 0);
    assert_int_equal(fake_arm_hits(rig->arm, "GET /x"), 4);
    told_done(&told);
}

static void server_errors_end_at_last(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    clock_test_freeze(rig->clock, 1000000);
    fake_arm_on(rig->arm, "GET /x", 502, NULL, "{\"error\":{\"code\":\"BadGateway\",\"message\":\"later\"}}");
    rig_send(rig, "GET", "/x", 0, &told);
    rig_advance_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, ERR_UNAVAILABLE);
    assert_contains(told.err.msg, "BadGateway");
    assert_int_equal(fake_arm_hits(rig->arm, "GET /x"), 5);
    told_done(&told);
}

static void what_may_not_happen_twice_is_not_repeated(void **state)
{
    struct rig *rig = *state;
    struct told run = {0}, graph = {0}, again = {0};
    clock_test_freeze(rig->clock, 1000000);
    fake_arm_on(rig->arm, "POST /vm/runCommand", 503, NULL, "");
    rig_send(rig, "POST", "/vm/runCommand?api-version=1", 0, &run);
    rig_advance_until(rig, &run.count, 1);
    assert_int_equal(run.err.code, ERR_UNAVAILABLE);
    assert_int_equal(fake_arm_hits(rig->arm, "POST /vm/runCommand"), 1);
    fake_arm_on(rig->arm, "POST /vm/second", 429, NULL, "");
    fake_arm_on(rig->arm, "POST /vm/second", 202, NULL, "");
    rig_send(rig, "POST", "/vm/second", 0, &again);
    rig_advance_until(rig, &again.count, 1);
    assert_int_equal(again.err.code, 0);
    fake_arm_on(rig->arm, "POST /providers/Microsoft.ResourceGraph/resources", 503, NULL, "");
    fake_arm_on(rig->arm, "POST /providers/Microsoft.ResourceGraph/resources", 200, NULL, "{}");
    rig_send(rig, "POST", "/providers/Microsoft.ResourceGraph/resources?api-version=1", 0, &graph);
    rig_advance_until(rig, &graph.count, 1);
    assert_int_equal(graph.err.code, 0);
    told_done(&run);
    told_done(&graph);
    told_done(&again);
}

static void broken_connection_is_replaced(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    fake_arm_on(rig->arm, "GET /x", FAKE_RESET, NULL, NULL);
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    rig_send(rig, "GET", "/x", 0, &told);
    rig_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, 0);
    assert_true(fake_arm_connections(rig->arm) >= 2);
    told_done(&told);
}

static void no_one_there_is_said_within_a_second(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    /* A port that was just free: bound once, and closed again. */
    struct fake_arm *gone = fake_arm_new(&rig->loop);
    char url[64];
    snprintf(url, sizeof(url), "%s", fake_arm_url(gone));
    fake_arm_close(gone);
    rig_turns(rig, 2);
    rig_reopen(rig, &(struct rig_options){.arm_url = url});
    uint64_t start = uv_hrtime();
    rig_send(rig, "GET", "/x", 0, &told);
    rig_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, ERR_UNAVAILABLE);
    assert_false(told.has_reply);
    assert_contains(told.err.msg, url + strlen("https://"));
    assert_contains(told.err.msg, "HTTPS_PROXY");
    assert_true((uv_hrtime() - start) / 1000000 < 1500);
}

static void a_silent_server_meets_the_deadline(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    fake_arm_on(rig->arm, "GET /x", FAKE_HANG, NULL, NULL);
    rig_send(rig, "GET", "/x", 200, &told);
    rig_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, ERR_TIMEOUT);
    assert_contains(told.err.msg, "waiting for the answer");
}

static void waiting_in_line_meets_the_deadline(void **state)
{
    struct rig *rig = *state;
    struct told first = {0}, second = {0};
    rig_reopen(rig, &(struct rig_options){.requests_max = 1});
    fake_arm_on(rig->arm, "GET /x", FAKE_HANG, NULL, NULL);
    struct azure_req *req = rig_send(rig, "GET", "/x", 0, &first);
    rig_send(rig, "GET", "/y", 100, &second);
    rig_until(rig, &second.count, 1);
    assert_int_equal(second.err.code, ERR_TIMEOUT);
    assert_contains(second.err.msg, "waiting for its turn");
    assert_int_equal(fake_arm_hits(rig->arm, "GET /y"), 0);
    azure_cancel(req);
}

static void refused_token_is_replaced_once(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    fake_arm_on(rig->arm, RIG_TOKEN_ROUTE, 200, NULL, RIG_TOKEN_BODY("token-two"));
    fake_arm_on(rig->arm, "GET /x", 401, NULL, EXPIRED);
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    rig_send(rig, "GET", "/x", 0, &told);
    rig_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, 0);
    assert_contains(fake_arm_last(rig->arm, "GET /x"), "Bearer token-two");
    told_done(&told);
    told.count = 0;
    fake_arm_on(rig->arm, "GET /never", 401, NULL, EXPIRED);
    rig_send(rig, "GET", "/never", 0, &told);
    rig_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, ERR_AUTH);
    assert_contains(told.err.msg, "ExpiredAuthenticationToken");
    assert_int_equal(fake_arm_hits(rig->arm, "GET /never"), 2);
    assert_int_equal(fake_arm_hits(rig->arm, RIG_TOKEN_ROUTE), 3);
    told_done(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(retry_after_is_obeyed, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(throttled_past_the_deadline_is_told_at_once, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_pausing_request_holds_no_place, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(server_errors_are_tried_again, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(server_errors_end_at_last, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(what_may_not_happen_twice_is_not_repeated, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(broken_connection_is_replaced, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(no_one_there_is_said_within_a_second, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_silent_server_meets_the_deadline, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(waiting_in_line_meets_the_deadline, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(refused_token_is_replaced_once, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

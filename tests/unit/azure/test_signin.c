/*
 * Signing in: what is said when it cannot work, and how long a token lives.
 */
#include <stdlib.h>
#include <string.h>

#include "rig.h"

#define REFUSED(code, text)                                                                                  \
    "{\"error\":\"invalid_client\",\"error_codes\":[" #code "],\"error_description\":\"AADSTS" #code         \
    ": " text "\"}"

static void other_answer(struct rig *rig, int status, const char *body)
{
    fake_arm_forget(rig->arm, RIG_TOKEN_ROUTE);
    fake_arm_on(rig->arm, RIG_TOKEN_ROUTE, status, NULL, body);
}

static void one_request(struct rig *rig, struct told *told)
{
    memset(told, 0, sizeof(*told));
    rig_send(rig, "GET", "/x", 0, told);
    rig_until(rig, &told->count, 1);
    told_done(told);
}

static void wrong_secret_names_the_variable(void **state)
{
    struct rig *rig = *state;
    struct told t;
    other_answer(rig, 401, REFUSED(7000215, "Invalid client secret provided. Trace ID: 1"));
    one_request(rig, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg, "AZURE_CLIENT_SECRET");
    assert_null(strstr(t.err.msg, "ARM GET"));
    assert_contains(t.err.msg, "AADSTS7000215");
    assert_null(strstr(t.err.msg, RIG_SECRET));
    assert_int_equal(fake_arm_hits(rig->arm, "GET"), 0);
    /* Not asked again for every VM. */
    one_request(rig, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_int_equal(fake_arm_hits(rig->arm, RIG_TOKEN_ROUTE), 1);
}

static void refusals_name_what_to_mend(void **state)
{
    static const struct {
        const char *body, *says;
    } cases[] = {
        {REFUSED(700016, "not found"), "check AZURE_CLIENT_ID"},
        {REFUSED(90002, "Tenant not found"), "check AZURE_TENANT_ID"},
        {REFUSED(7000222, "expired"), "it has expired"},
        {REFUSED(53003, "Blocked by Conditional Access. Trace ID: x"), "Blocked by Conditional Access."},
        {"{\"error\":\"unauthorized_client\"}", "unauthorized_client"},
        {"<html>", "refused (400"},
    };
    struct rig *rig = *state;
    struct told t;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rig_reopen(rig, &(struct rig_options){0});
        other_answer(rig, 400, cases[i].body);
        one_request(rig, &t);
        assert_int_equal(t.err.code, ERR_AUTH);
        assert_contains(t.err.msg, cases[i].says);
        assert_null(strstr(t.err.msg, "Trace ID"));
    }
}

static void an_echoed_secret_is_not_repeated(void **state)
{
    struct rig *rig = *state;
    struct told t;
    other_answer(rig, 400, REFUSED(1, "you sent " RIG_SECRET " to me"));
    one_request(rig, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_null(strstr(t.err.msg, RIG_SECRET));
}

static void missing_variables_are_listed(void **state)
{
    struct rig *rig = *state;
    struct told t;
    unsetenv("AZURE_CLIENT_SECRET");
    setenv("AZURE_TENANT_ID", "", 1);
    one_request(rig, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg, "environment: not set: AZURE_TENANT_ID, AZURE_CLIENT_SECRET");
    assert_int_equal(fake_arm_hits(rig->arm, "POST"), 0);
}

static void a_tenant_cannot_reach_into_the_url(void **state)
{
    struct rig *rig = *state;
    struct told t;
    setenv("AZURE_TENANT_ID", "../evil?", 1);
    one_request(rig, &t);
    assert_int_equal(t.err.code, ERR_INVAL);
    assert_contains(t.err.msg, "AZURE_TENANT_ID");
    assert_int_equal(fake_arm_hits(rig->arm, "POST"), 0);
}

static void senseless_tokens_are_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"access_token\":5,\"expires_in\":3600}",
        "{\"access_token\":\"\",\"expires_in\":3600}",
        "{\"access_token\":\"x\"}",
        "{\"access_token\":\"x\",\"expires_in\":-5}",
        "{\"access_token\":\"x\\r\\nHost: evil\",\"expires_in\":3600}",
        "{\"access_token\":\"x\\u0000y\",\"expires_in\":3600}",
    };
    struct rig *rig = *state;
    struct told t;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        other_answer(rig, 200, bodies[i]);
        one_request(rig, &t);
        assert_int_equal(t.err.code, ERR_PROTOCOL);
        assert_int_equal(fake_arm_hits(rig->arm, "GET"), 0);
    }
    other_answer(rig, 200, "{\"access_token\":\"ok\",\"expires_in\":\"3599\"}");
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    one_request(rig, &t);
    assert_int_equal(t.err.code, 0);
}

static void sign_in_endpoint_that_stumbles_is_tried_again(void **state)
{
    struct rig *rig = *state;
    struct told t;
    fake_arm_forget(rig->arm, RIG_TOKEN_ROUTE);
    fake_arm_on(rig->arm, RIG_TOKEN_ROUTE, 503, NULL, "");
    fake_arm_on(rig->arm, RIG_TOKEN_ROUTE, 200, NULL, RIG_TOKEN_BODY(RIG_TOKEN));
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    one_request(rig, &t);
    assert_int_equal(t.err.code, 0);
}

static void many_waiters_one_token(void **state)
{
    struct rig *rig = *state;
    struct told told[10] = {{0}};
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    for (int i = 0; i < 10; i++)
        rig_send(rig, "GET", "/x", 0, &told[i]);
    for (int i = 0; i < 10; i++) {
        rig_until(rig, &told[i].count, 1);
        assert_int_equal(told[i].err.code, 0);
        told_done(&told[i]);
    }
    assert_int_equal(fake_arm_hits(rig->arm, RIG_TOKEN_ROUTE), 1);
}

static void less_than_300_seconds_is_expired(void **state)
{
    struct rig *rig = *state;
    struct told t;
    clock_test_freeze(rig->clock, 1000000);
    other_answer(rig, 200, "{\"access_token\":\"a\",\"expires_in\":3600,\"refresh_in\":3599}");
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    one_request(rig, &t);
    clock_test_advance(rig->clock, 3299 * 1000);
    one_request(rig, &t);
    assert_int_equal(fake_arm_hits(rig->arm, RIG_TOKEN_ROUTE), 1);
    clock_test_advance(rig->clock, 2 * 1000);
    other_answer(rig, 200, RIG_TOKEN_BODY("b"));
    one_request(rig, &t);
    assert_int_equal(fake_arm_hits(rig->arm, RIG_TOKEN_ROUTE), 2);
    assert_contains(fake_arm_last(rig->arm, "GET /x"), "Bearer b\r\n");
}

static void refreshed_in_the_background(void **state)
{
    struct rig *rig = *state;
    struct told t;
    clock_test_freeze(rig->clock, 1000000);
    other_answer(rig, 200, "{\"access_token\":\"a\",\"expires_in\":3600,\"refresh_in\":1800}");
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    one_request(rig, &t);
    /* The refresh fails: the old one goes on serving. */
    other_answer(rig, 400, REFUSED(7000222, "expired"));
    clock_test_advance(rig->clock, 1801 * 1000);
    one_request(rig, &t);
    assert_int_equal(t.err.code, 0);
    assert_contains(fake_arm_last(rig->arm, "GET /x"), "Bearer a\r\n");
    rig_until_hits(rig, RIG_TOKEN_ROUTE, 2);
    rig_turns(rig, 10);
    one_request(rig, &t);
    assert_int_equal(t.err.code, 0);
    assert_int_equal(fake_arm_hits(rig->arm, RIG_TOKEN_ROUTE), 2);
    /* A minute later it is tried again, and works. */
    other_answer(rig, 200, RIG_TOKEN_BODY("b"));
    clock_test_advance(rig->clock, 61 * 1000);
    one_request(rig, &t);
    rig_until_hits(rig, RIG_TOKEN_ROUTE, 3);
    rig_turns(rig, 10);
    one_request(rig, &t);
    assert_contains(fake_arm_last(rig->arm, "GET /x"), "Bearer b\r\n");
}

static void unknown_credentials_are_refused_at_the_start(void **state)
{
    struct rig *rig = *state;
    struct azure_options options = {.loop = &rig->loop, .clock = rig->clock, .credential = "telepathy"};
    struct azure *a;
    struct err err;
    azure_cloud_custom(&options.cloud, "https://127.0.0.1", NULL, &err);
    assert_int_equal(azure_new(&a, &options, &err), ERR_INVAL);
    assert_contains(err.msg, "auto, environment");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_secret_names_the_variable, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(refusals_name_what_to_mend, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(an_echoed_secret_is_not_repeated, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(missing_variables_are_listed, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_tenant_cannot_reach_into_the_url, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(senseless_tokens_are_refused, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(sign_in_endpoint_that_stumbles_is_tried_again, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(many_waiters_one_token, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(less_than_300_seconds_is_expired, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(refreshed_in_the_background, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(unknown_credentials_are_refused_at_the_start, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Reasons: what can be told from an error of ARM's as it really arrives, and the address a token names.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "azure/caller.h"
#include "azure/lro.h"
#include "azure/reason.h"
#include "rig.h"

#define RULE                                                                                                 \
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/n/securityRules/"   \
    "allow-SSH?api-version=1"

static void on_lro(void *arg, const json_t *result, const struct err *err)
{
    struct told *t = arg;
    t->count++;
    err_clear(&t->err);
    if (err)
        t->err = *err;
}

/* The error that a PUT ends with. */
static struct err put(struct rig *rig, int status, const char *code, const char *message)
{
    struct told told = {0};
    struct azure_lro *lro;
    struct err err;
    char body[1024];
    snprintf(body, sizeof(body), "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code, message);
    fake_arm_forget(rig->arm, "PUT /subscriptions/");
    fake_arm_on(rig->arm, "PUT /subscriptions/", status, NULL, body);
    struct azure_call call = {.method = "PUT", .path = RULE, .deadline_ms = 500};
    assert_int_equal(azure_lro_start(rig->azure, &call, on_lro, &told, &lro, &err), 0);
    rig_until(rig, &told.count, 1);
    return told.err;
}

static void another_operation_is_told_from_a_refusal(void **state)
{
    struct rig *rig = *state;
    static const struct {
        int status;
        const char *code, *message;
        bool busy;
    } cases[] = {
        {409, "AnotherOperationInProgress", "Another operation on this or dependent resource is in progress.",
         true},
        {429, "RetryableErrorDueToAnotherOperation", "Operation X is canceled.", true},
        {409, "Conflict", "Run command extension execution is in progress. Please wait.", true},
        {409, "OperationNotAllowed", "Another operation is being run on the VM.", true},
        {409, "OperationNotAllowed", "The operation requires the VM to be running (or set to run).", false},
        {409, "Conflict", "The VM is marked for deletion.", false},
        {400, "SecurityRuleConflict", "another operation", false},
        {403, "AuthorizationFailed", "in progress", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = put(rig, cases[i].status, cases[i].code, cases[i].message);
        char code[80];
        assert_int_not_equal(err.code, 0);
        if (azure_error_busy(&err) != cases[i].busy)
            fail_msg("%s", err.msg);
        assert_true(azure_error_code(&err, code, sizeof(code)));
        assert_string_equal(code, cases[i].code);
    }
}

static void operation_that_fails_says_its_code(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    struct azure_lro *lro;
    struct err err;
    char headers[200], code[80];
    snprintf(headers, sizeof(headers), "Azure-AsyncOperation: %s/operations/1\r\nRetry-After: 0\r\n",
             fake_arm_url(rig->arm));
    fake_arm_on(rig->arm, "PUT /subscriptions/", 201, headers, "{}");
    fake_arm_on(rig->arm, "GET /operations/1", 200, NULL,
                "{\"status\":\"Failed\",\"error\":{\"code\":\"RetryableError\",\"message\":\"m\"}}");
    struct azure_call call = {.method = "PUT", .path = RULE};
    assert_int_equal(azure_lro_start(rig->azure, &call, on_lro, &told, &lro, &err), 0);
    rig_until(rig, &told.count, 1);
    assert_true(azure_error_code(&told.err, code, sizeof(code)));
    assert_string_equal(code, "RetryableError");
    assert_true(azure_error_busy(&told.err));
}

static void missing_action_is_found(void **state)
{
    struct rig *rig = *state;
    char action[128];
    struct err err = put(rig, 403, "AuthorizationFailed",
                         "The client 'c' with object id 'o' does not have authorization to perform action "
                         "'Microsoft.Network/networkSecurityGroups/securityRules/write' over scope '/s'.");
    assert_true(azure_error_action(&err, action, sizeof(action)));
    assert_string_equal(action, "Microsoft.Network/networkSecurityGroups/securityRules/write");
    err = put(rig, 403, "RequestDisallowedByPolicy", "no");
    assert_false(azure_error_action(&err, action, sizeof(action)));
    assert_string_equal(action, "");
}

/* Signs in with a token of these claims (base64url) and reads its address. */
static int address(struct rig *rig, const char *claims, char out[AZURE_CALLER_MAX], struct err *err)
{
    struct told told = {0};
    char body[1024];
    snprintf(body, sizeof(body), "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"%s\"}",
             claims);
    fake_arm_forget(rig->arm, RIG_TOKEN_ROUTE);
    fake_arm_on(rig->arm, RIG_TOKEN_ROUTE, 200, NULL, body);
    rig_reopen(rig, &(struct rig_options){0});
    fake_arm_on(rig->arm, "GET /subscriptions/", 200, NULL, "{}");
    rig_send(rig, "GET", "/subscriptions/s?api-version=1", 0, &told);
    rig_until(rig, &told.count, 1);
    told_done(&told);
    return azure_caller_address(rig->azure, "/subscriptions/s", out, err);
}

static void address_comes_from_the_token(void **state)
{
    struct rig *rig = *state;
    char out[AZURE_CALLER_MAX];
    struct err err;
    assert_int_equal(address(rig, "e30.eyJpcGFkZHIiOiIyMDMuMC4xMTMuNyJ9.c2ln", out, &err), 0);
    assert_string_equal(out, "203.0.113.7");
    assert_int_equal(address(rig, "e30.eyJpcGFkZHIiOiIyMDAxOmRiODo6NyJ9.c2ln", out, &err), 0);
    assert_string_equal(out, "2001:db8::7");
    static const char *const none[] = {
        "opaque",
        "a.b",
        "a.!!.c",
        "e30.e30.c2ln",                             /* {} */
        "e30.eyJpcGFkZHIiOiIxMC4wLjAuNCJ9.c2ln",    /* 10.0.0.4 */
        "e30.eyJpcGFkZHIiOiIqIn0.c2ln",             /* * */
        "e30.eyJpcGFkZHIiOiIxLjIuMy40LzAifQ.c2ln",  /* 1.2.3.4/0 */
        "e30.eyJpcGFkZHIiOjd9.c2ln",                /* 7 */
        "e30.eyJpcGFkZHIiOiIxMDAuNjQuMC45In0.c2ln", /* 100.64.0.9 */
    };
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_int_equal(address(rig, none[i], out, &err), ERR_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_operation_is_told_from_a_refusal, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(operation_that_fails_says_its_code, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(missing_action_is_found, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(address_comes_from_the_token, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

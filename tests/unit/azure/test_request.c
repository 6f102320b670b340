/*
 * Requests: what goes out, what comes back, and what a user is told when ARM says no.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "rig.h"

#define VM "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v?api-version=1"

static void reply_arrives(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    fake_arm_on(rig->arm, "GET /subscriptions/", 200, "x-ms-request-id: r-1\r\n", "{\"name\":\"v\"}");
    rig_send(rig, "GET", VM, 0, &told);
    rig_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, 0);
    assert_int_equal(told.status, 200);
    assert_string_equal(json_string_value(json_object_get(told.json, "name")), "v");
    const char *sent = fake_arm_last(rig->arm, "GET /subscriptions/");
    assert_contains(sent, "GET " VM " HTTP/1.1\r\n");
    assert_contains(sent, "Authorization: Bearer " RIG_TOKEN "\r\n");
    assert_contains(sent, "x-ms-client-request-id: ");
    const char *form = fake_arm_last(rig->arm, RIG_TOKEN_ROUTE);
    assert_contains(form, "grant_type=client_credentials");
    assert_contains(form, "client_id=22222222-2222-2222-2222-222222222222");
    assert_contains(form, "client_secret=s3cr3t~value.that%2Fmust%2Bnot%3Dshow");
    assert_contains(form, "scope=https%3A%2F%2F127.0.0.1%3A");
    told_done(&told);
}

static void body_is_sent_and_empty_reply_has_no_json(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    struct azure_req *req;
    struct err err;
    json_t *body = json_pack("{s:s}", "commandId", "RunShellScript");
    fake_arm_on(rig->arm, "PUT /x", 202, "Location: https://elsewhere/op\r\nRetry-After: 7\r\n", "");
    struct azure_call call = {.method = "PUT", .path = "/x?api-version=1", .body = body};
    assert_int_equal(azure_send(rig->azure, &call, told_cb, &told, &req, &err), 0);
    json_decref(body);
    rig_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, 0);
    assert_int_equal(told.status, 202);
    assert_null(told.json);
    assert_contains(fake_arm_last(rig->arm, "PUT /x"), "\r\n\r\n{\"commandId\":\"RunShellScript\"}");
    assert_contains(fake_arm_last(rig->arm, "PUT /x"), "Content-Type: application/json");
    assert_int_equal(fake_arm_hits(rig->arm, "GET /op"), 0);
    told_done(&told);
}

static void token_and_connection_are_reused(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    struct azure_stats stats;
    fake_arm_on(rig->arm, "GET /", 200, NULL, "{}");
    for (unsigned i = 1; i <= 5; i++) {
        rig_send(rig, "GET", VM, 0, &told);
        while (told.count == 0)
            rig_turns(rig, 1);
        assert_int_equal(told.err.code, 0);
        told.count = 0;
        told_done(&told);
    }
    assert_int_equal(fake_arm_hits(rig->arm, RIG_TOKEN_ROUTE), 1);
    assert_int_equal(fake_arm_connections(rig->arm), 1);
    azure_stats_get(rig->azure, &stats);
    assert_int_equal(stats.requests, 5);
    assert_int_equal(stats.token_requests, 1);
}

static void places_are_limited_and_first_come_first_served(void **state)
{
    struct rig *rig = *state;
    struct told told[6] = {{0}};
    char path[32];
    rig_reopen(rig, &(struct rig_options){.requests_max = 2});
    fake_arm_on(rig->arm, "GET /warm", 200, NULL, "{}");
    rig_send(rig, "GET", "/warm", 0, &told[5]);
    rig_until(rig, &told[5].count, 1);
    fake_arm_on(rig->arm, "GET /n", 200, NULL, "{}");
    fake_arm_hold(rig->arm, true);
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        rig_send(rig, "GET", path, 0, &told[i]);
    }
    rig_until_hits(rig, "GET /n", 2);
    rig_turns(rig, 20);
    assert_int_equal(fake_arm_hits(rig->arm, "GET /n"), 2);
    assert_int_equal(fake_arm_hits(rig->arm, "GET /n0") + fake_arm_hits(rig->arm, "GET /n1"), 2);
    fake_arm_hold(rig->arm, false);
    for (int i = 0; i < 5; i++)
        rig_until(rig, &told[i].count, 1);
    for (int i = 0; i < 6; i++)
        told_done(&told[i]);
}

static void foreign_hosts_never_see_the_token(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    struct azure_req *req;
    struct err err;
    static const char *const wrong[] = {"https://evil.example/x", "http://127.0.0.1/x", "x", ""};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct azure_call call = {.method = "GET", .path = wrong[i]};
        assert_int_equal(azure_send(rig->azure, &call, told_cb, &told, &req, &err), ERR_DENIED);
    }
    struct azure_call split = {.method = "GET", .path = "/x HTTP/1.1\r\nHost: evil"};
    assert_int_equal(azure_send(rig->azure, &split, told_cb, &told, &req, &err), ERR_INVAL);
    char own[128];
    snprintf(own, sizeof(own), "%s/next?page=2", fake_arm_url(rig->arm));
    fake_arm_on(rig->arm, "GET /next?page=2", 200, NULL, "{}");
    rig_send(rig, "GET", own, 0, &told);
    rig_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, 0);
    told_done(&told);
}

static void redirects_are_not_followed(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    fake_arm_on(rig->arm, "GET /here", 302, "Location: /there\r\n", "");
    fake_arm_on(rig->arm, "GET /there", 200, NULL, "{}");
    rig_send(rig, "GET", "/here", 0, &told);
    rig_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, ERR_PROTOCOL);
    assert_int_equal(fake_arm_hits(rig->arm, "GET /there"), 0);
    told_done(&told);
}

/* Log lines that azure writes at this level while one request is answered. */
static void logged(struct rig *rig, enum log_level level, char *out, size_t size)
{
    struct told told = {0};
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    log_init(fd[1], level, LOG_TEXT);
    rig_send(rig, "GET", VM, 0, &told);
    rig_until(rig, &told.count, 1);
    log_init(STDERR_FILENO, LOG_WARN, LOG_TEXT);
    assert_int_equal(write(fd[1], "\n", 1), 1);
    close(fd[1]);
    ssize_t n = read(fd[0], out, size - 1);
    close(fd[0]);
    assert_true(n > 0);
    out[n] = 0;
    told_done(&told);
}

/* What support asks for, and how near the limits are. */
static void what_azure_said_of_a_request_is_logged_at_debug(void **state)
{
    static const char *const parts[] = {
        "GET /subscriptions/s/", ": 200",   "request-id r-1", "correlation-id c-1", "reads 11999",
        "resource Get3Min;120",  "graph 14"};
    struct rig *rig = *state;
    char text[16384];
    fake_arm_on(rig->arm, "GET /subscriptions/", 200,
                "x-ms-request-id: r-1\r\nx-ms-correlation-request-id: c-1\r\n"
                "x-ms-ratelimit-remaining-subscription-global-reads: 11999\r\n"
                "x-ms-ratelimit-remaining-resource: Get3Min;120\r\nx-ms-user-quota-remaining: 14\r\n",
                "{}");
    logged(rig, LOG_DEBUG, text, sizeof(text));
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        assert_contains(text, parts[i]);
    const char *sent = strstr(fake_arm_last(rig->arm, "GET /subscriptions/"), "x-ms-client-request-id: ");
    assert_non_null(sent);
    char id[sizeof("client-request-id ") + 36];
    snprintf(id, sizeof(id), "client-request-id %.36s", sent + strlen("x-ms-client-request-id: "));
    assert_contains(text, id);
    logged(rig, LOG_INFO, text, sizeof(text));
    assert_string_equal(text, "\n");
}

/* The id in an error is the one that Azure was sent. */
static void errors_name_the_request_as_azure_knows_it(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    fake_arm_on(rig->arm, "GET /subscriptions/", 403, NULL,
                "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}");
    rig_send(rig, "GET", VM, 0, &told);
    rig_until(rig, &told.count, 1);
    const char *sent = strstr(fake_arm_last(rig->arm, "GET /subscriptions/"), "x-ms-client-request-id: ");
    assert_non_null(sent);
    char id[64];
    snprintf(id, sizeof(id), "(client request id %.36s)", sent + strlen("x-ms-client-request-id: "));
    assert_contains(told.err.msg, id);
    told_done(&told);
}

static void told_of(struct rig *rig, int status, const char *headers, const char *body, struct told *told)
{
    memset(told, 0, sizeof(*told));
    fake_arm_forget(rig->arm, "GET /subscriptions/");
    fake_arm_on(rig->arm, "GET /subscriptions/", status, headers, body);
    rig_send(rig, "GET", VM, 0, told);
    rig_until(rig, &told->count, 1);
    told_done(told);
}

static void errors_say_what_to_do(void **state)
{
    struct rig *rig = *state;
    struct told t;
    told_of(rig, 403, NULL,
            "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"The client 'c' with object id 'o' "
            "does not have "
            "authorization to perform action 'Microsoft.Compute/virtualMachines/read' over scope "
            "'/subscriptions/s/resourceGroups/g' or the scope is invalid.\"}}",
            &t);
    assert_int_equal(t.err.code, ERR_DENIED);
    assert_contains(t.err.msg, "the identity lacks Microsoft.Compute/virtualMachines/read");
    assert_contains(t.err.msg, "at /subscriptions/s/resourceGroups/g");
    assert_contains(t.err.msg, "client request id");
    assert_contains(
        t.err.msg,
        "ARM GET /subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v:");
    assert_null(strstr(t.err.msg, "api-version"));
    told_of(rig, 404, NULL,
            "{\"error\":{\"code\":\"ResourceGroupNotFound\",\"message\":\"Resource group 'g' could not be "
            "found.\"}}",
            &t);
    assert_int_equal(t.err.code, ERR_NOTFOUND);
    assert_true(t.has_reply);
    assert_contains(t.err.msg, "ResourceGroupNotFound");
    assert_contains(t.err.msg, "check the resource group's name");
    told_of(rig, 400, NULL, "{\"code\":\"InvalidSubscriptionId\",\"message\":\"bad\"}", &t);
    assert_int_equal(t.err.code, ERR_INVAL);
    assert_contains(t.err.msg, "InvalidSubscriptionId");
    told_of(rig, 407, "Content-Type: text/html\r\n", "<html>log in to the hotel</html>", &t);
    assert_int_equal(t.err.code, ERR_PROTOCOL);
    assert_contains(t.err.msg, "web page");
    told_of(rig, 200, NULL, "<html>hello</html>", &t);
    assert_int_equal(t.err.code, ERR_PROTOCOL);
    assert_contains(t.err.msg, "not JSON");
    told_of(rig, 200, NULL, "{\"cut\":", &t);
    assert_int_equal(t.err.code, ERR_PROTOCOL);
    told_of(rig, 418, NULL, "{\"error\":\"a string\"}", &t);
    assert_int_equal(t.err.code, ERR_PROTOCOL);
    told_of(rig, 401, NULL,
            "{\"error\":{\"code\":\"InvalidAuthenticationTokenTenant\",\"message\":\"wrong tenant\"}}", &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg, "azure: tenant");
}

static void body_limit(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    size_t n = (17u << 20);
    char *body = malloc(n + 1);
    memset(body, ' ', n);
    body[n] = 0;
    fake_arm_on(rig->arm, "GET /huge", 200, NULL, body);
    free(body);
    rig_send(rig, "GET", "/huge", 0, &told);
    rig_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, ERR_LIMIT);
    assert_contains(told.err.msg, "16 MiB");
    assert_int_equal(fake_arm_hits(rig->arm, "GET /huge"), 1);
}

static void untrusted_certificate(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    rig_reopen(rig, &(struct rig_options){.no_ca = true});
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    rig_send(rig, "GET", "/x", 0, &told);
    rig_until(rig, &told.count, 1);
    assert_int_equal(told.err.code, ERR_UNAVAILABLE);
    assert_contains(told.err.msg, "ca-file");
    assert_int_equal(fake_arm_hits(rig->arm, "POST"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reply_arrives, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(body_is_sent_and_empty_reply_has_no_json, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(token_and_connection_are_reused, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(places_are_limited_and_first_come_first_served, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(foreign_hosts_never_see_the_token, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(redirects_are_not_followed, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(what_azure_said_of_a_request_is_logged_at_debug, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(errors_name_the_request_as_azure_knows_it, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(errors_say_what_to_do, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(body_limit, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(untrusted_certificate, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

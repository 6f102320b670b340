/*
 * What ARM may ask for with a 401: claims, and the right tenant.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "azure/challenge.h"
#include "azure/tenants.h"
#include "base/mem.h"
#include "rig.h"

#define OTHER "33333333-3333-3333-3333-333333333333"
#define OTHER_ROUTE "POST /" OTHER "/oauth2/v2.0/token"
#define SUBSCRIPTION "/subscriptions/44444444-4444-4444-4444-444444444444"
/* {"access_token":{"acrs":{"essential":true,"value":"p1"}}} */
#define CLAIMS_BASE64 "eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoicDEifX19"
#define CLAIMS "{\"access_token\":{\"acrs\":{\"essential\":true,\"value\":\"p1\"}}}"
#define CLAIMS_FORM "claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue"
#define CHALLENGE                                                                                            \
    "WWW-Authenticate: Bearer realm=\"\", "                                                                  \
    "authorization_uri=\"https://login.microsoftonline.com/common/oauth2/"                                   \
    "authorize\", error=\"insufficient_claims\", claims=\"" CLAIMS_BASE64 "\"\r\n"
#define WRONG_TENANT                                                                                         \
    "{\"error\":{\"code\":\"InvalidAuthenticationTokenTenant\",\"message\":\"The access token is from the "  \
    "wrong "                                                                                                 \
    "issuer 'https://sts.windows.net/" RIG_TENANT                                                            \
    "/'. It must match the tenant 'https://sts.windows.net/" OTHER                                           \
    "/' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/" OTHER \
    "' to get the token.\"}}"

static void get(struct rig *rig, const char *path, struct told *told)
{
    memset(told, 0, sizeof(*told));
    rig_send(rig, "GET", path, 0, told);
    rig_until(rig, &told->count, 1);
    told_done(told);
}

static void tokens(struct rig *rig, const char *first, const char *second)
{
    char body[300];
    fake_arm_forget(rig->arm, RIG_TOKEN_ROUTE);
    snprintf(body, sizeof(body), RIG_TOKEN_BODY("%s"), first);
    fake_arm_on(rig->arm, RIG_TOKEN_ROUTE, 200, NULL, body);
    snprintf(body, sizeof(body), RIG_TOKEN_BODY("%s"), second);
    fake_arm_on(rig->arm, RIG_TOKEN_ROUTE, 200, NULL, body);
}

static void claims_are_brought_once(void **state)
{
    struct rig *rig = *state;
    struct told t;
    clock_test_freeze(rig->clock, 1000000);
    tokens(rig, "plain", "stepped-up");
    fake_arm_on(rig->arm, "GET /x", 401, CHALLENGE, "{\"error\":{\"code\":\"AuthenticationFailed\"}}");
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    get(rig, "/x", &t);
    assert_int_equal(t.err.code, 0);
    assert_contains(fake_arm_last(rig->arm, "GET /x"), "Bearer stepped-up\r\n");
    assert_contains(fake_arm_last(rig->arm, RIG_TOKEN_ROUTE), CLAIMS_FORM);
    assert_int_equal(fake_arm_hits(rig->arm, RIG_TOKEN_ROUTE), 2);
    /* The claims belong to that one request for a token, and its token stays in use. */
    get(rig, "/x", &t);
    assert_int_equal(fake_arm_hits(rig->arm, RIG_TOKEN_ROUTE), 2);
    clock_test_advance(rig->clock, 3600000);
    get(rig, "/x", &t);
    assert_int_equal(fake_arm_hits(rig->arm, RIG_TOKEN_ROUTE), 3);
    assert_null(strstr(fake_arm_last(rig->arm, RIG_TOKEN_ROUTE), "claims="));
}

static void claims_that_do_not_help(void **state)
{
    struct rig *rig = *state;
    struct told t;
    fake_arm_on(rig->arm, "GET /x", 401, CHALLENGE, "{\"error\":{\"code\":\"AuthenticationFailed\"}}");
    get(rig, "/x", &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_int_equal(fake_arm_hits(rig->arm, "GET /x"), 2);
}

static void many_challenged_one_token(void **state)
{
    struct rig *rig = *state;
    struct told told[8] = {{0}};
    tokens(rig, "plain", "stepped-up");
    for (int i = 0; i < 8; i++)
        fake_arm_on(rig->arm, "GET /x", 401, CHALLENGE, "{}");
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    fake_arm_hold(rig->arm, false);
    for (int i = 0; i < 8; i++)
        rig_send(rig, "GET", "/x", 0, &told[i]);
    rig_until_hits(rig, RIG_TOKEN_ROUTE, 1);
    fake_arm_hold(rig->arm, true); /* all eight are refused before any of them asks for another token */
    rig_until_hits(rig, "GET /x", 8);
    fake_arm_hold(rig->arm, false);
    for (int i = 0; i < 8; i++) {
        rig_until(rig, &told[i].count, 1);
        assert_int_equal(told[i].err.code, 0);
        told_done(&told[i]);
    }
    assert_int_equal(fake_arm_hits(rig->arm, RIG_TOKEN_ROUTE), 2);
}

static void the_tenant_arm_names_is_used(void **state)
{
    struct rig *rig = *state;
    struct told t;
    fake_arm_on(rig->arm, OTHER_ROUTE, 200, NULL, RIG_TOKEN_BODY("theirs"));
    fake_arm_on(rig->arm, "GET " SUBSCRIPTION "/a", 401, NULL, WRONG_TENANT);
    fake_arm_on(rig->arm, "GET " SUBSCRIPTION "/a", 200, NULL, "{}");
    fake_arm_on(rig->arm, "GET " SUBSCRIPTION "/b", 200, NULL, "{}");
    fake_arm_on(rig->arm, "GET /subscriptions/5", 200, NULL, "{}");
    get(rig, SUBSCRIPTION "/a", &t);
    assert_int_equal(t.err.code, 0);
    assert_contains(fake_arm_last(rig->arm, "GET " SUBSCRIPTION "/a"), "Bearer theirs\r\n");
    get(rig, SUBSCRIPTION "/b", &t); /* it is known by now */
    assert_contains(fake_arm_last(rig->arm, "GET " SUBSCRIPTION "/b"), "Bearer theirs\r\n");
    assert_int_equal(fake_arm_hits(rig->arm, OTHER_ROUTE), 1);
    get(rig, "/subscriptions/5", &t); /* of this one and no other */
    assert_contains(fake_arm_last(rig->arm, "GET /subscriptions/5"), "Bearer " RIG_TOKEN "\r\n");
}

static void a_tenant_that_does_not_help(void **state)
{
    struct rig *rig = *state;
    struct told t;
    fake_arm_on(rig->arm, OTHER_ROUTE, 200, NULL, RIG_TOKEN_BODY("theirs"));
    fake_arm_on(rig->arm, "GET " SUBSCRIPTION, 401, NULL, WRONG_TENANT);
    get(rig, SUBSCRIPTION, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg, "belongs to another tenant");
    assert_int_equal(fake_arm_hits(rig->arm, "GET " SUBSCRIPTION), 2);
}

/* Requests that were all sent before the first of them learnt better. */
static void many_with_the_wrong_tenant(void **state)
{
    struct rig *rig = *state;
    struct told told[5] = {{0}};
    fake_arm_on(rig->arm, OTHER_ROUTE, 200, NULL, RIG_TOKEN_BODY("theirs"));
    for (int i = 0; i < 5; i++)
        fake_arm_on(rig->arm, "GET " SUBSCRIPTION, 401, NULL, WRONG_TENANT);
    fake_arm_on(rig->arm, "GET " SUBSCRIPTION, 200, NULL, "{}");
    for (int i = 0; i < 5; i++)
        rig_send(rig, "GET", SUBSCRIPTION, 0, &told[i]);
    rig_until_hits(rig, RIG_TOKEN_ROUTE, 1);
    fake_arm_hold(rig->arm, true);
    rig_until_hits(rig, "GET " SUBSCRIPTION, 5);
    fake_arm_hold(rig->arm, false);
    for (int i = 0; i < 5; i++) {
        rig_until(rig, &told[i].count, 1);
        assert_int_equal(told[i].err.code, 0);
        told_done(&told[i]);
    }
}

static struct http_reply reply_with(const char *header, size_t n)
{
    return (struct http_reply){.status = 401, .head = header, .head_len = n, .body = ""};
}

#define AUTHENTICATE "WWW-Authenticate\0"

static void headers_taken_apart(void **state)
{
    static const char two[] = AUTHENTICATE
        "PoP nonce=\"x\"\0" AUTHENTICATE "Bearer error=\"insufficient_claims\", claims=\"" CLAIMS_BASE64 "\"";
    struct http_reply reply = reply_with(two, sizeof(two));
    char *claims = challenge_claims(&reply);
    assert_string_equal(claims, CLAIMS);
    mem_free(claims);
    static const char quoted[] = AUTHENTICATE
        "Bearer realm=\"see error=\", error=\"insufficient_claims\", claims=\"" CLAIMS_BASE64 "\"";
    reply = reply_with(quoted, sizeof(quoted));
    claims = challenge_claims(&reply);
    assert_string_equal(claims, CLAIMS);
    mem_free(claims);
    reply.status = 403;
    assert_null(challenge_claims(&reply));
    static const char *const none[] = {
        "Bearer error=\"invalid_token\", claims=\"" CLAIMS_BASE64 "\"",
        "Bearer realm=\"error=\\\"insufficient_claims\", claims=\"" CLAIMS_BASE64 "\"",
        "Bearer error=\"insufficient_claims\"",
        "Bearer error=\"insufficient_claims\", claims=\"!!!\"",
        "Bearer error=\"insufficient_claims\", claims=\"Zm9v\"",
        "Bearer error=\"insufficient_claims\", claims=\"",
        "Bearer xerror=\"insufficient_claims\", claims=\"" CLAIMS_BASE64 "\"",
        "Bearer error=\"",
        "",
    };
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        char head[512] = AUTHENTICATE;
        size_t n = sizeof(AUTHENTICATE) - 1, len = strlen(none[i]) + 1;
        memcpy(head + n, none[i], len);
        reply = reply_with(head, n + len);
        if (challenge_claims(&reply))
            fail_msg("claims in %s", none[i]);
    }
}

static bool tenant_in(const char *message, const char *header, char out[CHALLENGE_TENANT_SIZE])
{
    char head[512] = AUTHENTICATE;
    size_t n = sizeof(AUTHENTICATE) - 1, len = strlen(header) + 1;
    memcpy(head + n, header, len);
    struct http_reply reply = reply_with(head, n + len);
    json_t *json =
        json_pack("{s:{s:s,s:s}}", "error", "code", "InvalidAuthenticationTokenTenant", "message", message);
    bool found = challenge_tenant(&reply, json, out);
    json_decref(json);
    return found;
}

static void tenants_taken_apart(void **state)
{
    char out[CHALLENGE_TENANT_SIZE];
    assert_true(tenant_in("x must match the tenant 'https://sts.windows.net/" OTHER "/' y", "", out));
    assert_string_equal(out, OTHER);
    assert_true(tenant_in(
        "in words",
        "Bearer authorization_uri=\"https://login.windows.net/" OTHER "\", error=\"invalid_token\"", out));
    assert_string_equal(out, OTHER);
    assert_false(tenant_in("must match the tenant 'https://evil/../x'", "", out));
    assert_false(tenant_in("must match the tenant 'https://sts.windows.net/3333'", "", out));
    assert_false(tenant_in("must match the tenant '" OTHER "'", "", out));
    assert_false(tenant_in("must match the tenant", "Bearer error=\"invalid_token\"", out));
}

static void tenants_are_bounded(void **state)
{
    struct tenants *t = tenants_new();
    char url[64];
    for (int i = 0; i < 1000; i++) {
        snprintf(url, sizeof(url), "/subscriptions/%d/x", i);
        tenants_learn(t, url, OTHER);
    }
    assert_string_equal(tenants_get(t, "/SUBSCRIPTIONS/7?api-version=1"), OTHER);
    assert_null(tenants_get(t, "/subscriptions/999"));
    assert_null(tenants_get(t, "/subscriptions/"));
    assert_null(tenants_get(t, "/providers/x"));
    mem_fail_after(0);
    tenants_learn(t, "/subscriptions/3/x", "other");
    mem_fail_after(-1);
    assert_string_equal(tenants_get(t, "/subscriptions/3"), OTHER);
    tenants_free(t);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(claims_are_brought_once),
        T(claims_that_do_not_help),
        T(many_challenged_one_token),
        T(the_tenant_arm_names_is_used),
        T(a_tenant_that_does_not_help),
        T(many_with_the_wrong_tenant),
        cmocka_unit_test(headers_taken_apart),
        cmocka_unit_test(tenants_taken_apart),
        cmocka_unit_test(tenants_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

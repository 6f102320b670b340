/*
 * ARM's error replies in many variants: the code that a caller goes by, and what a user reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "azure/azure_private.h"

#define ERROR(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}"
#define HTML "Content-Type\0text/html; charset=utf-8\0"

static const struct {
    int status;
    const char *body;
    int code;
    const char *says, *says_too;
} variants[] = {
    {404, ERROR("ResourceNotFound", "It is not there."), ERR_NOTFOUND,
     "404 ResourceNotFound: It is not there.", ""},
    {404, ERROR("ResourceGroupNotFound", "x"), ERR_NOTFOUND, "check the resource group's name", ""},
    {404, ERROR("SubscriptionNotFound", "x"), ERR_NOTFOUND, "check the subscription", "has a role in it"},
    {404, ERROR("ParentResourceNotFound", "x"), ERR_NOTFOUND, "ParentResourceNotFound", ""},
    {400, ERROR("InvalidSubscriptionId", "x"), ERR_INVAL, "written as its GUID", ""},
    {401, ERROR("ExpiredAuthenticationToken", "x"), ERR_AUTH, "a new token was refused too", "clock"},
    {401, ERROR("InvalidAuthenticationTokenTenant", "x"), ERR_AUTH, "another tenant", "azure: tenant"},
    {403, ERROR("AuthorizationFailed", "no authorization to perform action 'A/read' over scope '/s' or"),
     ERR_DENIED, "the identity lacks A/read", "at /s"},
    {403, ERROR("AuthorizationFailed", "no"), ERR_DENIED, "a role that allows it", "Reader"},
    {403, ERROR("AuthorizationFailed", "to perform action 'A"), ERR_DENIED, "a role that allows it", ""},
    {409, ERROR("MissingSubscriptionRegistration", "x"), ERR_UNAVAILABLE, "az provider register", ""},
    {429, ERROR("TooManyRequests", "x"), ERR_THROTTLED, "TooManyRequests", ""},
    {500, ERROR("InternalServerError", "x"), ERR_UNAVAILABLE, "500 InternalServerError", ""},
    {503, "", ERR_UNAVAILABLE, "the answer is 503 without a reason", ""},
    {408, "", ERR_TIMEOUT, "408", ""},
    {302, "", ERR_PROTOCOL, "302", ""},
    /* The inner object alone, and one with details. */
    {404, "{\"code\":\"NotFound\",\"message\":\"gone\"}", ERR_NOTFOUND, "NotFound: gone", ""},
    {400,
     "{\"error\":{\"code\":\"BadRequest\",\"message\":\"see "
     "below\",\"target\":\"x\",\"details\":[{\"code\":\"Inner\","
     "\"message\":\"m\",\"details\":[null]}]}}",
     ERR_INVAL, "BadRequest: see below", ""},
    /* A member is missing, or both. */
    {404, "{\"error\":{\"code\":\"NotFound\"}}", ERR_NOTFOUND, "404 NotFound", ""},
    {404, "{\"error\":{\"message\":\"gone\"}}", ERR_NOTFOUND, "gone", ""},
    {404, "{\"error\":{}}", ERR_NOTFOUND, "404 without a reason", ""},
    {404, "{}", ERR_NOTFOUND, "404 without a reason", ""},
    /* Wrong types, and what is no error at all. */
    {404, "{\"error\":\"not found\"}", ERR_NOTFOUND, "404 without a reason", ""},
    {404, "{\"error\":{\"code\":404,\"message\":[\"x\"]}}", ERR_NOTFOUND, "404 without a reason", ""},
    {404, "{\"error\":null}", ERR_NOTFOUND, "404 without a reason", ""},
    {403, "[]", ERR_DENIED, "403 without a reason", ""},
    {403, "7", ERR_DENIED, "403 without a reason", ""},
    {502, "{\"error\":{\"code\":\"Bad", ERR_UNAVAILABLE, "502 without a reason", ""},
    {502, "<html>oops</html>", ERR_UNAVAILABLE, "web page", "proxy"},
    /* What would forge a line of the log or move a terminal's cursor. */
    {404, ERROR("Evil\\r\\nlevel", "a\\u001b[31mb\\u0000c\\td"), ERR_NOTFOUND, "Evil", "b"},
};

static void read_one(struct err *err, int status, const char *body, size_t len, int code)
{
    struct http_reply reply = {
        .failure = HTTP_ANSWERED, .status = status, .body = body, .len = len, .head = "", .head_len = 0};
    json_t *json = json_loadb(body, len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    if (body[0] == '<') {
        reply.head = HTML;
        reply.head_len = sizeof(HTML) - 1;
    }
    err_clear(err);
    assert_int_equal(azure_arm_error(err, &reply, json), code);
    assert_int_equal(err->code, code);
    for (const char *c = err->msg; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            fail_msg("%.60s: a control character in \"%s\"", body, err->msg);
    json_decref(json);
}

static void every_variant(void **state)
{
    struct err err;
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
        read_one(&err, variants[i].status, variants[i].body, strlen(variants[i].body), variants[i].code);
        if (!strstr(err.msg, variants[i].says) || !strstr(err.msg, variants[i].says_too))
            fail_msg("%.60s: \"%s\" does not say \"%s\" and \"%s\"", variants[i].body, err.msg,
                     variants[i].says, variants[i].says_too);
    }
}

/* However long it is, what to do about it is not cut off. */
static void a_message_of_64_kib(void **state)
{
    enum { SIZE = 64 << 10 };
    static const char head[] = "{\"error\":{\"code\":\"ResourceGroupNotFound\",\"message\":\"",
                      tail[] = "\"}}";
    struct err err;
    char *body = malloc(SIZE);
    assert_non_null(body);
    memset(body, 'x', SIZE);
    memcpy(body, head, sizeof(head) - 1);
    memcpy(body + SIZE - sizeof(tail), tail, sizeof(tail));
    read_one(&err, 404, body, SIZE - 1, ERR_NOTFOUND);
    free(body);
    assert_non_null(strstr(err.msg, "xxx"));
    assert_non_null(strstr(err.msg, "write the subscription in front of it"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant),
        cmocka_unit_test(a_message_of_64_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

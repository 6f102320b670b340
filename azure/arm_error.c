/*
 * arm_error: what ARM's error replies mean for the user.
 *
 * Source: ARM's common error body {"error": {"code", "message", "details"?}}; some services send the inner
 * object alone.
 */
#include <jansson.h>
#include <string.h>

#include "azure_private.h"

#define CODE_MAX 80
#define MESSAGE_MAX 480
#define QUOTED_MAX 200

static const json_t *error_of(const json_t *json)
{
    const json_t *inner = json_object_get(json, "error");
    return json_is_object(inner) ? inner : json;
}

const char *azure_arm_error_code(const json_t *json)
{
    const char *code = json_string_value(json_object_get(error_of(json), "code"));
    return code ? code : "";
}

static int code_of(int status)
{
    switch (status) {
    case 401:
        return ERR_AUTH;
    case 403:
        return ERR_DENIED;
    case 404:
        return ERR_NOTFOUND;
    case 408:
        return ERR_TIMEOUT;
    case 429:
        return ERR_THROTTLED;
    case 400:
        return ERR_INVAL;
    default:
        return status >= 500 || status == 409 ? ERR_UNAVAILABLE : ERR_PROTOCOL;
    }
}

/* What to do about the codes that a user can do something about. */
static const struct {
    const char *code, *hint;
} hints[] = {
    {"InvalidAuthenticationTokenTenant",
     "; the subscription belongs to another tenant: set azure: tenant (or AZURE_TENANT_ID) to that one"},
    {"SubscriptionNotFound", "; check the subscription, and that the identity has a role in it"},
    {"InvalidSubscriptionId", "; a subscription is written as its GUID"},
    {"ResourceGroupNotFound", "; check the resource group's name, or write the subscription in front of it"},
    {"MissingSubscriptionRegistration", "; register it once: az provider register --namespace NAME"},
};

/* What stands in quotes behind `after`, fit for a message; "" when there is nothing. */
static void quoted(const char *message, const char *after, char out[QUOTED_MAX])
{
    char raw[QUOTED_MAX];
    text_clean(out, QUOTED_MAX, text_quoted_after(message, after, raw, sizeof(raw)) ? raw : NULL);
}

static void hint_denied(struct err *err, const char *message)
{
    char action[QUOTED_MAX], scope[QUOTED_MAX];
    quoted(message, "perform action", action);
    quoted(message, "over scope", scope);
    if (!action[0])
        err_hint(err, "; give the identity a role that allows it, Reader for looking up");
    else
        err_hint(err, "; the identity lacks %s: give it a role that has it (Reader for looking up)%s%s",
                 action, scope[0] ? " at " : "", scope);
}

int azure_arm_error(struct err *err, const struct http_reply *reply, const json_t *json)
{
    const json_t *error = error_of(json);
    const char *raw = json_string_value(json_object_get(error, "message"));
    char code[CODE_MAX], message[MESSAGE_MAX];
    text_clean(code, sizeof(code), azure_arm_error_code(json));
    text_clean(message, sizeof(message), raw);
    int rc = code_of(reply->status);
    if (!code[0] && !message[0]) {
        const char *type = http_reply_header(reply, "Content-Type");
        bool page = type && strncasecmp(type, "text/html", 9) == 0;
        err_set(err, rc, "the answer is %d%s", reply->status,
                page ? " with a web page; is a proxy or another server in the way?" : " without a reason");
        return rc;
    }
    err_set(err, rc, "%d %s: %s", reply->status, code, message);
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        if (strcmp(hints[i].code, code) == 0)
            err_hint(err, "%s", hints[i].hint);
    if (reply->status == 403 && raw)
        hint_denied(err, raw);
    if (reply->status == 401 && strcmp(code, "InvalidAuthenticationTokenTenant") != 0)
        err_hint(err,
                 "; a new token was refused too: check the identity, its tenant, and this machine's clock");
    return rc;
}

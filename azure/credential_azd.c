/*
 * credential_azd: the token of whoever signed in with the Azure Developer CLI, by `azd auth token`.
 *
 * Source: Azure Identity's AzureDeveloperCliCredential. It writes {"token", "expiresOn":
 * "2026-11-22T17:05:00Z"}.
 */
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "tool.h"

static int64_t utc_time(const char *text)
{
    struct tm tm = {0};
    const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (!end || (*end != 'Z' && *end != '.'))
        return -1;
    return (int64_t)timegm(&tm);
}

static int parse(const json_t *root, struct token *out, struct err *err)
{
    const char *value = json_string_value(json_object_get(root, "token"));
    int64_t ends = utc_time(json_string_value(json_object_get(root, "expiresOn")));
    if (!value || ends <= 0)
        return err_set(err, ERR_PROTOCOL, "what it wrote holds no token and expiresOn");
    return tool_token(value, ends, out, err);
}

static const struct tool azd = {"azd", "azd auth login", "--tenant-id", parse};

static int begin(const struct credential_env *env, const struct credential_ask *ask, credential_cb cb,
                 void *arg, void **out, struct err *err)
{
    const char *argv[] = {"azd", "auth", "token", "--output", "json", "--scope", ask->scope, NULL};
    return tool_begin(&azd, argv, env, ask, cb, arg, out, err);
}

const struct credential_kind credential_azd = {"azd", begin, tool_cancel};

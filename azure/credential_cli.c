/*
 * credential_cli: the token of whoever signed in with the Azure CLI, by `az account get-access-token`.
 *
 * Source: Azure Identity's AzureCliCredential. Since 2.54 az gives "expires_on" (seconds since the epoch);
 * before, and still beside it, "expiresOn": local time without a zone.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tool.h"

/* "2026-11-22 17:05:00.000000" */
static int64_t local_time(const char *text)
{
    struct tm tm = {.tm_isdst = -1};
    const char *end = text ? strptime(text, "%Y-%m-%d %H:%M:%S", &tm) : NULL;
    return end && (*end == 0 || *end == '.') ? (int64_t)mktime(&tm) : -1;
}

static int parse(const json_t *root, struct token *out, struct err *err)
{
    const char *value = json_string_value(json_object_get(root, "accessToken"));
    const json_t *epoch = json_object_get(root, "expires_on");
    int64_t ends = json_is_integer(epoch) ? (int64_t)json_integer_value(epoch)
                                          : local_time(json_string_value(json_object_get(root, "expiresOn")));
    if (!value || ends <= 0)
        return err_set(err, ERR_PROTOCOL, "what it wrote holds no accessToken and expires_on");
    return tool_token(value, ends, out, err);
}

static const struct tool az = {"az", "az login", "--tenant", parse};

static int begin(const struct credential_env *env, const struct credential_ask *ask, credential_cb cb,
                 void *arg, void **out, struct err *err)
{
    static const char suffix[] = "/.default";
    char resource[AZURE_ENDPOINT_MAX];
    size_t n = strlen(ask->scope);
    if (n > sizeof(suffix) && strcmp(ask->scope + n - (sizeof(suffix) - 1), suffix) == 0)
        n -= sizeof(suffix) - 1;
    snprintf(resource, sizeof(resource), "%.*s", (int)n, ask->scope);
    const char *argv[] = {"az",   "account",    "get-access-token", "--output",
                          "json", "--resource", resource,           NULL};
    return tool_begin(&az, argv, env, ask, cb, arg, out, err);
}

const struct credential_kind credential_cli = {"cli", begin, tool_cancel};

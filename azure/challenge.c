/*
 * challenge: parameters out of WWW-Authenticate, and a tenant out of ARM's message.
 */
#include "challenge.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "azure_private.h"
#include "base/mem.h"
#include "base64.h"

/* Finds name="value" outside of other quoted values; the value's length, 0 when absent. */
static size_t parameter(const char *header, const char *name, const char **value)
{
    size_t len = strlen(name);
    for (const char *p = header; *p;) {
        bool starts = p == header || strchr(" ,\t", p[-1]);
        if (starts && strncasecmp(p, name, len) == 0 && p[len] == '=' && p[len + 1] == '"') {
            *value = p + len + 2;
            return strcspn(*value, "\"");
        }
        if (*p == '"')
            p += 1 + strcspn(p + 1, "\"");
        p += *p != 0;
    }
    return 0;
}

static bool is(const char *header, const char *name, const char *expected)
{
    const char *value;
    size_t n = parameter(header, name, &value);
    return n == strlen(expected) && strncmp(value, expected, n) == 0;
}

/* The first WWW-Authenticate header that carries error="…": there may be one for each scheme. */
static const char *header_with(const struct http_reply *reply, const char *error)
{
    const char *p = reply->head, *end = p + reply->head_len;
    while (p < end) {
        const char *value = p + strlen(p) + 1;
        if (strcasecmp(p, "WWW-Authenticate") == 0 && is(value, "error", error))
            return value;
        p = value + strlen(value) + 1;
    }
    return NULL;
}

char *challenge_claims(const struct http_reply *reply)
{
    const char *header = reply->status == 401 ? header_with(reply, "insufficient_claims") : NULL;
    const char *value;
    size_t n = header ? parameter(header, "claims", &value) : 0;
    struct blob text = {0};
    char *claims = NULL;
    if (n == 0 || n > CHALLENGE_CLAIMS_MAX || base64_add_decoded(&text, value, n)) {
        blob_done(&text);
        return NULL;
    }
    json_t *json = json_loadb(text.data, text.len, 0, NULL);
    if (json_is_object(json) && strlen(text.data) == text.len)
        claims = mem_strdup(text.data);
    json_decref(json);
    blob_done(&text);
    return claims;
}

/* A GUID and nothing more. */
static bool guid_at(const char *p, char out[CHALLENGE_TENANT_SIZE])
{
    size_t n = strspn(p, "0123456789abcdefABCDEF-");
    if (n != CHALLENGE_TENANT_SIZE - 1 || p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-')
        return false;
    memcpy(out, p, n);
    out[n] = 0;
    return true;
}

/* "https://sts.windows.net/GUID/" and its likes: the GUID is the first segment of the path. */
static bool guid_of_url(const char *url, char out[CHALLENGE_TENANT_SIZE])
{
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return path && guid_at(path + 1, out);
}

bool challenge_tenant(const struct http_reply *reply, const json_t *json, char out[CHALLENGE_TENANT_SIZE])
{
    char url[256];
    const char *message = json_string_value(json_object_get(json_object_get(json, "error"), "message"));
    if (reply->status != 401 || strcmp(azure_arm_error_code(json), "InvalidAuthenticationTokenTenant") != 0)
        return false;
    if (message && text_quoted_after(message, "must match the tenant", url, sizeof(url)) &&
        guid_of_url(url, out))
        return true;
    const char *header = header_with(reply, "invalid_token"), *value;
    size_t n = header ? parameter(header, "authorization_uri", &value) : 0;
    if (n == 0 || n >= sizeof(url))
        return false;
    memcpy(url, value, n);
    url[n] = 0;
    return guid_of_url(url, out);
}

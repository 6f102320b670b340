/*
 * login_reply: takes the answers of the devicecode endpoint and the id_token apart.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "login.h"
#include "text.h"
#include "token_json.h"

#define EXPIRES_MAX_S 3600
#define INTERVAL_MAX_S 60

static const char *text_of(const json_t *root, const char *name)
{
    const char *text = json_string_value(json_object_get(root, name));
    return text ? text : "";
}

/* Numbers come as numbers, from some endpoints as strings. */
static uint32_t number_of(const json_t *root, const char *name, uint32_t otherwise, uint32_t most)
{
    const json_t *v = json_object_get(root, name);
    long long n = json_is_integer(v) ? json_integer_value(v) : strtoll(text_of(root, name), NULL, 10);
    return n <= 0 ? otherwise : n > most ? most : (uint32_t)n;
}

void login_code_done(struct login_code *c)
{
    if (c->device_code)
        mem_free_secret(c->device_code, strlen(c->device_code));
    memset(c, 0, sizeof(*c));
}

int login_code_parse(struct login_code *out, const json_t *root, struct err *err)
{
    memset(out, 0, sizeof(*out));
    const char *uri = text_of(root, "verification_uri");
    const char *device = text_of(root, "device_code");
    text_clean(out->user_code, sizeof(out->user_code), text_of(root, "user_code"));
    text_clean(out->verification_uri, sizeof(out->verification_uri), uri);
    text_clean(out->message, sizeof(out->message), text_of(root, "message"));
    if (!out->user_code[0] || !*device || strncmp(uri, "https://", 8) != 0 ||
        strcmp(uri, out->verification_uri) != 0)
        return err_set(err, ERR_PROTOCOL,
                       "the reply holds no usable user_code, device_code and verification_uri");
    int rc = token_value_copy(device, &out->device_code, err);
    if (rc)
        return rc;
    out->expires_s = number_of(root, "expires_in", 900, EXPIRES_MAX_S);
    out->interval_s = number_of(root, "interval", 5, INTERVAL_MAX_S);
    return 0;
}

static bool is_guid(const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (!isxdigit((unsigned char)text[i]) && text[i] != '-')
            return false;
    return n == TEXT_GUID_SIZE - 1;
}

void login_who_parse(struct login_who *out, const char *id_token)
{
    memset(out, 0, sizeof(*out));
    const char *body = id_token ? strchr(id_token, '.') : NULL;
    struct blob text = {0};
    if (!body || base64_add_decoded(&text, body + 1, strcspn(body + 1, "."))) {
        blob_done(&text);
        return;
    }
    json_t *claims = text.len ? json_loadb(text.data, text.len, 0, NULL) : NULL;
    text_clean(out->user, sizeof(out->user), text_of(claims, "preferred_username"));
    if (is_guid(text_of(claims, "tid")))
        snprintf(out->tenant, sizeof(out->tenant), "%s", text_of(claims, "tid"));
    json_decref(claims);
    blob_done(&text);
}

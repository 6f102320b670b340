/*
 * entra_reply: takes a token, or the reason why there is none, out of the sign-in endpoint's reply.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entra.h"
#include "retry.h"
#include "text.h"

#define DETAIL_MAX 300
#define TENANT_MAX 255

enum cure { CURE_TENANT, CURE_CLIENT, CURE_PROOF };

/* The AADSTS codes that a user can mend, and where. Numbers and meanings: Microsoft Entra's list of sign-in
 * error codes. */
static const struct {
    unsigned code;
    enum cure cure;
    const char *what;
} known[] = {
    {7000215, CURE_PROOF, "it is not the application's secret: give the secret's value, not its ID"},
    {7000222, CURE_PROOF, "it has expired: make a new one for the application (az ad app credential reset)"},
    {7000218, CURE_PROOF, "it was not accepted as a secret or assertion"},
    {700027, CURE_PROOF, "the certificate is not one that is registered for the application"},
    {700016, CURE_CLIENT, "the tenant has no application with this ID: check both the ID and the tenant"},
    {7000112, CURE_CLIENT, "the application is disabled in the tenant"},
    {90002, CURE_TENANT, "there is no such tenant in this cloud"},
    {900023, CURE_TENANT, "it is neither a tenant's GUID nor a domain name"},
    {50059, CURE_TENANT, "it names no tenant"},
};

int entra_tenant_check(const char *tenant, const char *from, struct err *err)
{
    size_t n = strlen(tenant);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)tenant[i]) && tenant[i] != '-' && tenant[i] != '.')
            n = 0;
    if (n == 0 || n > TENANT_MAX || tenant[0] == '.')
        return err_set(
            err, ERR_INVAL,
            "%s: a tenant is written as its GUID or a domain name: letters, digits, dots and dashes", from);
    return 0;
}

/* "expires_in" is a number, with some endpoints a string of digits. */
static uint64_t seconds_of(const json_t *root, const char *name)
{
    const json_t *v = json_object_get(root, name);
    if (json_is_integer(v))
        return json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0;
    const char *text = json_string_value(v);
    return text && isdigit((unsigned char)*text) ? strtoull(text, NULL, 10) : 0;
}

static int token_of(json_t *root, struct token *out, struct err *err)
{
    json_t *value = json_object_get(root, "access_token");
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    uint64_t lives = seconds_of(root, "expires_in");
    if (!text || len == 0 || len > TOKEN_MAX || strlen(text) != len || lives == 0)
        return err_set(err, ERR_PROTOCOL, "sign-in: the reply holds no usable access_token and expires_in");
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
            return err_set(err, ERR_PROTOCOL, "sign-in: the access_token holds characters that no token has");
    out->value = mem_strdup(text);
    if (!out->value)
        return err_set(err, ERR_NOMEM, "out of memory");
    out->lives_s = lives;
    out->refresh_in_s = seconds_of(root, "refresh_in");
    return 0;
}

static unsigned aadsts_of(const json_t *root)
{
    const json_t *first = json_array_get(json_object_get(root, "error_codes"), 0);
    const char *text = json_string_value(json_object_get(root, "error_description"));
    if (json_is_integer(first) && json_integer_value(first) > 0)
        return (unsigned)json_integer_value(first);
    return text && strncmp(text, "AADSTS", 6) == 0 ? (unsigned)strtoul(text + 6, NULL, 10) : 0;
}

/* The description's first sentence or so; nothing at all if any field of the form that we sent stands in it.
 */
static void detail_of(const struct entra_call *call, const json_t *root, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(root, "error_description"));
    const char *secret = call->form->data ? strstr(call->form->data, "client_secret=") : NULL;
    out[0] = 0;
    if (!text)
        return;
    if (secret) {
        struct blob echo = {0};
        secret += strlen("client_secret=");
        bool leaks = text_form_add(&echo, "", text) || !echo.data;
        size_t n = strcspn(secret, "&");
        if (!leaks && n)
            leaks = memmem(echo.data, echo.len, secret, n) != NULL;
        blob_done(&echo);
        if (leaks)
            return;
    }
    char line[2 * DETAIL_MAX];
    size_t n = strcspn(text, "\r\n");
    const char *trace = strstr(text, " Trace ID:");
    if (trace && (size_t)(trace - text) < n)
        n = (size_t)(trace - text);
    snprintf(line, sizeof(line), "%.*s", (int)(n < sizeof(line) ? n : sizeof(line) - 1), text);
    text_clean(out, size, line);
}

static int refused(const struct entra_call *call, const struct http_reply *reply, const json_t *root,
                   struct err *err)
{
    char detail[DETAIL_MAX], error[64];
    unsigned code = aadsts_of(root);
    detail_of(call, root, detail, sizeof(detail));
    text_clean(error, sizeof(error), json_string_value(json_object_get(root, "error")));
    if (reply->status == 429)
        return err_set(err, ERR_THROTTLED, "sign-in: %s is throttling; try again later", call->cloud->login);
    if (reply->status >= 500)
        return err_set(err, ERR_UNAVAILABLE, "sign-in: %s answered %d %s", call->cloud->login, reply->status,
                       detail);
    for (size_t i = 0; code && i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].code != code)
            continue;
        const char *from = known[i].cure == CURE_TENANT   ? call->tenant_from
                           : known[i].cure == CURE_CLIENT ? call->client_from
                                                          : call->proof_from;
        return err_set(err, ERR_AUTH, "sign-in to tenant %s refused (AADSTS%u): check %s: %s", call->tenant,
                       code, from, known[i].what);
    }
    err_set(err, ERR_AUTH, "sign-in to tenant %s refused (%d %s): %s", call->tenant, reply->status,
            error[0] ? error : "no error code", detail[0] ? detail : "no description that can be shown");
    return err_hint(err, "; check %s, %s and %s", call->tenant_from, call->client_from, call->proof_from);
}

int entra_reply_parse(const struct entra_call *call, const struct http_reply *reply, struct token *out,
                      struct err *err)
{
    json_t *root = json_loadb(reply->body, reply->len, 0, NULL);
    int rc;
    if (reply->status == 200 && !json_is_object(root))
        rc = err_set(err, ERR_PROTOCOL,
                     "sign-in: %s did not answer with JSON; is a proxy or another server in the way?",
                     call->cloud->login);
    else if (reply->status == 200)
        rc = token_of(root, out, err);
    else
        rc = refused(call, reply, root, err);
    json_t *value = json_object_get(root, "access_token");
    if (json_is_string(value))
        mem_wipe((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    json_decref(root);
    return rc;
}

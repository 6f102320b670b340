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
#include "token_json.h"

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
    {700213, CURE_PROOF, "the application has no federated credential for this subject: add one to it"},
    {70021, CURE_PROOF,
     "the application has no federated credential for this issuer and subject: add one to it"},
    {700024, CURE_PROOF, "the assertion is not valid at this time: check this machine's clock"},
    {700082, CURE_PROOF, "it was not used for too long: run adit login again"},
    {70043, CURE_PROOF, "it has ended by the tenant's rules: run adit login again"},
    {50173, CURE_PROOF, "it was revoked, as after a change of password: run adit login again"},
    {50076, CURE_PROOF, "the tenant wants multi-factor authentication: run adit login again"},
    {50079, CURE_PROOF, "the tenant wants multi-factor authentication to be set up: run adit login again"},
    {50078, CURE_PROOF, "the tenant wants multi-factor authentication anew: run adit login again"},
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

static int token_of(const struct entra_call *call, json_t *root, struct token *out, struct err *err)
{
    const char *refresh = json_string_value(json_object_get(root, "refresh_token"));
    int rc = token_json_parse(root, out, err);
    if (rc)
        return err_wrap(err, "sign-in");
    if (!call->keeps_refresh || !refresh || !*refresh || strlen(refresh) > TOKEN_MAX)
        return 0;
    out->refresh = mem_strdup(refresh);
    if (out->refresh)
        return 0;
    token_done(out);
    return err_set(err, ERR_NOMEM, "out of memory");
}

static unsigned aadsts_of(const json_t *root)
{
    const json_t *first = json_array_get(json_object_get(root, "error_codes"), 0);
    const char *text = json_string_value(json_object_get(root, "error_description"));
    if (json_is_integer(first) && json_integer_value(first) > 0)
        return (unsigned)json_integer_value(first);
    return text && strncmp(text, "AADSTS", 6) == 0 ? (unsigned)strtoul(text + 6, NULL, 10) : 0;
}

/* Whether what we proved ourselves with stands in what the server says about it. */
static bool echoes(const struct entra_call *call, const char *text)
{
    static const char *const secrets[] = {
        "client_secret=", "client_assertion=", "refresh_token=", "device_code="};
    bool leaks = false;
    for (size_t i = 0; !leaks && i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        const char *secret = call->form->data ? strstr(call->form->data, secrets[i]) : NULL;
        if (!secret)
            continue;
        struct blob echo = {0};
        secret += strlen(secrets[i]);
        leaks = text_form_add(&echo, "", text) || !echo.data;
        size_t n = strcspn(secret, "&");
        if (!leaks && n)
            leaks = memmem(echo.data, echo.len, secret, n) != NULL;
        blob_done(&echo);
    }
    return leaks;
}

/* The description's first sentence or so; nothing at all if a secret of the form that we sent stands in it.
 */
static void detail_of(const struct entra_call *call, const json_t *root, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(root, "error_description"));
    out[0] = 0;
    if (!text || echoes(call, text))
        return;
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
    const char *word = json_string_value(json_object_get(root, "error"));
    text_clean(error, sizeof(error), word && !echoes(call, word) ? word : NULL);
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
        rc = token_of(call, root, out, err);
    else
        rc = refused(call, reply, root, err);
    token_json_wipe(root);
    json_decref(root);
    return rc;
}

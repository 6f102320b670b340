/*
 * token_grant: gives an access token to whoever proves who they are.
 *
 * Source: the OAuth 2.0 flows of the Microsoft identity platform, with the codes of its errors.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "sandbox.h"
#include "token.h"

#define ASSERTION_LONGEST_S 86400

/* The time that the claims parameter insists on, as text: {"access_token": {"nbf": {"value": "…"}}}. */
static void claims_keep(struct token *t, const char *claims)
{
    json_t *j = claims ? json_loads(claims, 0, NULL) : NULL;
    json_t *nbf = json_object_get(json_object_get(j, "access_token"), "nbf");
    const char *value = json_string_value(json_object_get(nbf, "value"));
    snprintf(t->not_before, sizeof t->not_before, "%s", value ? value : "");
    json_decref(j);
}

void token_answer(const struct token_ask *a, const char *client)
{
    struct token *t = token_new(a->sb, client, a->tenant);
    int left = (int)a->sb->world.file->token_seconds;
    if (!t) {
        token_refuse(a->r, 503, "temporarily_unavailable", 90033,
                     "A transient error has occurred. Please try again.");
        return;
    }
    if (a->claims)
        arm_count(a->sb, "token.claims");
    claims_keep(t, a->claims);
    if (a->v1) /* the older endpoint gives numbers as strings */
        a->r->body =
            json_pack("{s:s,s:o,s:o,s:o,s:s}", "token_type", "Bearer", "expires_in", json_sprintf("%d", left),
                      "ext_expires_in", json_sprintf("%d", left), "expires_on",
                      json_sprintf("%lld", (long long)t->expires), "access_token", t->text);
    else
        a->r->body = json_pack("{s:s,s:i,s:i,s:s}", "token_type", "Bearer", "expires_in", left,
                               "ext_expires_in", left, "access_token", t->text);
}

static const char *text_of(const json_t *claims, const char *name)
{
    const char *text = json_string_value(json_object_get(claims, name));
    return text ? text : "";
}

static bool in_time(const json_t *claims)
{
    json_int_t now = (json_int_t)time(NULL), ends = json_integer_value(json_object_get(claims, "exp"));
    json_int_t begins = json_integer_value(json_object_get(claims, "nbf"));
    return begins <= now + 300 && ends > now && ends <= now + ASSERTION_LONGEST_S + 300;
}

static void assertion_refuse(const struct token_ask *a, int code, const char *why)
{
    token_refuse(a->r, 401, "invalid_client", code, "Client assertion is not valid: %s.", why);
}

/* A federated token says who its issuer is; a client's own assertion says that it is the client. */
static void grant_assertion(const struct token_ask *a, const char *assertion)
{
    struct token_book *b = &a->sb->tokens;
    json_t *claims = NULL, *federated = NULL;
    const char *why = jwt_verify(&b->client, assertion, true, &claims);
    if (why && !jwt_verify(&b->issuer, assertion, false, &federated)) {
        if (strcmp(text_of(federated, "iss"), TOKEN_FEDERATED_ISSUER) != 0 ||
            strcmp(text_of(federated, "sub"), TOKEN_FEDERATED_SUBJECT) != 0 ||
            strcmp(text_of(federated, "aud"), "api://AzureADTokenExchange") != 0)
            assertion_refuse(a, 70021, "no matching federated identity record found for presented assertion");
        else if (!in_time(federated))
            assertion_refuse(a, 700024, "it is not within its valid time range");
        else
            token_answer(a, a->sb->world.file->client);
    } else if (why) {
        assertion_refuse(a, 700027, why);
    } else if (strcasecmp(text_of(claims, "iss"), a->client) != 0 ||
               strcasecmp(text_of(claims, "sub"), a->client) != 0) {
        assertion_refuse(a, 700021, "its issuer and subject are not the client");
    } else if (strcmp(text_of(claims, "aud"), a->url) != 0) {
        assertion_refuse(a, 700023, "its audience is not this endpoint");
    } else if (!in_time(claims) || !*text_of(claims, "jti")) {
        assertion_refuse(a, 700024, "it is not within its valid time range, or has no jti");
    } else {
        token_answer(a, a->sb->world.file->client);
    }
    json_decref(claims);
    json_decref(federated);
}

static bool client_fits(const struct token_ask *a)
{
    if (a->client && strcasecmp(a->client, a->sb->world.file->client) == 0)
        return true;
    token_refuse(a->r, 400, "unauthorized_client", 700016,
                 "Application with identifier '%.60s' was not found in the directory 'Sandbox'.",
                 a->client ? a->client : "");
    return false;
}

static void grant_credentials(const struct token_ask *a)
{
    static const char jwt_bearer[] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    char *secret = http_form_value(a->body, "client_secret"),
         *type = http_form_value(a->body, "client_assertion_type");
    char *assertion = http_form_value(a->body, "client_assertion");
    if (!client_fits(a))
        (void)0;
    else if (assertion && type && strcmp(type, jwt_bearer) == 0)
        grant_assertion(a, assertion);
    else if (!secret)
        token_refuse(
            a->r, 401, "invalid_client", 7000218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
    else if (strcmp(secret, a->sb->world.file->secret) != 0)
        token_refuse(a->r, 401, "invalid_client", 7000215,
                     "Invalid client secret provided. Ensure the secret being sent in the request is the "
                     "client secret "
                     "value, not the client secret ID, for a secret added to app '%s'.",
                     a->sb->world.file->client);
    else
        token_answer(a, a->sb->world.file->client);
    if (secret)
        mem_free_secret(secret, strlen(secret));
    mem_free(type), mem_free(assertion);
}

static bool scope_fits(const struct token_ask *a)
{
    static const char tail[] = "/.default";
    size_t n = a->scope ? strlen(a->scope) : 0, m = sizeof tail - 1;
    if (n && (a->v1 || (n >= m && strcmp(a->scope + n - m, tail) == 0)))
        return true;
    token_refuse(
        a->r, 400, "invalid_scope", 1002012,
        "The provided value for scope is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).");
    return false;
}

void token_grant(const struct token_ask *a)
{
    const char *grant = a->grant ? a->grant : "";
    if (!*grant)
        token_refuse(a->r, 400, "invalid_request", 900144,
                     "The request body must contain the following parameter: 'grant_type'.");
    else if (strcmp(grant, "urn:ietf:params:oauth:grant-type:device_code") == 0)
        token_grant_device(a);
    else if (strcmp(grant, "refresh_token") == 0)
        token_grant_refresh(a);
    else if (strcmp(grant, "client_credentials") != 0)
        token_refuse(a->r, 400, "unsupported_grant_type", 70003,
                     "The app requested an unsupported grant type.");
    else if (scope_fits(a))
        grant_credentials(a);
}

/*
 * token: gives tokens out for the right secret, in Entra's shapes, and remembers them.
 */
#include "token.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/mem.h"
#include "sandbox.h"

#define TOKENS_MAX 10000

void token_book_init(struct token_book *b)
{
    list_init(&b->tokens);
    b->count = 0;
}

static void oldest_drop(struct token_book *b)
{
    struct list *n = list_pop(&b->tokens);
    if (!n)
        return;
    mem_free(container_of(n, struct token, node));
    b->count--;
}

void token_book_done(struct token_book *b)
{
    while (b->count)
        oldest_drop(b);
}

void token_expire_all(struct token_book *b)
{
    struct token *t;
    list_each(t, &b->tokens, struct token, node) t->expires = 0;
}

static void refuse(struct http_reply *r, unsigned status, const char *error, int code, const char *text)
{
    char trace[WORLD_UUID_LEN], correlation[WORLD_UUID_LEN], when[32], message[600];
    time_t now = time(NULL);
    struct tm tm;
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%SZ", gmtime_r(&now, &tm));
    world_uuid(trace), world_uuid(correlation);
    snprintf(message, sizeof message, "AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", code,
             text, trace, correlation, when);
    r->status = status;
    r->body =
        json_pack("{s:s,s:s,s:[i],s:s,s:s,s:s}", "error", error, "error_description", message, "error_codes",
                  code, "timestamp", when, "trace_id", trace, "correlation_id", correlation);
}

static struct token *token_new(struct sandbox *sb, const char *client)
{
    while (sb->tokens.count >= TOKENS_MAX)
        oldest_drop(&sb->tokens);
    struct token *t = mem_zalloc(sizeof *t);
    if (!t)
        return NULL;
    char a[WORLD_UUID_LEN], b[WORLD_UUID_LEN], c[WORLD_UUID_LEN];
    world_uuid(a), world_uuid(b), world_uuid(c);
    snprintf(t->text, sizeof t->text, "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJ2ZXIiOiIxLjAifQ.%s%s%s", a, b,
             c);
    snprintf(t->client, sizeof t->client, "%s", client);
    t->expires = time(NULL) + (time_t)sb->world.file->token_seconds;
    list_push(&sb->tokens.tokens, &t->node);
    sb->tokens.count++;
    return t;
}

/* The tenant is the first segment of the path. */
static bool tenant_known(const struct sandbox *sb, const char *path)
{
    size_t n = strcspn(path + 1, "/");
    const char *tenant = sb->world.file->tenant;
    return (strlen(tenant) == n && strncasecmp(path + 1, tenant, n) == 0) ||
           (n == 13 && strncmp(path + 1, "organizations", n) == 0);
}

static void grant_secret(struct sandbox *sb, const char *client, const char *secret, bool v1,
                         struct http_reply *r)
{
    const struct world_file *f = sb->world.file;
    char text[300];
    if (!client || strcasecmp(client, f->client) != 0) {
        snprintf(text, sizeof text,
                 "Application with identifier '%.60s' was not found in the directory 'Sandbox'.",
                 client ? client : "");
        refuse(r, 400, "unauthorized_client", 700016, text);
        return;
    }
    if (!secret) {
        refuse(
            r, 401, "invalid_client", 7000218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
        return;
    }
    if (strcmp(secret, f->secret) != 0) {
        snprintf(text, sizeof text,
                 "Invalid client secret provided. Ensure the secret being sent in the request is the client "
                 "secret "
                 "value, not the client secret ID, for a secret added to app '%s'.",
                 f->client);
        refuse(r, 401, "invalid_client", 7000215, text);
        return;
    }
    struct token *t = token_new(sb, f->client);
    if (!t) {
        refuse(r, 503, "temporarily_unavailable", 90033, "A transient error has occurred. Please try again.");
        return;
    }
    int left = (int)f->token_seconds;
    if (v1) /* the older endpoint gives numbers as strings */
        r->body =
            json_pack("{s:s,s:o,s:o,s:o,s:s}", "token_type", "Bearer", "expires_in", json_sprintf("%d", left),
                      "ext_expires_in", json_sprintf("%d", left), "expires_on",
                      json_sprintf("%lld", (long long)t->expires), "access_token", t->text);
    else
        r->body = json_pack("{s:s,s:i,s:i,s:s}", "token_type", "Bearer", "expires_in", left, "ext_expires_in",
                            left, "access_token", t->text);
}

static void token_request(struct sandbox *sb, const struct http_request *q, bool v1, struct http_reply *r)
{
    char *grant = http_form_value(q->body, "grant_type");
    char *client = http_form_value(q->body, "client_id");
    char *secret = http_form_value(q->body, "client_secret");
    char *scope = http_form_value(q->body, v1 ? "resource" : "scope");
    char text[300];
    r->status = 200;
    http_reply_header(r, "Cache-Control", "no-store, no-cache");
    if (!tenant_known(sb, q->path)) {
        snprintf(text, sizeof text,
                 "Tenant '%.*s' not found. Check to make sure you have the correct tenant ID and are signing "
                 "into the "
                 "correct cloud.",
                 (int)strcspn(q->path + 1, "/"), q->path + 1);
        refuse(r, 400, "invalid_request", 90002, text);
    } else if (!grant) {
        refuse(r, 400, "invalid_request", 900144,
               "The request body must contain the following parameter: 'grant_type'.");
    } else if (strcmp(grant, "client_credentials") != 0) {
        refuse(r, 400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
    } else if (!scope ||
               (!v1 && (strlen(scope) < 9 || strcmp(scope + strlen(scope) - 9, "/.default") != 0))) {
        refuse(
            r, 400, "invalid_scope", 1002012,
            "The provided value for scope is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI).");
    } else {
        grant_secret(sb, client, secret, v1, r);
    }
    if (secret)
        mem_free_secret(secret, strlen(secret));
    mem_free(grant), mem_free(client), mem_free(scope);
}

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);
    return n >= m && strcmp(s + n - m, tail) == 0;
}

bool token_path(const char *path)
{
    return ends_with(path, "/oauth2/v2.0/token") || ends_with(path, "/oauth2/token") ||
           ends_with(path, "/.well-known/openid-configuration") ||
           strcmp(path, "/common/discovery/instance") == 0;
}

static void openid_configuration(struct sandbox *sb, const struct http_request *q, struct http_reply *r)
{
    const char *base = sb->http.base;
    int n = (int)strcspn(q->path + 1, "/");
    const char *tenant = q->path + 1;
    r->body = json_pack("{s:o,s:o,s:o,s:o,s:[s]}", "token_endpoint",
                        json_sprintf("%s/%.*s/oauth2/v2.0/token", base, n, tenant), "issuer",
                        json_sprintf("%s/%s/v2.0", base, sb->world.file->tenant), "authorization_endpoint",
                        json_sprintf("%s/%.*s/oauth2/v2.0/authorize", base, n, tenant),
                        "device_authorization_endpoint",
                        json_sprintf("%s/%.*s/oauth2/v2.0/devicecode", base, n, tenant),
                        "token_endpoint_auth_methods_supported", "client_secret_post");
}

void token_handle(struct sandbox *sb, const struct http_request *q, struct http_reply *r)
{
    arm_count(sb, "login");
    if (ends_with(q->path, "/.well-known/openid-configuration")) {
        openid_configuration(sb, q, r);
    } else if (strcmp(q->path, "/common/discovery/instance") == 0) {
        r->body = json_pack("{s:o,s:[]}", "tenant_discovery_endpoint",
                            json_sprintf("%s/%s/v2.0/.well-known/openid-configuration", sb->http.base,
                                         sb->world.file->tenant),
                            "metadata");
    } else if (strcmp(q->method, "POST") != 0) {
        refuse(r, 405, "invalid_request", 900561,
               "The endpoint only accepts POST requests. Received a GET request.");
    } else {
        arm_count(sb, "token");
        token_request(sb, q, !ends_with(q->path, "/v2.0/token"), r);
    }
}

enum token_state token_check(struct sandbox *sb, const struct http_request *q, const struct token **out)
{
    const char *h = http_header(q, "Authorization");
    *out = NULL;
    if (!h || strncasecmp(h, "Bearer ", 7) != 0)
        return TOKEN_MISSING;
    struct token *t;
    list_each(t, &sb->tokens.tokens, struct token, node)
    {
        if (strcmp(t->text, h + 7) != 0)
            continue;
        if (t->expires <= time(NULL))
            return TOKEN_EXPIRED;
        *out = t;
        return TOKEN_GOOD;
    }
    return TOKEN_UNKNOWN;
}

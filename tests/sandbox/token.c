/*
 * token: the table of access tokens, and what the login endpoint serves at which path.
 */
#include "token.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/mem.h"
#include "sandbox.h"

#define TOKENS_MAX 10000

void token_book_init(struct token_book *b)
{
    *b = (struct token_book){0};
    list_init(&b->tokens);
    list_init(&b->devices);
    list_init(&b->refreshes);
}

int token_book_keys(struct token_book *b, struct err *err)
{
    int rc = jwt_key_new(&b->client, "adit sandbox client", err);
    return rc ? rc : jwt_key_new(&b->issuer, "adit sandbox issuer", err);
}

static void oldest_drop(struct token_book *b)
{
    struct list *n = list_pop(&b->tokens);
    if (!n)
        return;
    struct token *t = container_of(n, struct token, node);
    mem_free(t->text);
    mem_free(t);
    b->count--;
}

void token_book_done(struct token_book *b)
{
    while (b->count)
        oldest_drop(b);
    token_device_done(b);
    jwt_key_done(&b->client);
    jwt_key_done(&b->issuer);
}

void token_expire_all(struct token_book *b)
{
    struct token *t;
    list_each(t, &b->tokens, struct token, node) t->expires = 0;
}

void token_refuse(struct http_reply *r, unsigned status, const char *error, int code, const char *fmt, ...)
{
    char trace[WORLD_UUID_LEN], correlation[WORLD_UUID_LEN], when[32], text[400];
    time_t now = time(NULL);
    struct tm tm;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%SZ", gmtime_r(&now, &tm));
    world_uuid(trace), world_uuid(correlation);
    r->status = status;
    r->body =
        json_pack("{s:s,s:o,s:[i],s:s,s:s,s:s}", "error", error, "error_description",
                  json_sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", code, text,
                               trace, correlation, when),
                  "error_codes", code, "timestamp", when, "trace_id", trace, "correlation_id", correlation);
}

/* As Entra's for ARM, version 1.0. It puts ipaddr into people's tokens only; the sandbox's client stands for
 * one.
 */
static json_t *claims_of(const struct sandbox *sb, const char *client, const char *tenant)
{
    char id[WORLD_UUID_LEN];
    json_int_t now = (json_int_t)time(NULL);
    world_uuid(id);
    json_t *j = json_pack("{s:s,s:o,s:I,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "aud", sb->http.base,
                          "iss", json_sprintf("https://sts.windows.net/%s/", tenant), "iat", now, "nbf", now,
                          "exp", now + (json_int_t)sb->world.file->token_seconds, "appid", client, "idtyp",
                          "user", "oid", TOKEN_OBJECT, "tid", tenant, "upn", TOKEN_USER, "unique_name",
                          TOKEN_USER, "uti", id, "ver", "1.0");
    if (sb->world.file->caller_address == CALLER_CLAIM)
        json_object_set_new(j, "ipaddr", json_string(sb->caller));
    return j;
}

struct token *token_new(struct sandbox *sb, const char *client, const char *tenant)
{
    while (sb->tokens.count >= TOKENS_MAX)
        oldest_drop(&sb->tokens);
    struct token *t = mem_zalloc(sizeof *t);
    if (!t)
        return NULL;
    t->text = jwt_sign(&sb->tokens.issuer, claims_of(sb, client, tenant));
    if (!t->text) {
        mem_free(t);
        return NULL;
    }
    snprintf(t->client, sizeof t->client, "%s", client);
    snprintf(t->tenant, sizeof t->tenant, "%s", tenant);
    t->expires = time(NULL) + (time_t)sb->world.file->token_seconds;
    list_push(&sb->tokens.tokens, &t->node);
    sb->tokens.count++;
    return t;
}

const char *token_tenant_of(const struct sandbox *sb, const struct world_subscription *s)
{
    return sb->arm.other_tenant ? TOKEN_OTHER_TENANT : s->tenant ? s->tenant : sb->world.file->tenant;
}

static bool is_segment(const char *path, const char *word)
{
    size_t n = strcspn(path + 1, "/");
    return strlen(word) == n && strncasecmp(path + 1, word, n) == 0;
}

/* The tenant that the first segment of the path names, or NULL. */
static const char *tenant_find(const struct sandbox *sb, const char *path)
{
    const struct world_file *f = sb->world.file;
    if (is_segment(path, f->tenant) || is_segment(path, "organizations") || is_segment(path, "common"))
        return f->tenant;
    for (unsigned i = 0; i < f->subscriptions_count; i++)
        if (f->subscriptions[i].tenant && is_segment(path, f->subscriptions[i].tenant))
            return f->subscriptions[i].tenant;
    return is_segment(path, TOKEN_OTHER_TENANT) ? TOKEN_OTHER_TENANT : NULL;
}

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);
    return n >= m && strcmp(s + n - m, tail) == 0;
}

static void ask_handle(struct sandbox *sb, const struct http_request *q, struct http_reply *r)
{
    char url[400];
    snprintf(url, sizeof url, "%s%s", sb->http.base, q->path);
    struct token_ask a = {.sb = sb,
                          .url = url,
                          .body = q->body,
                          .tenant = tenant_find(sb, q->path),
                          .v1 = !strstr(q->path, "/v2.0/"),
                          .grant = http_form_value(q->body, "grant_type"),
                          .client = http_form_value(q->body, "client_id"),
                          .claims = http_form_value(q->body, "claims"),
                          .r = r};
    a.scope = http_form_value(q->body, a.v1 ? "resource" : "scope");
    r->status = 200;
    http_reply_header(r, "Cache-Control", "no-store, no-cache");
    if (!a.tenant)
        token_refuse(
            r, 400, "invalid_request", 90002,
            "Tenant '%.*s' not found. Check to make sure you have the correct tenant ID and are signing into "
            "the correct cloud.",
            (int)strcspn(q->path + 1, "/"), q->path + 1);
    else if (ends_with(q->path, "/devicecode"))
        token_device_new(&a);
    else
        token_grant(&a);
    mem_free(a.grant), mem_free(a.client), mem_free(a.scope), mem_free(a.claims);
}

bool token_path(const char *path)
{
    return ends_with(path, "/oauth2/v2.0/token") || ends_with(path, "/oauth2/token") ||
           ends_with(path, "/oauth2/v2.0/devicecode") ||
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
        token_refuse(r, 405, "invalid_request", 900561,
                     "The endpoint only accepts POST requests. Received a GET request.");
    } else {
        arm_count(sb, ends_with(q->path, "/devicecode") ? "devicecode" : "token");
        ask_handle(sb, q, r);
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

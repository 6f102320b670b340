/*
 * token_device: sign-in of people by device code, and the refresh tokens that it leads to.
 *
 *   PENDING --ctl device approve--> APPROVED --the next poll--> gone
 *      +------ctl device deny-----> DENIED
 *
 * Source: RFC 8628, and "OAuth 2.0 device authorization grant" of the Microsoft identity platform. A refresh
 * token stays valid when it has been used, as Entra's do.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "sandbox.h"
#include "token.h"

#define EXPIRES_S 900
#define KEPT_MAX 1000

enum device_state { PENDING, APPROVED, DENIED };

struct device {
    struct list node;
    enum device_state state;
    char user_code[10], code[WORLD_UUID_LEN];
    char client[WORLD_UUID_LEN];
    char scope[300];
    time_t expires;
    uint64_t polled_ms;
};

struct refresh {
    struct list node;
    char client[WORLD_UUID_LEN];
    char text[64];
};

static void drop_devices(struct token_book *b, size_t keep)
{
    while (list_count(&b->devices) > keep)
        mem_free(container_of(list_pop(&b->devices), struct device, node));
}

static void drop_refreshes(struct token_book *b, size_t keep)
{
    while (list_count(&b->refreshes) > keep)
        mem_free(container_of(list_pop(&b->refreshes), struct refresh, node));
}

void token_device_done(struct token_book *b)
{
    drop_devices(b, 0);
    drop_refreshes(b, 0);
}

void token_refresh_revoke(struct token_book *b)
{
    drop_refreshes(b, 0);
}

static bool client_fits(const struct token_ask *a)
{
    if (a->client && (strcasecmp(a->client, TOKEN_AZURE_CLI) == 0 ||
                      strcasecmp(a->client, a->sb->world.file->client) == 0))
        return true;
    token_refuse(a->r, 400, "unauthorized_client", 700016,
                 "Application with identifier '%.60s' was not found in the directory 'Sandbox'.",
                 a->client ? a->client : "");
    return false;
}

/* Nine letters without vowels, so that they spell nothing. */
static void user_code(char out[10])
{
    static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";
    char seed[WORLD_UUID_LEN];
    world_uuid(seed);
    for (int i = 0; i < 9; i++)
        out[i] = letters[(unsigned char)(seed[i * 3] * 7 + seed[i * 3 + 1] + seed[i * 3 + 2] * 13) % 20];
    out[9] = 0;
}

void token_device_new(const struct token_ask *a)
{
    struct token_book *b = &a->sb->tokens;
    if (!client_fits(a))
        return;
    if (!a->scope) {
        token_refuse(a->r, 400, "invalid_request", 900144,
                     "The request body must contain the following parameter: 'scope'.");
        return;
    }
    drop_devices(b, KEPT_MAX);
    struct device *d = mem_zalloc(sizeof *d);
    if (!d) {
        token_refuse(a->r, 503, "temporarily_unavailable", 90033, "A transient error has occurred.");
        return;
    }
    user_code(d->user_code);
    world_uuid(d->code);
    snprintf(d->client, sizeof d->client, "%s", a->client);
    snprintf(d->scope, sizeof d->scope, "%s", a->scope);
    d->expires = time(NULL) + EXPIRES_S;
    list_init(&d->node);
    list_push(&b->devices, &d->node);
    a->r->body = json_pack(
        "{s:s,s:s,s:o,s:i,s:i,s:o}", "user_code", d->user_code, "device_code", d->code, "verification_uri",
        json_sprintf("%s/devicelogin", a->sb->http.base), "expires_in", EXPIRES_S, "interval",
        (int)a->sb->world.file->device_seconds, "message",
        json_sprintf("To sign in, use a web browser to open the page %s/devicelogin and enter the code %s to "
                     "authenticate.",
                     a->sb->http.base, d->user_code));
}

static char *id_token(const struct token_ask *a)
{
    json_int_t now = (json_int_t)time(NULL);
    return jwt_sign(&a->sb->tokens.issuer,
                    json_pack("{s:s,s:o,s:I,s:I,s:I,s:s,s:s,s:s,s:s,s:s}", "aud", a->client, "iss",
                              json_sprintf("%s/%s/v2.0", a->sb->http.base, a->tenant), "iat", now, "nbf", now,
                              "exp", now + 3600, "name", "Someone", "preferred_username", TOKEN_USER, "sub",
                              "c2FuZGJveC11c2Vy", "tid", a->tenant, "ver", "2.0"));
}

/* An access token and what the scope asks for beside it. */
static void answer(const struct token_ask *a, const char *scope)
{
    struct token_book *b = &a->sb->tokens;
    token_answer(a, a->client);
    if (a->r->status != 200)
        return;
    json_object_set_new(a->r->body, "scope", json_string(scope));
    if (strstr(scope, "openid")) {
        char *text = id_token(a);
        json_object_set_new(a->r->body, "id_token", json_string(text));
        mem_free(text);
    }
    struct refresh *f = strstr(scope, "offline_access") ? mem_zalloc(sizeof *f) : NULL;
    if (!f)
        return;
    char one[WORLD_UUID_LEN];
    world_uuid(one);
    drop_refreshes(b, KEPT_MAX);
    snprintf(f->text, sizeof f->text, "1.AXsandbox~%s", one);
    snprintf(f->client, sizeof f->client, "%s", a->client);
    list_init(&f->node);
    list_push(&b->refreshes, &f->node);
    json_object_set_new(a->r->body, "refresh_token", json_string(f->text));
}

static struct device *device_find(struct token_book *b, const char *code)
{
    struct device *d;
    list_each(d, &b->devices, struct device, node)
    {
        if (code && strcmp(d->code, code) == 0)
            return d;
    }
    return NULL;
}

void token_grant_device(const struct token_ask *a)
{
    char *code = http_form_value(a->body, "device_code");
    struct device *d = device_find(&a->sb->tokens, code);
    uint64_t now = uv_now(&a->sb->loop), before = d ? d->polled_ms : 0;
    mem_free(code);
    if (!client_fits(a))
        return;
    if (d)
        d->polled_ms = now;
    if (!d || strcasecmp(d->client, a->client) != 0)
        token_refuse(a->r, 400, "bad_verification_code", 70019, "The provided device code is not valid.");
    else if (d->expires <= time(NULL))
        token_refuse(a->r, 400, "expired_token", 70020,
                     "The provided value for the input parameter 'device_code' is "
                     "not valid. This device code has expired.");
    else if (d->state == DENIED)
        token_refuse(a->r, 400, "authorization_declined", 70018,
                     "The end user denied the authorization request.");
    else if (before && now < before + a->sb->world.file->device_seconds * 900)
        token_refuse(a->r, 400, "slow_down", 70016,
                     "The client polls faster than the interval that it was told.");
    else if (d->state == PENDING)
        token_refuse(a->r, 400, "authorization_pending", 70016,
                     "OAuth 2.0 device flow error. Authorization is pending. Continue polling.");
    else {
        answer(a, d->scope);
        list_remove(&d->node);
        mem_free(d);
    }
}

void token_grant_refresh(const struct token_ask *a)
{
    char *text = http_form_value(a->body, "refresh_token");
    struct refresh *f, *found = NULL;
    list_each(f, &a->sb->tokens.refreshes, struct refresh, node)
    {
        if (text && strcmp(f->text, text) == 0 && a->client && strcasecmp(f->client, a->client) == 0)
            found = f;
    }
    if (text)
        mem_free_secret(text, strlen(text));
    arm_count(a->sb, "token.refresh");
    if (!client_fits(a))
        return;
    if (!found)
        token_refuse(a->r, 400, "invalid_grant", 50173,
                     "The provided grant has expired due to it being revoked, a fresh auth token is needed.");
    else
        answer(a, a->scope ? a->scope : "offline_access");
}

unsigned token_device_settle(struct sandbox *sb, const char *code, bool approve)
{
    struct device *d;
    unsigned count = 0;
    list_each(d, &sb->tokens.devices, struct device, node)
    {
        if (d->state != PENDING || d->expires <= time(NULL) || (code && strcasecmp(d->user_code, code) != 0))
            continue;
        d->state = approve ? APPROVED : DENIED;
        count++;
    }
    return count;
}

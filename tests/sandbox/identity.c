/*
 * identity: answers as IMDS, App Service and Arc do, with the checks by which each keeps others out.
 */
#include "identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "sandbox.h"
#include "token.h"

static void refuse(struct http_reply *r, unsigned status, const char *error, const char *text)
{
    r->status = status;
    json_decref(r->body);
    r->body = json_pack("{s:s,s:s}", "error", error, "error_description", text);
}

/* The token that the query asks for, or NULL with the refusal already set. */
static struct token *token_for(struct sandbox *sb, const struct http_request *q, struct http_reply *r)
{
    const char *resource = http_query(q, "resource"), *client = http_query(q, "client_id");
    size_t n = resource ? strlen(resource) : 0;
    while (n && resource[n - 1] == '/')
        n--;
    if (!n)
        refuse(r, 400, "invalid_request", "Required query variable 'resource' is missing");
    else if (strlen(sb->http.base) != n || strncasecmp(resource, sb->http.base, n) != 0)
        refuse(r, 400, "invalid_resource",
               "AADSTS500011: The resource principal was not found in the tenant. This can happen if the "
               "application "
               "has not been installed by the administrator of the tenant.");
    else if (client && strcasecmp(client, TOKEN_MANAGED) != 0)
        refuse(r, 400, "invalid_request", "Identity not found");
    else
        return token_new(sb, TOKEN_MANAGED, sb->world.file->tenant);
    return NULL;
}

/* These services give numbers as strings. */
static void answer(struct sandbox *sb, const struct http_request *q, struct http_reply *r,
                   bool with_expires_in)
{
    struct token *t = token_for(sb, q, r);
    if (!t)
        return;
    long long ends = (long long)t->expires, left = (long long)sb->world.file->token_seconds;
    r->body = json_pack("{s:s,s:s,s:o,s:o,s:s,s:s}", "access_token", t->text, "client_id", TOKEN_MANAGED,
                        "expires_on", json_sprintf("%lld", ends), "not_before",
                        json_sprintf("%lld", ends - left - 300), "resource", http_query(q, "resource"),
                        "token_type", "Bearer");
    if (!with_expires_in)
        return;
    json_object_set_new(r->body, "expires_in", json_sprintf("%lld", left));
    json_object_set_new(r->body, "ext_expires_in", json_sprintf("%lld", left));
}

static bool version_is(const struct http_request *q, struct http_reply *r, const char *version)
{
    const char *asked = http_query(q, "api-version");
    if (asked && strcmp(asked, version) == 0)
        return true;
    refuse(r, 400, "invalid_request", "The api-version is missing or not one that this service has");
    return false;
}

static bool metadata_asked(const struct http_request *q, struct http_reply *r)
{
    const char *header = http_header(q, "Metadata");
    if (!header || strcasecmp(header, "true") != 0)
        refuse(r, 400, "invalid_request", "Required metadata header not specified");
    else if (http_header(q, "X-Forwarded-For"))
        refuse(r, 400, "invalid_request", "A proxied request is not answered");
    else
        return true;
    return false;
}

static void imds(struct sandbox *sb, const struct http_request *q, struct http_reply *r)
{
    if (metadata_asked(q, r) && version_is(q, r, "2018-02-01"))
        answer(sb, q, r, true);
}

static void app_service(struct sandbox *sb, const struct http_request *q, struct http_reply *r)
{
    const char *header = http_header(q, "X-IDENTITY-HEADER");
    if (!header || strcmp(header, sb->identity.header) != 0) {
        r->status = 401;
        r->body =
            json_pack("{s:i,s:s}", "statusCode", 401, "message", "The X-IDENTITY-HEADER is not this app's.");
    } else if (version_is(q, r, "2019-08-01")) {
        answer(sb, q, r, false);
    }
}

/* --- Arc: whoever can read the key file may have the token --- */

static int arc_key_new(struct identity *i, struct err *err)
{
    char one[WORLD_UUID_LEN], two[WORLD_UUID_LEN];
    if (*i->arc_path)
        unlink(i->arc_path);
    world_uuid(one), world_uuid(two);
    snprintf(i->arc_path, sizeof i->arc_path, "%s/%s.key", i->arc_dir, one);
    snprintf(i->arc_key, sizeof i->arc_key, "%s%s", one, two);
    int rc = fs_mkdirs(i->arc_dir, 0700, err);
    return rc ? rc : fs_replace(i->arc_path, i->arc_key, strlen(i->arc_key), 0600, err);
}

static void arc(struct sandbox *sb, const struct http_request *q, struct http_reply *r)
{
    struct identity *i = &sb->identity;
    const char *proof = http_header(q, "Authorization");
    struct err err = {0};
    if (!metadata_asked(q, r) || !version_is(q, r, "2020-06-01"))
        return;
    if (proof && *i->arc_key && strncmp(proof, "Basic ", 6) == 0 && strcmp(proof + 6, i->arc_key) == 0) {
        unlink(i->arc_path); /* it proves one request */
        *i->arc_path = *i->arc_key = 0;
        answer(sb, q, r, true);
    } else if (proof) {
        refuse(r, 401, "unauthorized_client", "The challenge was not answered with what the file holds");
    } else if (arc_key_new(i, &err) < 0) {
        refuse(r, 500, "server_error", err.msg);
    } else {
        refuse(r, 401, "unauthorized_client", "Proof of the right to read the file is needed");
        http_reply_header(r, "WWW-Authenticate", "Basic realm=%s", i->arc_path);
    }
}

static void on_request(void *arg, const struct http_request *q, struct http_reply *r)
{
    static const struct {
        const char *path, *kind;
        void (*run)(struct sandbox *sb, const struct http_request *q, struct http_reply *r);
    } services[] = {{IDENTITY_PATH, "identity.imds", imds},
                    {IDENTITY_APP_PATH, "identity.app-service", app_service},
                    {IDENTITY_ARC_PATH, "identity.arc", arc}};
    struct sandbox *sb = arg;
    struct identity *id = &sb->identity;
    for (unsigned i = 0; i < sizeof services / sizeof *services; i++) {
        if (strcmp(q->path, services[i].path) != 0)
            continue;
        arm_count(sb, services[i].kind);
        if (id->fail_left) {
            id->fail_left--;
            refuse(r, id->fail_status, "temporarily_unavailable",
                   "The service answers so because it was told to");
        } else if (strcmp(q->method, "GET") != 0) {
            refuse(r, 405, "invalid_request", "Only GET is answered");
        } else {
            services[i].run(sb, q, r);
        }
        return;
    }
    refuse(r, 404, "not_found", "There is nothing here");
}

int identity_start(struct sandbox *sb, struct err *err)
{
    struct identity *i = &sb->identity;
    const char *dir = getenv("ADIT_SANDBOX_ARC_KEYS");
    world_uuid(i->header);
    if (dir && *dir)
        snprintf(i->arc_dir, sizeof i->arc_dir, "%s", dir);
    else
        snprintf(i->arc_dir, sizeof i->arc_dir, "%.250s/arc/tokens", sb->dir);
    return http_start(&i->http, &sb->loop, 0, NULL, NULL, on_request, sb, err);
}

void identity_stop(struct sandbox *sb)
{
    if (*sb->identity.arc_path)
        unlink(sb->identity.arc_path);
    http_stop(&sb->identity.http);
}

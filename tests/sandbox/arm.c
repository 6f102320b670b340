/*
 * arm: takes a call through the checks that all calls share and hands it to its handler.
 */
#include "arm.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "fault.h"
#include "sandbox.h"

void arm_init(struct arm *a)
{
    *a = (struct arm){.counters = json_object()};
    a->denied = json_array();
    a->writes = json_array();
    list_init(&a->faults);
    quota_init(&a->quota);
}

void arm_done(struct arm *a)
{
    json_decref(a->counters);
    json_decref(a->denied);
    json_decref(a->writes);
    fault_clear(&a->faults);
    quota_done(&a->quota);
}

void arm_count(struct sandbox *sb, const char *kind)
{
    json_int_t n = json_integer_value(json_object_get(sb->arm.counters, kind));
    json_object_set_new(sb->arm.counters, kind, json_integer(n + 1));
}

static void args_free(struct arm_call *c)
{
    for (unsigned i = 0; i < c->args_count; i++)
        mem_free(c->args[i]);
    c->args_count = 0;
}

/* Compares segment by segment. *sub and *group get what stands at {s} and {g}; borrowed from `path` by
 * length. */
static bool route_fits(struct arm_call *c, const char *route, const char *path, char *sub, char *group,
                       size_t max)
{
    while (*route == '/' && *path == '/') {
        route++, path++;
        size_t n = strcspn(route, "/"), m = strcspn(path, "/");
        if (m == 0)
            return *route == 0;
        if (n == 1 && *route == '*') {
            if (c->args_count == ARM_WILDCARDS || !(c->args[c->args_count] = mem_strndup(path, m)))
                return false;
            c->args_count++;
        } else if (n == 3 && route[0] == '{') {
            snprintf(route[1] == 's' ? sub : group, max, "%.*s", (int)m, path);
        } else if (n != m || strncasecmp(route, path, n) != 0) {
            return false;
        }
        route += n, path += m;
    }
    return *route == 0 && (*path == 0 || strcmp(path, "/") == 0);
}

static const struct arm_route *route_find(struct arm_call *c, char *sub, char *group, size_t max)
{
    for (const struct arm_route *t = arm_routes; t->method; t++) {
        *sub = *group = 0;
        if (strcmp(t->method, c->q->method) == 0 && route_fits(c, t->path, c->q->path, sub, group, max))
            return t;
        args_free(c);
    }
    return NULL;
}

static bool token_passes(struct arm_call *c)
{
    static const char *const codes[] = {"", "AuthenticationFailed", "InvalidAuthenticationToken",
                                        "ExpiredAuthenticationToken"};
    static const char *const texts[] = {"", "Authentication failed. The 'Authorization' header is missing.",
                                        "The access token is invalid.",
                                        "The access token expiry UTC time is earlier than current UTC time."};
    enum token_state t = token_check(c->sb, c->q, &c->token);
    if (t == TOKEN_GOOD)
        return true;
    arm_error(c->r, 401, codes[t], "%s", texts[t]);
    http_reply_header(c->r, "WWW-Authenticate",
                      "Bearer authorization_uri=\"%s/%s\", error=\"invalid_token\", error_description=\"%s\"",
                      c->sb->http.base, c->sb->world.file->tenant, texts[t]);
    return false;
}

/* Continuous access evaluation: a token from before some event does not count any more. */
static bool claims_pass(struct arm_call *c)
{
    struct arm *a = &c->sb->arm;
    if (a->claims_left == 0 || strcmp(c->token->not_before, a->claims_time) == 0)
        return true;
    a->claims_left--;
    arm_count(c->sb, "challenged");
    char claims[200], coded[300];
    int n = snprintf(claims, sizeof claims,
                     "{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"%s\"}}}", a->claims_time);
    EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)claims, n);
    arm_error(c->r, 401, "InvalidAuthenticationToken",
              "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
              "TokenIssuedBeforeRevocationTimestamp");
    http_reply_header(c->r, "WWW-Authenticate",
                      "Bearer realm=\"\", authorization_uri=\"%s/common/oauth2/authorize\", "
                      "error=\"insufficient_claims\", claims=\"%s\"",
                      c->sb->http.base, coded);
    return false;
}

static bool tenant_passes(struct arm_call *c)
{
    const char *tenant = c->subscription ? token_tenant_of(c->sb, c->subscription) : NULL;
    if (!tenant || strcasecmp(tenant, c->token->tenant) == 0)
        return true;
    arm_count(c->sb, "wrong-tenant");
    arm_error(
        c->r, 401, "InvalidAuthenticationTokenTenant",
        "The access token is from the wrong issuer 'https://sts.windows.net/%s/'. It must match the tenant "
        "'https://sts.windows.net/%s/' associated with this subscription. Please use the authority (URL) "
        "'https://login.windows.net/%s' to get the token. Note, if the subscription is transferred to "
        "another "
        "tenant there is no impact to the services, but information about new tenant could take time to "
        "propagate (up to an hour).",
        c->token->tenant, tenant, tenant);
    http_reply_header(
        c->r, "WWW-Authenticate",
        "Bearer authorization_uri=\"https://login.windows.net/%s\", error=\"invalid_token\", "
        "error_description=\"The access token is from the wrong issuer. It must match the tenant "
        "associated with this subscription.\"",
        tenant);
    return false;
}

static bool knobs_pass(struct arm_call *c)
{
    struct arm *a = &c->sb->arm;
    c->r->delay_ms += a->delay_ms;
    if (a->throttle_left) {
        a->throttle_left--;
        arm_count(c->sb, "throttled");
        arm_error(c->r, 429, "TooManyRequests",
                  "The request is being throttled as the limit has been reached for operation type - "
                  "Read_ObservationWindow_00:01:00.");
        http_reply_header(c->r, "Retry-After", "1");
        return false;
    }
    if (a->status) {
        arm_count(c->sb, "forced");
        arm_error(c->r, a->status, a->status >= 500 ? "InternalServerError" : "Forced",
                  "The server answers %u because it was told to.", a->status);
        return false;
    }
    return true;
}

static void common_headers(struct arm_call *c)
{
    char id[WORLD_UUID_LEN], correlation[WORLD_UUID_LEN];
    world_uuid(id), world_uuid(correlation);
    const char *asked = http_header(c->q, "x-ms-correlation-request-id");
    http_reply_header(c->r, "x-ms-request-id", "%s", id);
    http_reply_header(c->r, "x-ms-correlation-request-id", "%s", asked ? asked : correlation);
    http_reply_header(c->r, "x-ms-routing-request-id", "SANDBOX:20260101T000000Z:%s", id);
    const char *client = http_header(c->q, "x-ms-client-request-id");
    const char *back = http_header(c->q, "x-ms-return-client-request-id");
    if (client && back && strcasecmp(back, "true") == 0)
        http_reply_header(c->r, "x-ms-client-request-id", "%s", client);
    http_reply_header(c->r, "Cache-Control", "no-cache");
    http_reply_header(c->r, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    http_reply_header(c->r, "X-Content-Type-Options", "nosniff");
}

static bool scope_passes(struct arm_call *c, const char *sub, const char *group)
{
    if (*sub && !(c->subscription = world_subscription_find(&c->sb->world, sub))) {
        if (strlen(sub) == 36)
            arm_error(c->r, 404, "SubscriptionNotFound", "The subscription '%s' could not be found.", sub);
        else
            arm_error(c->r, 400, "InvalidSubscriptionId",
                      "The provided subscription identifier '%s' is malformed or invalid.", sub);
        return false;
    }
    if (!tenant_passes(c))
        return false;
    if (*group && !(c->group = world_group_find(&c->sb->world, sub, group))) {
        arm_error(c->r, 404, "ResourceGroupNotFound", "Resource group '%s' could not be found.", group);
        return false;
    }
    return true;
}

void arm_handle(struct sandbox *sb, const struct http_request *q, struct http_reply *r)
{
    struct arm_call c = {.sb = sb, .q = q, .r = r};
    char sub[100], group[100];
    const struct arm_route *t = route_find(&c, sub, group, sizeof sub);
    c.route = t;
    arm_count(sb, "total");
    arm_count(sb, t ? t->kind : "unknown");
    common_headers(&c);
    if (!token_passes(&c) || !claims_pass(&c) || !knobs_pass(&c)) {
        args_free(&c);
        return;
    }
    if (!http_query(q, "api-version"))
        arm_error(r, 400, "MissingApiVersionParameter",
                  "The api-version query parameter (?api-version=) is required for all requests.");
    else if (!t)
        arm_error(r, 404, "InvalidResourceType", "No call %s %s is known here.", q->method, q->path);
    else if (scope_passes(&c, sub, group) && arm_access_passes(&c) &&
             (t->handler == arm_graph || quota_arm_take(&c)) && !fault_refuses(&c))
        t->handler(&c);
    arm_write_note(&c);
    args_free(&c);
}

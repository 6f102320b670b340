/*
 * request: the flow of one request to ARM.
 *
 * Happy path: wait for a place, take a token (or wait for one), send, hand ARM's reply to the caller.
 * Failure modes: 429, 5xx and broken connections pause it and queue it again in front, if the deadline leaves
 * room for the pause, else the reply's error is told at once; a 401 tries once more with a new token, once
 * with one that has the claims that ARM asks for, and once with one of the tenant that it names; anything
 * else is told as it is. One deadline covers everything. A request between two tries holds no place.
 *
 *   QUEUED --place--> TOKEN --token--> SENDING --reply--> OVER
 *      ^                ^                |  |
 *      |                +------401-------+  |
 *      +---------PAUSED<--429, 5xx, broken--+
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "azure_private.h"
#include "base/log.h"
#include "base/mem.h"
#include "challenge.h"
#include "endpoint.h"

#define DEADLINE_DEFAULT_MS 30000u
#define TRY_MAX_MS 15000u /* of a repeatable request: a dead connection must leave time for another try */
#define URL_MAX 16384     /* signed operation URLs are 4 KiB and more */

static const struct log_ctx ctx = {.module = "azure"};

static void req_leave(struct azure_req *req)
{
    if (req->state == AZURE_REQ_TOKEN || req->state == AZURE_REQ_SENDING || req->state == AZURE_REQ_OVER)
        req->azure->places--;
    list_remove(&req->node);
}

static void req_free(struct azure_req *req)
{
    timer_stop(&req->deadline);
    timer_stop(&req->pause);
    token_cache_cancel(&req->wait);
    ready_cancel(&req->ready);
    if (req->http_req)
        http_cancel(req->http_req);
    mem_free(req->method);
    mem_free(req->url);
    mem_free(req->body);
    mem_free(req);
}

void azure_req_discard(struct azure_req *req)
{
    req_leave(req);
    req_free(req);
}

void azure_cancel(struct azure_req *req)
{
    struct azure *a = req->azure;
    azure_req_discard(req);
    azure_gate_pump(a);
}

/* Says which request failed, and by which id Azure knows it if it has seen it at all. */
static void name_request(const struct azure_req *req, struct err *err)
{
    const char *shown = req->url + req->shown_from;
    err_wrap(err, "ARM %s %.*s", req->method, text_path_len(shown), shown);
    if (err->code && req->sent_at)
        err_hint(err, " (client request id %s)", req->client_request_id);
}

/* Tells the caller; nothing of azure may be touched after it. */
static void finish(struct azure_req *req, const struct azure_reply *reply, struct err *err)
{
    azure_reply_cb cb = req->cb;
    void *arg = req->arg;
    struct azure *a = req->azure;
    char id[TEXT_GUID_SIZE];
    memcpy(id, req->client_request_id, sizeof(id));
    struct azure_reply told;
    if (reply) {
        told = *reply;
        told.client_request_id = id;
    }
    req_leave(req);
    req_free(req);
    azure_gate_pump(a);
    cb(arg, reply ? &told : NULL, err && err->code ? err : NULL);
}

static void on_ready(struct ready *r)
{
    struct azure_req *req = container_of(r, struct azure_req, ready);
    struct err err = req->outcome;
    name_request(req, &err);
    finish(req, NULL, &err);
}

/* It cannot go on, but the caller may be on the stack: tell later. The place is kept until then. */
static void fail_soon(struct azure_req *req)
{
    req->state = AZURE_REQ_OVER;
    ready_push(req->azure->ready, &req->ready);
}

static uint64_t time_left(const struct azure_req *req)
{
    uint64_t now = clock_now(req->azure->clock);
    return now < req->deadline_at ? req->deadline_at - now : 0;
}

static void on_reply(void *arg, const struct http_reply *reply, const struct err *err);

static int send_now(struct azure_req *req, const char *token, struct err *err)
{
    struct azure *a = req->azure;
    struct blob bearer = {0};
    char id[sizeof("x-ms-client-request-id: ") + TEXT_GUID_SIZE];
    uint64_t left = time_left(req), try_max = req->repeatable ? TRY_MAX_MS : UINT32_MAX;
    snprintf(id, sizeof(id), "x-ms-client-request-id: %s", req->client_request_id);
    if (blob_puts(&bearer, "Authorization: Bearer ") || blob_puts(&bearer, token)) {
        blob_done(&bearer);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    const char *headers[] = {bearer.data, id, "Accept: application/json", "Content-Type: application/json"};
    struct http_call call = {.method = req->method,
                             .url = req->url,
                             .headers = headers,
                             .header_count = req->body ? 4 : 3,
                             .body = req->body,
                             .body_len = req->body ? strlen(req->body) : 0,
                             .timeout_ms = (uint32_t)(left < try_max ? left + 1 : try_max),
                             .fresh = req->retry.failed > 0};
    int rc = http_send(a->http, &call, on_reply, req, &req->http_req, err);
    blob_done(&bearer);
    if (rc)
        return rc;
    req->state = AZURE_REQ_SENDING;
    req->sent_at = clock_now(a->clock);
    a->stats.requests++;
    return 0;
}

/* From a place of its own to the wire, or to waiting for a token. Never calls out. */
void azure_req_start(struct azure_req *req)
{
    struct azure *a = req->azure;
    int rc;
    req->state = AZURE_REQ_TOKEN;
    const char *learnt = tenants_get(a->tenants, req->url + req->shown_from);
    const char *tenant = learnt ? learnt : a->tenant;
    snprintf(req->token_tenant, sizeof(req->token_tenant), "%s", tenant ? tenant : "");
    const char *token = token_cache_peek(a->tokens, tenant, a->cloud.scope, &req->token_serial);
    if (token)
        rc = send_now(req, token, &req->outcome);
    else
        rc = token_cache_wait(a->tokens, tenant, a->cloud.scope, &req->wait, &req->outcome);
    if (rc)
        fail_soon(req);
}

static void on_token(struct token_wait *w, const struct err *err)
{
    struct azure_req *req = container_of(w, struct azure_req, wait);
    if (!err) {
        azure_req_start(req);
        return;
    }
    struct err why = *err;
    finish(req, NULL, &why);
}

static void log_reply(const struct azure_req *req, const struct http_reply *reply, const struct err *err)
{
    const char *shown = req->url + req->shown_from;
    const char *id = http_reply_header(reply, "x-ms-request-id");
    const char *correlation = http_reply_header(reply, "x-ms-correlation-request-id");
    const char *reads = http_reply_header(reply, "x-ms-ratelimit-remaining-subscription-global-reads");
    const char *resource = http_reply_header(reply, "x-ms-ratelimit-remaining-resource");
    const char *quota = http_reply_header(reply, "x-ms-user-quota-remaining");
    log_debug(&ctx,
              "%s %.*s: %d %s in %llu ms; client-request-id %s request-id %s correlation-id %s; remaining: "
              "reads %s, "
              "resource %s, graph %s",
              req->method, text_path_len(shown), shown, reply->status, err ? err->msg : "",
              (unsigned long long)(clock_now(req->azure->clock) - req->sent_at), req->client_request_id,
              id ? id : "-", correlation ? correlation : "-", reads ? reads : "-", resource ? resource : "-",
              quota ? quota : "-");
}

/* True when the request now pauses before it is tried again. */
static bool pause_before_retry(struct azure_req *req, const struct http_reply *reply, struct err *why)
{
    int64_t ms = retry_next(&req->retry, reply, req->repeatable);
    if (ms == RETRY_STOP)
        return false;
    if ((uint64_t)ms >= time_left(req)) {
        err_hint(why, "; it would have to wait %llu s more, which its deadline does not leave",
                 (unsigned long long)(ms + 999) / 1000);
        return false;
    }
    if (timer_start(&req->pause, (uint64_t)ms))
        return false;
    req_leave(req);
    req->state = AZURE_REQ_PAUSED;
    list_push(&req->azure->paused, &req->node);
    azure_gate_pump(req->azure);
    return true;
}

static void on_pause(struct timer *t)
{
    struct azure_req *req = container_of(t, struct azure_req, pause);
    list_remove(&req->node);
    req->state = AZURE_REQ_QUEUED;
    list_push_front(&req->azure->queued, &req->node);
    azure_gate_pump(req->azure);
}

/* A token that ARM refuses may lack claims, be of another tenant than the subscription, have been revoked, or
 * have outlived a sleep of this machine: one more try for each. */
static bool sign_in_again(struct azure_req *req, const struct http_reply *reply, const json_t *json)
{
    struct azure *a = req->azure;
    char tenant[CHALLENGE_TENANT_SIZE];
    const char *used = req->token_tenant[0] ? req->token_tenant : NULL;
    char *claims = challenge_claims(reply);
    bool again = false;
    if (reply->status != 401)
        return false;
    if (claims) {
        again = !req->claims_brought &&
                token_cache_challenge(a->tokens, used, a->cloud.scope, req->token_serial, claims) == 0;
        req->claims_brought = true;
    } else if (challenge_tenant(reply, json, tenant)) {
        again = !req->tenant_changed && !(used && strcasecmp(used, tenant) == 0);
        req->tenant_changed = true;
        if (again)
            tenants_learn(a->tenants, req->url + req->shown_from, tenant);
    } else {
        again = !req->signed_in_again;
        req->signed_in_again = true;
        if (again)
            token_cache_drop(a->tokens, used, a->cloud.scope, req->token_serial);
    }
    mem_free(claims);
    if (again)
        azure_req_start(req);
    return again;
}

static void on_reply(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct azure_req *req = arg;
    struct err why;
    err_clear(&why);
    req->http_req = NULL;
    log_reply(req, reply, err);
    json_t *json = reply->len ? json_loadb(reply->body, reply->len, 0, NULL) : NULL;
    if (reply->status == 429)
        req->azure->stats.throttled++;
    if (err) {
        err_copy(&why, err, ERR_UNAVAILABLE);
        if (reply->failure == HTTP_TIMED_OUT)
            why.code = time_left(req) ? ERR_UNAVAILABLE : ERR_TIMEOUT;
    } else if (reply->status < 200 || reply->status > 299) {
        azure_arm_error(&why, reply, json);
    } else if (reply->len && !json) {
        err_set(&why, ERR_PROTOCOL, "the answer (%d) is not JSON; is a proxy or another server in the way?",
                reply->status);
    }
    if (why.code && (sign_in_again(req, reply, json) || pause_before_retry(req, reply, &why))) {
        json_decref(json);
        return;
    }
    const char *id = http_reply_header(reply, "x-ms-request-id");
    struct azure_reply told = {.status = reply->status,
                               .json = json,
                               .request_id = id ? id : "",
                               .async_operation = http_reply_header(reply, "Azure-AsyncOperation"),
                               .location = http_reply_header(reply, "Location"),
                               .retry_after_s = retry_after_s(reply)};
    name_request(req, &why);
    finish(req, err ? NULL : &told, &why);
    json_decref(json);
}

static void on_deadline(struct timer *t)
{
    struct azure_req *req = container_of(t, struct azure_req, deadline);
    struct err err;
    const char *during = req->state == AZURE_REQ_TOKEN     ? "while signing in"
                         : req->state == AZURE_REQ_SENDING ? "waiting for the answer"
                                                           : "waiting for its turn";
    err_set(&err, ERR_TIMEOUT, "no answer within %u s (%s)", (req->deadline_ms + 999) / 1000, during);
    name_request(req, &err);
    finish(req, NULL, &err);
}

/* Doing it twice does no harm: every method but POST, and the POSTs by which ARM reads. */
static bool is_repeatable(const char *method, const char *path)
{
    static const char *const reads[] = {"/providers/microsoft.resourcegraph/resources",
                                        "/effectivenetworksecuritygroups"};
    size_t n = (size_t)text_path_len(path);
    if (strcmp(method, "POST") != 0)
        return true;
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
        if (n >= strlen(reads[i]) &&
            strncasecmp(path + n - strlen(reads[i]), reads[i], strlen(reads[i])) == 0)
            return true;
    return false;
}

static int check(const struct azure *a, const struct azure_call *call, struct err *err)
{
    size_t n = strnlen(call->path, URL_MAX);
    if (n >= URL_MAX)
        return err_set(err, ERR_INVAL, "ARM: a URL longer than %d characters", URL_MAX);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)call->path[i] <= 0x20 || (unsigned char)call->path[i] >= 0x7f)
            return err_set(err, ERR_INVAL, "ARM: a URL with characters that none may have");
    if (call->path[0] != '/' && !endpoint_owns(a->cloud.arm, call->path))
        return err_set(err, ERR_DENIED, "ARM: refused to send the token to %.*s, which is not %s",
                       text_path_len(call->path) < 200 ? text_path_len(call->path) : 200, call->path,
                       a->cloud.arm);
    return 0;
}

static int fill(struct azure_req *req, const struct azure_call *call)
{
    bool whole = call->path[0] != '/';
    const char *host = whole ? strstr(call->path, "://") : NULL;
    req->method = mem_strdup(call->method);
    req->url = whole ? mem_strdup(call->path) : mem_printf("%s%s", req->azure->cloud.arm, call->path);
    req->shown_from = whole && host ? (size_t)(host + 3 - call->path) + strcspn(host + 3, "/")
                                    : strlen(req->azure->cloud.arm);
    if (call->body) {
        size_t n = json_dumpb(call->body, NULL, 0, JSON_COMPACT);
        req->body = mem_zalloc(n + 1);
        if (req->body)
            json_dumpb(call->body, req->body, n, JSON_COMPACT);
    }
    if (!req->method || !req->url || (call->body && !req->body))
        return ERR_NOMEM;
    req->repeatable = is_repeatable(req->method, req->url + req->shown_from);
    text_guid(req->client_request_id);
    return timer_start(&req->deadline, req->deadline_ms);
}

int azure_send(struct azure *a, const struct azure_call *call, azure_reply_cb cb, void *arg,
               struct azure_req **out, struct err *err)
{
    int rc = check(a, call, err);
    if (rc)
        return rc;
    struct azure_req *req = mem_zalloc(sizeof(*req));
    if (!req)
        return err_set(err, ERR_NOMEM, "out of memory");
    req->azure = a;
    req->cb = cb;
    req->arg = arg;
    req->deadline_ms = call->deadline_ms ? call->deadline_ms : DEADLINE_DEFAULT_MS;
    req->deadline_at = clock_now(a->clock) + req->deadline_ms;
    list_init(&req->node);
    ready_init(&req->ready, on_ready);
    token_wait_init(&req->wait, on_token);
    timer_init(&req->deadline, a->clock, on_deadline);
    timer_init(&req->pause, a->clock, on_pause);
    if (fill(req, call)) {
        req_free(req);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    req->state = AZURE_REQ_QUEUED;
    list_push(&a->queued, &req->node);
    *out = req;
    azure_gate_pump(a);
    return 0;
}

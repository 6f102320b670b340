/*
 * metadata: the flow of one question to a metadata service.
 *
 * Happy path: GET, hand the answer on. Statuses that pass and broken connections are tried again with
 * back-off until the deadline; when it leaves no room, the last answer is handed on. A probe is tried once:
 * most machines have no such service, and their users wait.
 *
 *   ASKING --answer--> done
 *     ^        |
 *     +-WAITING+  (404, 408, 410, 429, 5xx; broken connections)
 */
#include "metadata.h"

#include <string.h>

#include "base/mem.h"
#include "retry.h"

#define TRY_MAX_MS 10000u
#define BASE_MS 800u
#define CAP_MS 16000u
#define TRIES_MAX 6
#define HEADERS_MAX 4

struct metadata_req {
    struct metadata_call call;
    char *url;
    char *headers[HEADERS_MAX];
    struct http_req *http_req; /* NULL while it waits */
    struct timer pause;
    uint64_t deadline_at;
    unsigned tries;
    metadata_cb cb;
    void *arg;
};

static void req_free(struct metadata_req *req)
{
    timer_stop(&req->pause);
    if (req->http_req)
        http_cancel(req->http_req);
    for (size_t i = 0; i < HEADERS_MAX; i++)
        if (req->headers[i])
            mem_free_secret(req->headers[i], strlen(req->headers[i]));
    mem_free(req->url);
    mem_free(req);
}

void metadata_cancel(struct metadata_req *req)
{
    req_free(req);
}

static void finish(struct metadata_req *req, const struct http_reply *reply, const struct err *err)
{
    metadata_cb cb = req->cb;
    void *arg = req->arg;
    req_free(req);
    cb(arg, reply, err);
}

static uint64_t time_left(const struct metadata_req *req)
{
    uint64_t now = clock_now(req->call.clock);
    return now < req->deadline_at ? req->deadline_at - now : 0;
}

static bool passes(int status)
{
    return status == 404 || status == 408 || status == 410 || status == 429 || status >= 500;
}

/* Milliseconds until the next try, or RETRY_STOP. */
static int64_t pause_of(struct metadata_req *req, const struct http_reply *reply)
{
    unsigned nth = req->tries++;
    uint64_t ms = (uint64_t)BASE_MS << nth;
    if (req->call.probe || nth + 1 >= TRIES_MAX || reply->failure == HTTP_NOT_TRUSTED ||
        reply->failure == HTTP_IMPOSSIBLE)
        return RETRY_STOP;
    if (reply->failure == HTTP_ANSWERED && !passes(reply->status))
        return RETRY_STOP;
    long asked = reply->failure == HTTP_ANSWERED ? retry_after_s(reply) : -1;
    return asked >= 0 ? asked * 1000 : (int64_t)clock_jitter(ms < CAP_MS ? ms : CAP_MS, 20);
}

static void on_reply(void *arg, const struct http_reply *reply, const struct err *err);

static int try_once(struct metadata_req *req, struct err *err)
{
    uint64_t left = time_left(req), most = req->call.probe ? METADATA_PROBE_MS : TRY_MAX_MS;
    struct http_call call = {.method = "GET",
                             .url = req->url,
                             .headers = (const char *const *)req->headers,
                             .header_count = req->call.header_count,
                             .timeout_ms = (uint32_t)(left < most ? left + 1 : most),
                             .local = true};
    return http_send(req->call.http, &call, on_reply, req, &req->http_req, err);
}

static void on_reply(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct metadata_req *req = arg;
    struct err why;
    err_clear(&why);
    req->http_req = NULL;
    int64_t pause = pause_of(req, reply);
    if (pause != RETRY_STOP && (uint64_t)pause < time_left(req) &&
        timer_start(&req->pause, (uint64_t)pause) == 0)
        return;
    if (err && req->call.probe && err->code != ERR_NOMEM)
        err_set(&why, ERR_NOTFOUND, "nobody answers at %.*s", (int)strcspn(req->url, "?"), req->url);
    else if (err)
        err_copy(&why, err, ERR_UNAVAILABLE);
    finish(req, err ? NULL : reply, err ? &why : NULL);
}

static void on_pause(struct timer *t)
{
    struct metadata_req *req = container_of(t, struct metadata_req, pause);
    struct err err;
    err_clear(&err);
    if (try_once(req, &err))
        finish(req, NULL, &err);
}

static int copy_texts(struct metadata_req *req, const struct metadata_call *call)
{
    req->url = mem_strdup(call->url);
    for (size_t i = 0; i < call->header_count; i++) {
        req->headers[i] = mem_strdup(call->headers[i]);
        if (!req->headers[i])
            return ERR_NOMEM;
    }
    return req->url ? 0 : ERR_NOMEM;
}

int metadata_send(const struct metadata_call *call, metadata_cb cb, void *arg, struct metadata_req **out,
                  struct err *err)
{
    struct metadata_req *req = mem_zalloc(sizeof(*req));
    if (!req)
        return err_set(err, ERR_NOMEM, "out of memory");
    timer_init(&req->pause, call->clock, on_pause);
    req->call = *call;
    req->cb = cb;
    req->arg = arg;
    req->deadline_at = clock_now(call->clock) + call->deadline_ms;
    int rc = call->header_count > HEADERS_MAX ? err_set(err, ERR_LIMIT, "too many headers")
             : copy_texts(req, call)          ? err_set(err, ERR_NOMEM, "out of memory")
                                              : try_once(req, err);
    if (rc)
        req_free(req);
    else
        *out = req;
    return rc;
}

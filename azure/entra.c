/*
 * entra: the flow of one token request.
 *
 * Happy path: POST the form, take the token out of the reply, call back. 429, 5xx and broken connections are
 * tried again by retry.h's rules while the deadline leaves room; what Entra refuses (4xx) ends it at once.
 *
 *   SENDING --answer--> done
 *      ^        |
 *      +-WAITING+  (429, 5xx, connection)
 */
#include "entra.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "retry.h"

#define TRY_MAX_MS 15000

enum entra_state { ENTRA_SENDING, ENTRA_WAITING };

struct entra_req {
    enum entra_state state;
    struct entra_call call; /* its tenant, form and cloud are copies of our own: */
    char *tenant;
    struct azure_cloud cloud;
    struct blob form;
    struct http_req *http_req;
    struct timer pause, deadline;
    uint64_t deadline_at;
    struct retry retry;
    entra_cb cb;
    void *arg;
};

static void req_free(struct entra_req *req)
{
    timer_stop(&req->pause);
    timer_stop(&req->deadline);
    if (req->http_req)
        http_cancel(req->http_req);
    blob_done(&req->form);
    mem_free(req->tenant);
    mem_free(req);
}

void entra_cancel(struct entra_req *req)
{
    req_free(req);
}

static void finish(struct entra_req *req, struct token *token, const struct err *err)
{
    entra_cb cb = req->cb;
    void *arg = req->arg;
    req_free(req);
    cb(arg, token, err);
    if (token)
        token_done(token);
}

static uint64_t time_left(const struct entra_req *req)
{
    uint64_t now = clock_now(req->call.clock);
    return now < req->deadline_at ? req->deadline_at - now : 0;
}

void entra_url(char out[ENTRA_URL_MAX], const struct azure_cloud *cloud, const char *tenant, const char *leaf)
{
    snprintf(out, ENTRA_URL_MAX, "%s/%s/oauth2/v2.0/%s", cloud->login, tenant, leaf);
}

static void on_reply(void *arg, const struct http_reply *reply, const struct err *err);

static int try_once(struct entra_req *req, struct err *err)
{
    static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded",
                                          "Accept: application/json"};
    char url[ENTRA_URL_MAX];
    uint64_t left = time_left(req);
    entra_url(url, &req->cloud, req->tenant, "token");
    struct http_call call = {.method = "POST",
                             .url = url,
                             .headers = headers,
                             .header_count = 2,
                             .body = req->form.data,
                             .body_len = req->form.len,
                             .timeout_ms = (uint32_t)(left > TRY_MAX_MS ? TRY_MAX_MS : left + 1),
                             .fresh = req->retry.failed > 0};
    req->state = ENTRA_SENDING;
    return http_send(req->call.http, &call, on_reply, req, &req->http_req, err);
}

static void on_reply(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct entra_req *req = arg;
    struct token token = {0};
    struct err why;
    err_clear(&why);
    req->http_req = NULL;
    log_debug(&(struct log_ctx){.module = "azure"}, "token request for tenant %s: status %d", req->tenant,
              reply->status);
    int64_t pause = retry_next(&req->retry, reply, true);
    if (pause != RETRY_STOP && (uint64_t)pause < time_left(req) &&
        timer_start(&req->pause, (uint64_t)pause) == 0) {
        req->state = ENTRA_WAITING;
        return;
    }
    if (err) {
        err_copy(&why, err, ERR_UNAVAILABLE);
        err_wrap(&why, "sign-in");
    } else {
        entra_reply_parse(&req->call, reply, &token, &why);
    }
    finish(req, why.code ? NULL : &token, why.code ? &why : NULL);
}

static void on_pause(struct timer *t)
{
    struct entra_req *req = container_of(t, struct entra_req, pause);
    struct err err;
    err_clear(&err);
    if (try_once(req, &err)) {
        err_wrap(&err, "sign-in");
        finish(req, NULL, &err);
    }
}

static void on_deadline(struct timer *t)
{
    struct entra_req *req = container_of(t, struct entra_req, deadline);
    struct err err;
    err_set(&err, ERR_TIMEOUT, "sign-in: %s did not answer within %u s", req->cloud.login,
            (req->call.deadline_ms + 999) / 1000);
    finish(req, NULL, &err);
}

int entra_send(const struct entra_call *call, entra_cb cb, void *arg, struct entra_req **out, struct err *err)
{
    int rc = entra_tenant_check(call->tenant, call->tenant_from, err);
    if (rc)
        return rc;
    struct entra_req *req = mem_zalloc(sizeof(*req));
    if (!req)
        return err_set(err, ERR_NOMEM, "out of memory");
    timer_init(&req->pause, call->clock, on_pause);
    timer_init(&req->deadline, call->clock, on_deadline);
    req->call = *call;
    req->cloud = *call->cloud;
    req->tenant = mem_strdup(call->tenant);
    req->call.cloud = &req->cloud;
    req->call.tenant = req->tenant;
    req->call.form = &req->form;
    req->cb = cb;
    req->arg = arg;
    req->deadline_at = clock_now(call->clock) + call->deadline_ms;
    if (!req->tenant || blob_add(&req->form, call->form->data, call->form->len) ||
        timer_start(&req->deadline, call->deadline_ms))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    else
        rc = try_once(req, err);
    if (rc) {
        req_free(req);
        return rc;
    }
    *out = req;
    return 0;
}

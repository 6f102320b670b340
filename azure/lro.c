/*
 * lro: begins an operation and polls it to its end.
 *
 *   BEGINNING ──202 or 201 with a URL──▶ POLLING ──Succeeded──▶ cb(result)
 *       │                                │  ▲  └──Failed, Canceled──▶ cb(err)
 *       └──final at once──▶ cb(result)   └──┘ InProgress: after Retry-After, or a pause that grows
 *
 * Failure modes: ARM refuses to begin (as azure_send says it); a poll that gets no answer, or is throttled,
 * is one pause more, for the operation itself goes on; the deadline passes (the last state is told).
 */
#include "lro.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "azure_private.h"
#include "base/mem.h"

#define DEADLINE_DEFAULT_MS 600000u
#define POLL_DEADLINE_MS 30000u
#define PAUSE_FIRST_MS 2000u
#define PAUSE_MAX_MS 15000u
#define PAUSE_LEAST_MS 100u
#define STATE_SIZE 64

enum lro_poll { LRO_STATUS, LRO_LOCATION, LRO_RESOURCE };

struct azure_lro {
    struct azure *azure;
    struct azure_req *req;
    struct timer pause;
    enum lro_poll poll;
    bool put;
    char *url; /* what is polled; of a PUT the resource, until ARM names something better */
    char state[STATE_SIZE];
    struct err why; /* of the last poll, when it got no answer */
    uint64_t deadline_at;
    uint32_t deadline_ms, pause_ms;
    azure_lro_cb cb;
    void *arg;
};

static void lro_free(struct azure_lro *l)
{
    timer_stop(&l->pause);
    mem_free(l->url);
    mem_free(l);
}

static void finish(struct azure_lro *l, const json_t *result, const struct err *err)
{
    azure_lro_cb cb = l->cb;
    void *arg = l->arg;
    lro_free(l);
    cb(arg, err ? NULL : result, err);
}

static void fail(struct azure_lro *l, int code, const char *text)
{
    struct err why = {0};
    err_set(&why, code, "ARM: %s", text);
    finish(l, NULL, &why);
}

static uint64_t time_left(const struct azure_lro *l)
{
    uint64_t now = clock_now(l->azure->clock);
    return now < l->deadline_at ? l->deadline_at - now : 0;
}

static void on_polled(void *arg, const struct azure_reply *reply, const struct err *err);

static void on_pause(struct timer *t)
{
    struct azure_lro *l = container_of(t, struct azure_lro, pause);
    struct err why = {0};
    uint64_t left = time_left(l);
    if (left == 0) {
        err_set(&why, ERR_TIMEOUT, "ARM: the operation was not done within %u s (%s); it goes on in Azure",
                l->deadline_ms / 1000, l->why.code ? l->why.msg : l->state);
        finish(l, NULL, &why);
        return;
    }
    struct azure_call call = {.method = "GET",
                              .path = l->url,
                              .deadline_ms = left < POLL_DEADLINE_MS ? (uint32_t)left : POLL_DEADLINE_MS};
    if (azure_send(l->azure, &call, on_polled, l, &l->req, &why) < 0)
        finish(l, NULL, &why);
}

/* Retry-After says when to come back; without one the pauses grow. */
static void pause_then_poll(struct azure_lro *l, long retry_after_s)
{
    uint64_t ms = retry_after_s < 0 ? l->pause_ms : (uint64_t)retry_after_s * 1000;
    uint64_t left = time_left(l);
    if (retry_after_s < 0)
        l->pause_ms = l->pause_ms * 3 / 2 < PAUSE_MAX_MS ? l->pause_ms * 3 / 2 : PAUSE_MAX_MS;
    if (ms < PAUSE_LEAST_MS)
        ms = PAUSE_LEAST_MS;
    if (timer_start(&l->pause, ms < left ? ms : left) < 0)
        fail(l, ERR_NOMEM, "out of memory");
}

static bool follow(struct azure_lro *l, enum lro_poll poll, const char *url)
{
    char *copy = mem_strdup(url);
    if (!copy)
        return false;
    mem_free(l->url);
    l->url = copy;
    l->poll = poll;
    return true;
}

static const char *state_in(const struct azure_lro *l, const json_t *doc)
{
    const json_t *where = l->poll == LRO_RESOURCE ? json_object_get(doc, "properties") : doc;
    const char *key = l->poll == LRO_RESOURCE ? "provisioningState" : "status";
    return json_string_value(json_object_get(where, key));
}

/* ARM's own words, from {"error":{"code","message"}}. */
static void failed(struct azure_lro *l, const char *state, const json_t *doc)
{
    struct err why = {0};
    const json_t *error = json_object_get(doc, "error");
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));
    err_set(&why, ERR_UNAVAILABLE, "ARM: the operation ended as %s: %s%s%s", state, code ? code : "no reason",
            message ? ": " : " is given", message ? message : "");
    finish(l, NULL, &why);
}

static void judge(struct azure_lro *l, const json_t *doc, long retry_after_s)
{
    const char *state = state_in(l, doc);
    /* A resource without a state is there, and that is all. */
    if (state ? strcasecmp(state, "Succeeded") == 0 : l->poll == LRO_RESOURCE) {
        finish(l, doc, NULL);
    } else if (!state) {
        fail(l, ERR_PROTOCOL, "the state of the operation is missing in the answer");
    } else if (strcasecmp(state, "Failed") == 0 || strcasecmp(state, "Canceled") == 0) {
        failed(l, state, doc);
    } else {
        snprintf(l->state, sizeof l->state, "%s", state);
        pause_then_poll(l, retry_after_s);
    }
}

static void on_polled(void *arg, const struct azure_reply *reply, const struct err *err)
{
    struct azure_lro *l = arg;
    l->req = NULL;
    l->why.code = 0;
    if (err && (err->code == ERR_UNAVAILABLE || err->code == ERR_TIMEOUT || err->code == ERR_THROTTLED)) {
        l->why = *err;
        pause_then_poll(l, reply ? reply->retry_after_s : -1);
    } else if (err) {
        finish(l, NULL, err);
    } else if (l->poll != LRO_LOCATION) {
        judge(l, reply->json, reply->retry_after_s);
    } else if (reply->status != 202) {
        finish(l, reply->json, NULL);
    } else if (reply->location && !follow(l, LRO_LOCATION, reply->location)) {
        fail(l, ERR_NOMEM, "out of memory");
    } else {
        pause_then_poll(l, reply->retry_after_s);
    }
}

static void on_begun(void *arg, const struct azure_reply *reply, const struct err *err)
{
    struct azure_lro *l = arg;
    l->req = NULL;
    if (err) {
        finish(l, NULL, err);
        return;
    }
    bool status = reply->async_operation != NULL, location = reply->status == 202 && reply->location;
    if (status || location) {
        if (follow(l, status ? LRO_STATUS : LRO_LOCATION, status ? reply->async_operation : reply->location))
            pause_then_poll(l, reply->retry_after_s);
        else
            fail(l, ERR_NOMEM, "out of memory");
    } else if (l->put) {
        l->poll = LRO_RESOURCE;
        judge(l, reply->json, reply->retry_after_s);
    } else if (reply->status == 202) {
        fail(l, ERR_PROTOCOL, "the operation was begun, but the answer does not say where to follow it");
    } else {
        finish(l, reply->json, NULL);
    }
}

int azure_lro_start(struct azure *a, const struct azure_call *call, azure_lro_cb cb, void *arg,
                    struct azure_lro **out, struct err *err)
{
    struct azure_lro *l = mem_zalloc(sizeof *l);
    if (!l)
        return err_set(err, ERR_NOMEM, "out of memory");
    l->azure = a;
    l->cb = cb;
    l->arg = arg;
    l->put = strcmp(call->method, "PUT") == 0;
    l->pause_ms = PAUSE_FIRST_MS;
    l->deadline_ms = call->deadline_ms ? call->deadline_ms : DEADLINE_DEFAULT_MS;
    l->deadline_at = clock_now(a->clock) + l->deadline_ms;
    timer_init(&l->pause, a->clock, on_pause);
    struct azure_call first = *call;
    first.deadline_ms = l->deadline_ms < POLL_DEADLINE_MS ? l->deadline_ms : POLL_DEADLINE_MS;
    l->url = mem_strdup(call->path);
    int rc =
        l->url ? azure_send(a, &first, on_begun, l, &l->req, err) : err_set(err, ERR_NOMEM, "out of memory");
    if (rc < 0) {
        lro_free(l);
        return rc;
    }
    *out = l;
    return 0;
}

void azure_lro_cancel(struct azure_lro *l)
{
    if (l->req)
        azure_cancel(l->req);
    lro_free(l);
}

/*
 * lro: keeps operations, answers polls at both of their URLs.
 *
 * The URLs carry a signature of 4 KB, as the platform's do, and are refused when it is not returned as it
 * was.
 */
#include "lro.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "fault.h"
#include "sandbox.h"
#include "services.h"

#define KEPT_MAX 500
#define SIGNATURE_BYTES 2100

static void signature(const struct lro *o, char out[2 * SIGNATURE_BYTES + 1])
{
    unsigned char bytes[SIGNATURE_BYTES];
    uint64_t seed = 0;
    for (const char *p = o->id; *p; p++)
        seed = seed * 131 + (unsigned char)*p;
    services_stream((seed & 0xffffffff) * 8, bytes, sizeof bytes);
    for (unsigned i = 0; i < SIGNATURE_BYTES; i++)
        snprintf(out + (size_t)2 * i, 3, "%02x", bytes[i]);
}

static void lro_free(struct lro *o)
{
    list_remove(&o->node);
    json_decref(o->input);
    json_decref(o->output);
    json_decref(o->location);
    mem_free(o);
}

static void on_closed(uv_handle_t *h)
{
    lro_free(h->data);
}

static void oldest_drop(struct sandbox *sb)
{
    struct lro *o;
    if (list_count(&sb->lros) < KEPT_MAX)
        return;
    list_each(o, &sb->lros, struct lro, node)
    {
        if (!o->done || uv_is_closing((uv_handle_t *)&o->timer))
            continue;
        uv_close((uv_handle_t *)&o->timer, on_closed);
        return;
    }
}

static void on_due(uv_timer_t *t)
{
    struct lro *o = t->data;
    if (o->hung)
        return;
    if (!*o->told_code) {
        o->work(o);
        return;
    }
    if (o->spoil)
        o->spoil(o);
    o->done = true;
    o->ended = time(NULL);
    snprintf(o->error_code, sizeof o->error_code, "%s", o->told_code);
    snprintf(o->error, sizeof o->error, "%s", o->told);
}

static void url_header(struct arm_call *c, const struct lro *o, const char *header)
{
    char sign[2 * SIGNATURE_BYTES + 1];
    bool location = strcmp(header, "Location") == 0;
    signature(o, sign);
    http_reply_header(
        c->r, header,
        "%s/subscriptions/%s/providers/Microsoft.%s/locations/%s/%s/%s?p=sandbox&%sapi-version=%s&t=%s",
        c->sb->http.base, o->subscription, o->network ? "Network" : "Compute", o->region,
        o->network && location ? "operationResults" : "operations", o->id,
        !o->network && location ? "monitor=true&" : "", http_query(c->q, "api-version"), sign);
}

static struct lro *under_way(struct sandbox *sb, const void *target)
{
    struct lro *o;
    list_each(o, &sb->lros, struct lro, node)
    {
        if (target && o->target == target && !o->done)
            return o;
    }
    return NULL;
}

struct lro *lro_new(struct arm_call *c, enum lro_form form, struct vm *vm, const void *target,
                    lro_work_cb work)
{
    const struct lro *other = under_way(c->sb, target);
    if (other) {
        fault_busy(c, other->id);
        return NULL;
    }
    oldest_drop(c->sb);
    struct lro *o = mem_zalloc(sizeof *o);
    if (!o) {
        arm_error(c->r, 503, "ServiceUnavailable", "The sandbox is out of memory.");
        return NULL;
    }
    o->sb = c->sb;
    o->vm = vm;
    o->work = work;
    o->kind = c->route->kind;
    o->target = target;
    o->subscription = c->subscription->id;
    o->network = strcasestr(c->q->path, "/Microsoft.Network/") != NULL;
    snprintf(o->region, sizeof o->region, "%s", vm ? vm->location : "westeurope");
    o->began = time(NULL);
    world_uuid(o->id);
    list_push(&c->sb->lros, &o->node);
    uv_timer_init(&c->sb->loop, &o->timer);
    o->timer.data = o;
    uv_timer_start(&o->timer, on_due, c->sb->world.file->operation_ms, 0);
    c->r->status = 202;
    if (form != LRO_RESULT)
        url_header(c, o, "Azure-AsyncOperation");
    if (form != LRO_PUT)
        url_header(c, o, "Location");
    http_reply_header(c->r, "Retry-After", "1");
    fault_plan(o);
    return o;
}

void lro_finish(struct lro *o, const struct err *err)
{
    o->done = true;
    o->ended = time(NULL);
    if (!err || !err->code)
        return;
    snprintf(o->error_code, sizeof o->error_code, "InternalExecutionError");
    snprintf(o->error, sizeof o->error, "%.399s", err->msg);
}

unsigned lro_release(struct sandbox *sb, const char *kind, const struct vm *vm)
{
    unsigned count = 0;
    struct lro *o;
    list_each(o, &sb->lros, struct lro, node)
    {
        if (!o->hung || (kind && strcmp(kind, o->kind) != 0) || (vm && vm != o->vm))
            continue;
        o->hung = false;
        count++;
        if (!uv_is_active((uv_handle_t *)&o->timer)) /* its time has passed */
            uv_timer_start(&o->timer, on_due, 0, 0);
    }
    return count;
}

void lro_all_close(struct sandbox *sb)
{
    struct lro *o;
    list_each(o, &sb->lros, struct lro, node) if (!uv_is_closing((uv_handle_t *)&o->timer))
        uv_close((uv_handle_t *)&o->timer, on_closed);
}

static json_t *when(time_t t)
{
    char text[40];
    struct tm tm;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.0000000+00:00", gmtime_r(&t, &tm));
    return json_string(text);
}

static void location_answer(struct arm_call *c, const struct lro *o)
{
    if (!o->done) {
        c->r->status = 202;
        url_header(c, o, "Location");
        http_reply_header(c->r, "Retry-After", "1");
    } else if (*o->error) {
        arm_error(c->r, 409, o->error_code, "%s", o->error);
    } else {
        c->r->status = o->network && !o->location ? 204 : 200;
        c->r->body = json_incref(o->location);
    }
}

static void status_answer(struct arm_call *c, const struct lro *o)
{
    bool canceled = strcmp(o->error_code, "Canceled") == 0;
    const char *status = !o->done ? "InProgress" : canceled ? "Canceled" : *o->error ? "Failed" : "Succeeded";
    json_t *j = json_pack("{s:o,s:s,s:s}", "startTime", when(o->began), "status", status, "name", o->id);
    if (o->done)
        json_object_set_new(j, "endTime", when(o->ended));
    else
        http_reply_header(c->r, "Retry-After", "1");
    if (o->done && *o->error)
        json_object_set_new(j, "error", json_pack("{s:s,s:s}", "code", o->error_code, "message", o->error));
    if (o->done && o->output)
        json_object_set_new(j, "properties", json_pack("{s:O}", "output", o->output));
    c->r->body = j;
}

void arm_operation_get(struct arm_call *c)
{
    struct lro *o;
    list_each(o, &c->sb->lros, struct lro, node)
    {
        if (strcasecmp(o->id, c->args[1]) != 0)
            continue;
        char sign[2 * SIGNATURE_BYTES + 1];
        const char *t = http_query(c->q, "t"), *monitor = http_query(c->q, "monitor");
        bool result = strcasestr(c->q->path, "/operationResults/") != NULL;
        signature(o, sign);
        if (!t || strcmp(t, sign) != 0)
            arm_error(c->r, 403, "InvalidSignature",
                      "The URL of the operation is not the one that was given out.");
        else if (result || (monitor && strcmp(monitor, "true") == 0))
            location_answer(c, o);
        else
            status_answer(c, o);
        return;
    }
    arm_error(c->r, 404, "NotFound", "The entity was not found: operation %s.", c->args[1]);
}

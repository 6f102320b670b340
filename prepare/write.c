/*
 * write: begins a long-running operation, again and again while ARM says that another one is in the way.
 *
 *   TRYING ──done──▶ cb(result)
 *     │  ▲ └──any other error──▶ cb(err)
 *     │  └──pause is over──┐
 *     └──409, 429: busy──▶ PAUSED ──the deadline leaves no room for it──▶ cb(err)
 *
 * Azure lets one operation at a time change a VM, a network interface, an NSG; a Run Command takes half a
 * minute. Pauses are jittered, so that two who met do not meet again.
 */
#include "write.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "azure/reason.h"
#include "base/list.h"
#include "base/mem.h"

#define PAUSE_FIRST_MS 4000u
#define PAUSE_MAX_MS 20000u
#define PAUSE_JITTER 40 /* percent */
#define DEADLINE_DEFAULT_MS 600000u

struct write {
    struct azure *azure;
    struct clock *clock;
    struct azure_lro *lro; /* while trying */
    struct timer pause;
    char *method, *path;
    json_t *body;
    uint64_t began_at, deadline_at;
    uint32_t pause_ms;
    azure_lro_cb cb;
    void *arg;
};

static void write_free(struct write *w)
{
    timer_stop(&w->pause);
    mem_free(w->method);
    mem_free(w->path);
    json_decref(w->body);
    mem_free(w);
}

static void finish(struct write *w, const json_t *result, const struct err *err)
{
    azure_lro_cb cb = w->cb;
    void *arg = w->arg;
    write_free(w);
    cb(arg, result, err);
}

static void on_done(void *arg, const json_t *result, const struct err *err)
{
    struct write *w = arg;
    w->lro = NULL;
    if (!err || !(azure_error_busy(err) || err->code == ERR_THROTTLED)) {
        finish(w, result, err);
        return;
    }
    uint64_t now = clock_now(w->clock), ms = clock_jitter(w->pause_ms, PAUSE_JITTER);
    w->pause_ms = w->pause_ms * 3 / 2 < PAUSE_MAX_MS ? w->pause_ms * 3 / 2 : PAUSE_MAX_MS;
    struct err why = *err;
    if (now + ms < w->deadline_at && timer_start(&w->pause, ms) == 0)
        return;
    err_hint(&why,
             "; for %llu s another operation was in the way: see what is being done to it, and try again",
             (unsigned long long)((now - w->began_at + 999) / 1000));
    finish(w, NULL, &why);
}

static int begin(struct write *w, struct err *err)
{
    uint64_t now = clock_now(w->clock);
    struct azure_call call = {.method = w->method,
                              .path = w->path,
                              .body = w->body,
                              .deadline_ms = now < w->deadline_at ? (uint32_t)(w->deadline_at - now) : 1};
    return azure_lro_start(w->azure, &call, on_done, w, &w->lro, err);
}

static void on_pause(struct timer *t)
{
    struct write *w = container_of(t, struct write, pause);
    struct err why = {0};
    if (begin(w, &why) < 0)
        finish(w, NULL, &why);
}

int write_start(struct write **out, struct azure *azure, struct clock *clock, const struct azure_call *call,
                azure_lro_cb cb, void *arg, struct err *err)
{
    struct write *w = mem_zalloc(sizeof(*w));
    if (!w)
        return err_set(err, ERR_NOMEM, "out of memory");
    w->azure = azure;
    w->clock = clock;
    w->cb = cb;
    w->arg = arg;
    w->pause_ms = PAUSE_FIRST_MS;
    w->began_at = clock_now(clock);
    w->deadline_at = w->began_at + (call->deadline_ms ? call->deadline_ms : DEADLINE_DEFAULT_MS);
    w->method = mem_strdup(call->method);
    w->path = mem_strdup(call->path);
    w->body = json_incref(call->body);
    timer_init(&w->pause, clock, on_pause);
    int rc = w->method && w->path ? begin(w, err) : err_set(err, ERR_NOMEM, "out of memory");
    if (rc < 0) {
        write_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

void write_cancel(struct write *w)
{
    if (w->lro)
        azure_lro_cancel(w->lro);
    write_free(w);
}

void write_note(const struct write *w, char *out, size_t size)
{
    out[0] = 0;
    if (!timer_active(&w->pause))
        return;
    uint64_t now = clock_now(w->clock), due = w->pause.due_ms;
    snprintf(out, size, "another operation is in the way, next try in %llu s",
             (unsigned long long)(due > now ? (due - now + 999) / 1000 : 0));
}

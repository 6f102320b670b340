/*
 * ops_power: the operations "start" and "deallocate": several VMs at once, each with an outcome of its own.
 */
#include "args.h"
#include "base/mem.h"
#include "job.h"
#include "naming.h"
#include "ops.h"
#include "vm_deallocate.h"
#include "vm_start.h"

#define TIMEOUT_MS (10 * 60 * 1000)
#define TICK_MS 1000
#define VMS_MAX 64 /* of one request */

struct power_item {
    struct power_job *job;
    char *typed; /* as the user wrote it: the name in the answer */
    struct named_vm named;
    struct vm_start *start;
    struct vm_deallocate *deallocate;
    bool changed;
    struct err err;
};

struct power_job {
    struct job job;
    bool off;
    uint32_t timeout_ms;
    uint64_t began_at;
    struct timer tick;
    size_t left, count;
    struct power_item items[];
};

static void power_free(struct power_job *p)
{
    timer_stop(&p->tick);
    for (size_t i = 0; i < p->count; i++) {
        struct power_item *item = &p->items[i];
        if (item->start)
            vm_start_cancel(item->start);
        if (item->deallocate)
            vm_deallocate_cancel(item->deallocate);
        config_vm_free(item->named.vm);
        mem_free(item->typed);
    }
    mem_free(p);
}

static void on_drop(struct job *j)
{
    power_free(container_of(j, struct power_job, job));
}

static json_t *describe(const struct power_job *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->count; i++) {
        const struct power_item *item = &p->items[i];
        json_t *one = json_pack("{s:o, s:b}", "vm", control_text(item->typed), "changed", item->changed);
        if (item->err.code)
            json_object_set_new(one, "error", control_err_to_json(&item->err));
        json_array_append_new(list, one);
    }
    return json_pack("{s:o}", "vms", list);
}

static void check_done(struct power_job *p)
{
    if (p->left > 0)
        return;
    job_ok(&p->job, describe(p));
    power_free(p);
}

static void done(struct power_item *item, bool changed, const struct err *err)
{
    struct power_job *p = item->job;
    item->changed = changed && !err;
    err_copy(&item->err, err, 0);
    if (!err && p->count > 1)
        control_progress(p->job.req, "%s: %s", item->typed, p->off ? "deallocated" : "runs");
    p->left--;
    check_done(p);
}

static void on_started(void *arg, bool started, const struct err *err)
{
    struct power_item *item = arg;
    item->start = NULL;
    done(item, started, err);
}

static void on_deallocated(void *arg, bool changed, const struct err *err)
{
    struct power_item *item = arg;
    item->deallocate = NULL;
    done(item, changed, err);
}

static void on_tick(struct timer *t)
{
    struct power_job *p = container_of(t, struct power_job, tick);
    const struct daemon *d = p->job.d;
    unsigned seconds = (unsigned)((clock_now(d->clock) - p->began_at) / 1000);
    timer_start(&p->tick, TICK_MS);
    for (size_t i = 0; i < p->count; i++) {
        const struct power_item *item = &p->items[i];
        if (!item->start && !item->deallocate)
            continue;
        const char *text = item->start ? vm_start_text(item->start) : vm_deallocate_text(item->deallocate);
        if (p->left > 1)
            control_progress(p->job.req, "%s: %s, and %zu more (%u s)", item->typed, text, p->left - 1,
                             seconds);
        else
            control_progress(p->job.req, "%s: %s (%u s)", item->typed, text, seconds);
        return;
    }
}

static int begin_one(struct power_job *p, struct power_item *item)
{
    struct daemon *d = p->job.d;
    int rc = naming_find(d, item->typed, NULL, &item->named, &item->err);
    if (rc < 0)
        return rc;
    if (p->off)
        return vm_deallocate_begin(&item->deallocate, d, item->named.vm, p->timeout_ms, on_deallocated, item,
                                   &item->err);
    return vm_start_begin(&item->start, d, item->named.vm, p->timeout_ms, on_started, item, &item->err);
}

static struct power_job *new_job(const json_t *names)
{
    size_t count = json_array_size(names);
    struct power_job *p = mem_zalloc(sizeof *p + count * sizeof p->items[0]);
    if (!p)
        return NULL;
    p->count = p->left = count;
    for (size_t i = 0; i < count; i++) {
        p->items[i].job = p;
        p->items[i].typed = mem_strdup(json_string_value(json_array_get(names, i)));
        if (!p->items[i].typed) {
            for (size_t k = 0; k < i; k++)
                mem_free(p->items[k].typed);
            mem_free(p);
            return NULL;
        }
    }
    return p;
}

static void run(struct daemon *d, struct control_request *req, const json_t *args, bool off)
{
    struct err err = {0};
    json_t *names = NULL;
    uint32_t timeout_ms = TIMEOUT_MS;

    if (args_texts(args, "vms", VMS_MAX, &names, &err) < 0 ||
        args_u32(args, "timeout_ms", 1, UINT32_MAX, &timeout_ms, &err) < 0) {
        ops_refuse(req, &err);
        return;
    }
    if (json_array_size(names) == 0) {
        err_set(&err, ERR_INVAL, "\"vms\" must be given");
        ops_refuse(req, &err);
        return;
    }
    struct power_job *p = new_job(names);
    if (!p) {
        ops_no_memory(req);
        return;
    }
    p->off = off;
    p->timeout_ms = timeout_ms;
    p->began_at = clock_now(d->clock);
    timer_init(&p->tick, d->clock, on_tick);
    job_begin(&p->job, d, req, on_drop);
    timer_start(&p->tick, TICK_MS);
    for (size_t i = 0; i < p->count; i++)
        if (begin_one(p, &p->items[i]) < 0)
            p->left--;
    check_done(p);
}

void op_start(struct daemon *d, struct control_request *req, const json_t *args)
{
    run(d, req, args, false);
}

void op_deallocate(struct daemon *d, struct control_request *req, const json_t *args)
{
    run(d, req, args, true);
}

/*
 * ops_forward: the operation "forward": adds forwards to a VM, all of them or none, for ever or as long as
 * the client stays.
 *
 *   ADDING ──all listen, VM up──► detached: answered, done
 *      │                     └──► attached: event; then until the client goes, or somebody ends the forwards
 * (attach.c) └─first failure──► answered with it; what was added is taken away, what is still to come as soon
 * as it is there
 *
 * VM and forwards are asked for in one go, so that a port in use shows at once and not after the VM is up.
 */
#include <string.h>

#include "args.h"
#include "attach.h"
#include "base/mem.h"
#include "forward_args.h"
#include "ops.h"
#include "truth.h"

#define TIMEOUT_MS 60000

static json_t *describe_item(const struct forward_item *item)
{
    const struct forward_end *t = &item->spec.target;
    char *target = t->path ? mem_strdup(t->path)
                   : t->host
                       ? mem_printf(strchr(t->host, ':') ? "[%s]:%u" : "%s:%u", t->host, (unsigned)t->port)
                       : NULL;
    json_t *json = json_pack("{s:s, s:o, s:o, s:o}", "kind", forward_args_kind_name(item->spec.kind), "spec",
                             control_text(item->spec.text), "target", control_text(target), "listening",
                             control_text(item->listening));
    mem_free(target);
    return json;
}

static json_t *describe(const struct forward_job *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < f->count; i++)
        json_array_append_new(list, describe_item(&f->items[i]));
    return json_pack("{s:o, s:o}", "vm", control_text(f->vm->alias), "forwards", list);
}

static void fail(struct forward_job *f, const struct err *err)
{
    job_err(&f->job, err);
    attach_release(f);
}

static void check_done(struct forward_job *f)
{
    if (f->pending > 0 || f->up_req)
        return;
    if (f->detach) {
        job_ok(&f->job, describe(f));
        attach_free(f);
        return;
    }
    f->attached = true;
    f->watch.patient = true;
    control_event(f->job.req, describe(f));
}

static void on_added(void *arg, const char *listening, const struct err *err)
{
    struct forward_item *item = arg;
    struct forward_job *f = item->job;

    f->pending--;
    item->added = !err;
    if (!err)
        item->listening = mem_strdup(listening ? listening : item->spec.text);
    if (!f->job.req) /* nobody waits any more: what has come is to go again */
        attach_release(f);
    else if (err)
        fail(f, err);
    else
        check_done(f);
}

static void on_up(void *arg, const struct err *err)
{
    struct forward_job *f = arg;
    f->up_req = NULL;
    if (err)
        fail(f, err);
    else
        check_done(f);
}

static void begin(struct forward_job *f, struct named_vm *named)
{
    struct daemon *d = f->job.d;
    struct err err = {0};

    f->vm = named->vm;
    int rc = proxy_vm_up(d->proxy, f->vm, named->adhoc, f->timeout_ms, on_up, f, &f->up_req, &err);
    for (size_t i = 0; rc == 0 && i < f->count; i++) {
        rc = proxy_forward_add(d->proxy, f->vm->alias, &f->items[i].spec, f->timeout_ms, on_added,
                               &f->items[i], NULL, &err);
        f->pending += rc == 0;
    }
    if (rc < 0)
        fail(f, &err);
    else
        progress_watch_begin(&f->watch, &f->job, f->vm->alias);
}

static void on_found(void *arg, struct named_vm *named, const struct err *err)
{
    struct forward_job *f = arg;
    f->find = NULL;
    if (err)
        fail(f, err);
    else
        begin(f, named);
}

static struct forward_job *new_job(struct forward_args *forwards)
{
    struct forward_job *f = mem_zalloc(sizeof *f + forwards->count * sizeof f->items[0]);
    if (!f)
        return NULL;
    f->count = forwards->count;
    for (size_t i = 0; i < f->count; i++) {
        f->items[i].job = f;
        f->items[i].spec = forwards->specs[i];
    }
    forwards->count = 0; /* the specs are the job's now */
    return f;
}

void op_forward(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    const char *vm = NULL;
    bool detach = false;
    uint32_t timeout_ms = TIMEOUT_MS;
    struct named_vm named = {0};
    struct forward_args forwards;

    if (args_text(args, "vm", true, &vm, &err) < 0 || args_bool(args, "detach", &detach, &err) < 0 ||
        args_u32(args, "timeout_ms", 1, UINT32_MAX, &timeout_ms, &err) < 0 ||
        forward_args_parse(&forwards, args, &err) < 0) {
        ops_refuse(req, &err);
        return;
    }
    struct forward_job *f = new_job(&forwards);
    if (!f) {
        forward_args_done(&forwards);
        ops_no_memory(req);
        return;
    }
    f->detach = detach;
    f->timeout_ms = timeout_ms;
    int rc = truth_find_start(&f->find, d, vm, &named, on_found, f, &err);
    if (rc < 0) {
        list_init(&f->job.node);
        attach_free(f);
        ops_refuse(req, &err);
        return;
    }
    job_begin(&f->job, d, req, attach_drop);
    if (rc == 1)
        begin(f, &named);
}

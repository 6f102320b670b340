/*
 * attach: forwards that belong to a client, from their request to whoever ends them.
 */
#include "attach.h"

#include <strings.h>

#include "base/mem.h"
#include "truth.h"

void attach_free(struct forward_job *f)
{
    progress_watch_end(&f->watch);
    list_remove(&f->job.node);
    for (size_t i = 0; i < f->count; i++) {
        forward_spec_done(&f->items[i].spec);
        mem_free(f->items[i].listening);
    }
    config_vm_free(f->vm);
    mem_free(f);
}

static void on_nobody_waits(void *arg, const struct err *err)
{
}

static void cancel_item(struct forward_job *f, struct forward_item *item)
{
    struct daemon *d = f->job.d;
    struct err err = {0};

    item->added = false;
    if (proxy_forward_cancel(d->proxy, f->vm->alias, &item->spec, on_nobody_waits, NULL, NULL, &err) < 0)
        log_warn(&DAEMON_LOG, "cannot cancel forward %s of %s: %s", item->spec.text, f->vm->alias, err.msg);
}

static void release_orphan(struct job *j)
{
    attach_free(container_of(j, struct forward_job, job));
}

void attach_release(struct forward_job *f)
{
    struct daemon *d = f->job.d;

    progress_watch_end(&f->watch);
    if (f->find)
        truth_find_cancel(f->find);
    f->find = NULL;
    if (f->up_req)
        proxy_cancel(f->up_req);
    f->up_req = NULL;
    for (size_t i = 0; i < f->count && !d->ending; i++)
        if (f->items[i].added)
            cancel_item(f, &f->items[i]);
    if (f->pending == 0)
        attach_free(f);
    else if (list_empty(&f->job.node)) /* what is still being added must be cancelled when it is there */
        job_orphan(&f->job, release_orphan);
}

void attach_drop(struct job *j)
{
    attach_release(container_of(j, struct forward_job, job));
}

static bool is_meant(const struct forward_item *item, const struct forward_spec *spec)
{
    return item->added &&
           (!spec || (item->spec.kind == spec->kind && forward_spec_same_listener(&item->spec, spec)));
}

static void forget(struct forward_job *f, const struct forward_spec *spec, const char *who)
{
    size_t left = 0, ended = 0;
    struct err err = {0};

    for (size_t i = 0; i < f->count; i++) {
        if (is_meant(&f->items[i], spec)) {
            f->items[i].added = false;
            control_progress(f->job.req, "forward %s was ended by %s", f->items[i].spec.text, who);
            ended++;
        }
        left += f->items[i].added;
    }
    if (ended == 0 || left > 0)
        return;
    err_set(&err, ERR_CANCELED, "ended by %s", who);
    job_err(&f->job, &err);
    attach_free(f);
}

void attach_forget(struct daemon *d, const char *alias, const struct forward_spec *spec, const char *who)
{
    struct job *j;
    list_each(j, &d->jobs, struct job, node)
    {
        if (j->drop != attach_drop)
            continue;
        struct forward_job *f = container_of(j, struct forward_job, job);
        if (f->attached && strcasecmp(f->vm->alias, alias) == 0)
            forget(f, spec, who);
    }
}

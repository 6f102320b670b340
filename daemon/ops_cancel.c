/*
 * ops_cancel: the operation "cancel": ends forwards of a VM, whoever added them.
 */
#include "args.h"
#include "attach.h"
#include "base/mem.h"
#include "forward_args.h"
#include "naming.h"
#include "ops.h"

struct cancel_item {
    struct cancel_job *job;
    struct forward_spec spec;
    struct proxy_req *req;
};

struct cancel_job {
    struct job job;
    char *alias;
    struct err err; /* the first failure */
    size_t left, count;
    struct cancel_item items[];
};

static void cancel_free(struct cancel_job *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->items[i].req)
            proxy_cancel(c->items[i].req);
        forward_spec_done(&c->items[i].spec);
    }
    mem_free(c->alias);
    mem_free(c);
}

static void on_drop(struct job *j)
{
    cancel_free(container_of(j, struct cancel_job, job));
}

static void check_done(struct cancel_job *c)
{
    if (c->left > 0)
        return;
    if (c->err.code)
        job_err(&c->job, &c->err);
    else
        job_ok(&c->job, json_pack("{s:o}", "vm", control_text(c->alias)));
    cancel_free(c);
}

static void on_canceled(void *arg, const struct err *err)
{
    struct cancel_item *item = arg;
    struct cancel_job *c = item->job;

    item->req = NULL;
    c->left--;
    if (!err)
        attach_forget(c->job.d, c->alias, &item->spec, "`adit cancel`");
    else if (!c->err.code)
        c->err = *err;
    check_done(c);
}

static struct cancel_job *new_job(struct forward_args *forwards, const char *alias)
{
    struct cancel_job *c = mem_zalloc(sizeof *c + forwards->count * sizeof c->items[0]);
    char *copy = mem_strdup(alias);
    if (!c || !copy) {
        mem_free(c);
        mem_free(copy);
        return NULL;
    }
    c->alias = copy;
    c->count = c->left = forwards->count;
    for (size_t i = 0; i < c->count; i++) {
        c->items[i].job = c;
        c->items[i].spec = forwards->specs[i];
    }
    forwards->count = 0;
    return c;
}

static void begin(struct cancel_job *c)
{
    struct daemon *d = c->job.d;
    for (size_t i = 0; i < c->count; i++) {
        struct cancel_item *item = &c->items[i];
        struct err err = {0};
        if (proxy_forward_cancel(d->proxy, c->alias, &item->spec, on_canceled, item, &item->req, &err) < 0) {
            c->left--;
            if (!c->err.code)
                c->err = err;
        }
    }
    check_done(c);
}

void op_cancel(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    const char *vm = NULL;
    struct named_vm named = {0};
    struct forward_args forwards;

    if (args_text(args, "vm", true, &vm, &err) < 0 || forward_args_parse(&forwards, args, &err) < 0) {
        ops_refuse(req, &err);
        return;
    }
    struct cancel_job *c = NULL;
    if (naming_find(d, vm, NULL, &named, &err) == 0) {
        c = new_job(&forwards, named.vm->alias);
        if (!c)
            err_set(&err, ERR_NOMEM, "aditd is out of memory");
    }
    config_vm_free(named.vm);
    if (!c) {
        forward_args_done(&forwards);
        ops_refuse(req, &err);
        return;
    }
    job_begin(&c->job, d, req, on_drop);
    begin(c);
}

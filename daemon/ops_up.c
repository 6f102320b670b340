/*
 * ops_up: the operations "up" and "down": VMs wanted and not wanted, each with an outcome of its own.
 */
#include <string.h>

#include "args.h"
#include "attach.h"
#include "base/mem.h"
#include "naming.h"
#include "ops.h"
#include "progress.h"
#include "truth.h"

#define TIMEOUT_MS 60000

struct vms_item {
    struct vms_job *job;
    char *typed; /* as the user wrote it: the name in the answer */
    struct named_vm named;
    struct truth_find *find;
    struct proxy_req *req;
    struct progress_watch watch;
    struct err err;
};

struct vms_job {
    struct job job;
    bool down;
    bool wait;
    uint32_t timeout_ms;
    size_t left, count;
    struct vms_item items[];
};

static void vms_free(struct vms_job *v)
{
    for (size_t i = 0; i < v->count; i++) {
        struct vms_item *item = &v->items[i];
        if (item->find)
            truth_find_cancel(item->find);
        if (item->req)
            proxy_cancel(item->req);
        progress_watch_end(&item->watch);
        config_vm_free(item->named.vm);
        mem_free(item->typed);
    }
    mem_free(v);
}

static void on_drop(struct job *j)
{
    vms_free(container_of(j, struct vms_job, job));
}

static json_t *describe(const struct vms_job *v)
{
    json_t *list = json_array();
    for (size_t i = 0; i < v->count; i++) {
        json_t *item = json_pack("{s:o}", "vm", control_text(v->items[i].typed));
        if (v->items[i].err.code)
            json_object_set_new(item, "error", control_err_to_json(&v->items[i].err));
        if (!v->down && v->items[i].named.vm && v->items[i].named.vm->note)
            json_object_set_new(item, "note", control_text(v->items[i].named.vm->note));
        json_array_append_new(list, item);
    }
    return json_pack("{s:o}", "vms", list);
}

static void check_done(struct vms_job *v)
{
    if (v->left > 0)
        return;
    job_ok(&v->job, describe(v));
    vms_free(v);
}

static void on_done(void *arg, const struct err *err)
{
    struct vms_item *item = arg;
    struct vms_job *v = item->job;

    item->req = NULL;
    v->left--;
    progress_watch_end(&item->watch);
    err_copy(&item->err, err, 0);
    if (v->down && !err)
        attach_forget(v->job.d, item->named.vm->alias, NULL, "`adit down`");
    check_done(v);
}

static int take_down(struct vms_job *v, struct vms_item *item)
{
    struct daemon *d = v->job.d;
    int rc = naming_find(d, item->typed, NULL, &item->named, &item->err);
    return rc < 0 ? rc
                  : proxy_vm_down(d->proxy, item->named.vm->alias, on_done, item, &item->req, &item->err);
}

static int bring_up(struct vms_job *v, struct vms_item *item)
{
    int rc = proxy_vm_up(v->job.d->proxy, item->named.vm, item->named.adhoc, v->timeout_ms, on_done, item,
                         &item->req, &item->err);
    if (rc == 0 && !v->wait) { /* it goes on without us */
        proxy_cancel(item->req);
        item->req = NULL;
        v->left--;
    } else if (rc == 0) {
        progress_watch_begin(&item->watch, &v->job, item->named.vm->alias);
    }
    return rc;
}

static void on_found(void *arg, struct named_vm *named, const struct err *err)
{
    struct vms_item *item = arg;
    struct vms_job *v = item->job;

    item->find = NULL;
    err_copy(&item->err, err, 0);
    if (named)
        item->named = *named;
    if (err || bring_up(v, item) < 0)
        v->left--;
    check_done(v);
}

static int start(struct vms_job *v, struct vms_item *item)
{
    if (v->down)
        return take_down(v, item);
    int rc = truth_find_start(&item->find, v->job.d, item->typed, &item->named, on_found, item, &item->err);
    return rc == 1 ? bring_up(v, item) : rc;
}

static void begin(struct vms_job *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (start(v, &v->items[i]) < 0)
            v->left--;
    check_done(v);
}

/* The names given, or, with `all`, every alias of the configuration. NULL when out of memory. */
static struct vms_job *new_job(const struct daemon *d, const json_t *names, bool all)
{
    size_t count = all ? d->config->vm_count - d->config->hop_count : json_array_size(names);
    struct vms_job *v = mem_zalloc(sizeof *v + count * sizeof v->items[0]);
    if (!v)
        return NULL;
    v->count = v->left = count;
    for (size_t i = 0; i < count; i++) {
        v->items[i].job = v;
        v->items[i].typed =
            mem_strdup(all ? d->config->vms[i].alias : json_string_value(json_array_get(names, i)));
        if (!v->items[i].typed) {
            vms_free(v);
            return NULL;
        }
    }
    return v;
}

static void run(struct daemon *d, struct control_request *req, const json_t *args, bool down)
{
    struct err err = {0};
    json_t *names = NULL;
    bool all = false, wait = true;
    uint32_t timeout_ms = TIMEOUT_MS;

    if (args_texts(args, "vms", CONFIG_VMS_MAX, &names, &err) < 0 || args_bool(args, "all", &all, &err) < 0 ||
        args_bool(args, "wait", &wait, &err) < 0 ||
        args_u32(args, "timeout_ms", 1, UINT32_MAX, &timeout_ms, &err) < 0) {
        ops_refuse(req, &err);
        return;
    }
    if ((json_array_size(names) == 0) != all) {
        err_set(&err, ERR_INVAL, "either \"vms\" or \"all\" must be given");
        ops_refuse(req, &err);
        return;
    }
    struct vms_job *v = new_job(d, names, all);
    if (!v) {
        ops_no_memory(req);
        return;
    }
    v->down = down;
    v->wait = wait;
    v->timeout_ms = timeout_ms;
    job_begin(&v->job, d, req, on_drop);
    begin(v);
}

void op_up(struct daemon *d, struct control_request *req, const json_t *args)
{
    run(d, req, args, false);
}

void op_down(struct daemon *d, struct control_request *req, const json_t *args)
{
    run(d, req, args, true);
}

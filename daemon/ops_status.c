/*
 * ops_status: the operation "status": what is going on, of every VM or of some.
 */
#include <strings.h>

#include "args.h"
#include "base/mem.h"
#include "job.h"
#include "naming.h"
#include "ops.h"
#include "status_json.h"

struct status_job {
    struct job job;
    struct proxy_req *req;
    json_t *aliases; /* owned; NULL = every VM */
};

static void status_free(struct status_job *j)
{
    if (j->req)
        proxy_cancel(j->req);
    json_decref(j->aliases);
    mem_free(j);
}

static void on_drop(struct job *job)
{
    status_free(container_of(job, struct status_job, job));
}

static const struct proxy_vm_status *find(const struct proxy_status *status, const char *alias)
{
    for (size_t i = 0; i < status->vm_count; i++)
        if (strcasecmp(status->vms[i].alias, alias) == 0)
            return &status->vms[i];
    return NULL;
}

static int collect(const struct status_job *j, const struct proxy_status *status, json_t *vms,
                   struct err *err)
{
    if (!j->aliases) {
        for (size_t i = 0; i < status->vm_count; i++)
            json_array_append_new(vms, status_json_vm(&status->vms[i]));
        return 0;
    }
    for (size_t i = 0; i < json_array_size(j->aliases); i++) {
        const char *alias = json_string_value(json_array_get(j->aliases, i));
        const struct proxy_vm_status *vm = find(status, alias);
        if (!vm)
            return err_set(err, ERR_NOTFOUND, "vm %s: no such VM here: `adit status` lists those there are",
                           alias);
        json_array_append_new(vms, status_json_vm(vm));
    }
    return 0;
}

static void on_status(void *arg, const struct proxy_status *status, const struct err *failure)
{
    struct status_job *j = arg;
    struct err err = {0};
    json_t *vms = json_array();

    j->req = NULL;
    err_copy(&err, failure, 0);
    if (!err.code && collect(j, status, vms, &err) == 0) {
        job_ok(&j->job, json_pack("{s:o, s:o}", "daemon", status_json_daemon(j->job.d, status), "vms", vms));
    } else {
        json_decref(vms);
        job_err(&j->job, &err);
    }
    status_free(j);
}

/* What was typed as the aliases that the proxy knows. */
static int find_aliases(const struct daemon *d, const json_t *names, json_t **out, struct err *err)
{
    if (json_array_size(names) == 0)
        return 0;
    *out = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        struct named_vm named = {0};
        int rc = naming_find(d, json_string_value(json_array_get(names, i)), NULL, &named, err);
        if (rc < 0)
            return rc;
        json_array_append_new(*out, control_text(named.vm->alias));
        config_vm_free(named.vm);
    }
    return 0;
}

void op_status(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    json_t *names = NULL, *aliases = NULL;

    if (args_texts(args, "vms", CONFIG_VMS_MAX, &names, &err) < 0 ||
        find_aliases(d, names, &aliases, &err) < 0) {
        json_decref(aliases);
        ops_refuse(req, &err);
        return;
    }
    struct status_job *j = mem_zalloc(sizeof *j);
    if (!j) {
        json_decref(aliases);
        ops_no_memory(req);
        return;
    }
    j->aliases = aliases;
    job_begin(&j->job, d, req, on_drop);
    if (proxy_status(d->proxy, on_status, j, &j->req, &err) < 0) {
        job_err(&j->job, &err);
        status_free(j);
    }
}

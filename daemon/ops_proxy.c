/*
 * ops_proxy: the operation "proxy": a connected descriptor to a VM's port.
 */
#include "args.h"
#include "base/mem.h"
#include "job.h"
#include "naming.h"
#include "ops.h"

#define TIMEOUT_MS 30000

struct dial_job {
    struct job job;
    struct config_vm *vm;
    struct proxy_req *req;
};

static void dial_free(struct dial_job *j)
{
    if (j->req)
        proxy_cancel(j->req);
    config_vm_free(j->vm);
    mem_free(j);
}

static void on_drop(struct job *job)
{
    dial_free(container_of(job, struct dial_job, job));
}

static void on_dialled(void *arg, int fd, const struct err *err)
{
    struct dial_job *j = arg;
    j->req = NULL;
    if (err)
        job_err(&j->job, err);
    else
        job_fd(&j->job, json_pack("{s:o}", "vm", control_text(j->vm->alias)), fd);
    dial_free(j);
}

void op_proxy(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    const char *host = NULL;
    uint32_t port = 0, timeout_ms = TIMEOUT_MS;
    struct named_vm named = {0};

    if (args_text(args, "host", true, &host, &err) < 0 ||
        args_u32(args, "port", 1, UINT16_MAX, &port, &err) < 0 ||
        args_u32(args, "timeout_ms", 1, UINT32_MAX, &timeout_ms, &err) < 0 ||
        naming_find(d, host, NULL, &named, &err) < 0) {
        ops_refuse(req, &err);
        return;
    }
    struct dial_job *j = mem_zalloc(sizeof *j);
    if (!j || port == 0) {
        config_vm_free(named.vm);
        mem_free(j);
        err_set(&err, j ? ERR_INVAL : ERR_NOMEM, j ? "\"port\" must be given" : "aditd is out of memory");
        ops_refuse(req, &err);
        return;
    }
    j->vm = named.vm;
    job_begin(&j->job, d, req, on_drop);
    if (proxy_dial(d->proxy, j->vm, (uint16_t)port, timeout_ms, on_dialled, j, &j->req, &err) < 0) {
        job_err(&j->job, &err);
        dial_free(j);
    }
}

/*
 * ops: the table of operations and the way from a request to its handler.
 */
#include "ops.h"

#include <string.h>

#include "job.h"

static const struct {
    const char *name;
    op_cb run;
    bool while_ending; /* answered even when the daemon is on its way out */
} OPS[] = {
    {"up", op_up, false},
    {"down", op_down, false},
    {"forward", op_forward, false},
    {"cancel", op_cancel, false},
    {"status", op_status, false},
    {"resolve", op_resolve, false},
    {"host-keys", op_host_keys, false},
    {"proxy", op_proxy, false},
    {"reload", op_reload, false},
    {"config", op_config, true},
    {"doctor", op_doctor, false},
    {"prepare", op_prepare, false},
    {"start", op_start, false},
    {"deallocate", op_deallocate, false},
    {"login", op_login, false},
    {"logout", op_logout, false},
    {"version", op_version, true},
    {"stop", op_stop, true},
    {"environment", op_environment, true},
    {"log-level", op_log_level, true},
};

void ops_refuse(struct control_request *req, const struct err *err)
{
    control_reply_err(req, err);
}

void ops_no_memory(struct control_request *req)
{
    struct err err = {0};
    err_set(&err, ERR_NOMEM, "aditd is out of memory");
    control_reply_err(req, &err);
}

void ops_request(void *daemon, struct control_request *req, const char *op, json_t *args)
{
    struct daemon *d = daemon;
    struct err err = {0};

    for (size_t i = 0; i < sizeof OPS / sizeof OPS[0]; i++) {
        if (strcmp(OPS[i].name, op) != 0)
            continue;
        if (d->ending && !OPS[i].while_ending) {
            err_set(&err, ERR_UNAVAILABLE, "aditd is ending; try again in a moment");
            control_reply_err(req, &err);
        } else {
            OPS[i].run(d, req, args);
        }
        return;
    }
    err_set(&err, ERR_UNSUPPORTED, "aditd %s knows no operation \"%s\"", ADIT_VERSION, op);
    control_reply_err(req, &err);
}

void ops_gone(void *daemon, struct control_request *req)
{
    job_gone(req);
}

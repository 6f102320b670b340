/*
 * attach: forwards that belong to a client, from their request to whoever ends them.
 */
#ifndef ADIT_DAEMON_ATTACH_H
#define ADIT_DAEMON_ATTACH_H

#include "progress.h"

struct forward_job;

struct forward_item {
    struct forward_job *job;
    struct forward_spec spec;
    char *listening; /* where, once it does */
    bool added;      /* it is there, and ours to cancel */
};

/* One `forward` request. */
struct forward_job {
    struct job job;
    struct truth_find *find;
    struct config_vm *vm; /* owned; NULL until it is found */
    uint32_t timeout_ms;
    bool detach;
    bool attached; /* its event has been sent: it holds its forwards as long as the client is there */
    struct proxy_req *up_req;
    struct progress_watch watch;
    size_t pending; /* callbacks of proxy_forward_add still to come */
    size_t count;
    struct forward_item items[];
};

/* After the request has been answered with a failure, or its client has gone: cancels what was added, and
 * what is still to be added once it is; frees the job, now or then. */
void attach_release(struct forward_job *f);
void attach_drop(struct job *j); /* the job_drop_cb of a forward_job */
void attach_free(struct forward_job *f);

/* Somebody else ended this forward (spec NULL: every forward) of the VM: tells its owner, if it has one. */
void attach_forget(struct daemon *d, const char *alias, const struct forward_spec *spec, const char *who);

#endif

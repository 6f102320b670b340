/*
 * job: a request that is answered later, and what happens when its client does not wait for the answer.
 *
 * Embedded first in what an operation keeps while it is under way. Once answered or dropped, a job has no
 * request (req is NULL); its owner may live on to clean up what is still coming.
 */
#ifndef ADIT_DAEMON_JOB_H
#define ADIT_DAEMON_JOB_H

#include "daemon_private.h"

struct job;
/* The request is over without an answer from its owner: cancel what is under way, free the job (or make it an
 * orphan). */
typedef void (*job_drop_cb)(struct job *j);

struct job {
    struct list node; /* of the daemon's jobs, or of its orphans */
    struct daemon *d;
    struct control_request *req;
    job_drop_cb drop;
};

void job_begin(struct job *j, struct daemon *d, struct control_request *req, job_drop_cb drop);
/* Answer; the owner frees the job afterwards. data's reference is taken over. */
void job_ok(struct job *j, json_t *data);
void job_fd(struct job *j, json_t *data, int fd);
void job_err(struct job *j, const struct err *err);

/* Without a request, but callbacks of the proxy are still to come: kept until the owner frees it, or until
 * the proxy is closed; then `release` frees it. */
void job_orphan(struct job *j, job_drop_cb release);
void job_free_orphans(struct daemon *d);

void job_gone(struct control_request *req); /* the client went */
void job_end_all(struct daemon *d, const struct err *err);

#endif

/*
 * job: a request that is answered later, and what happens when its client does not wait for the answer.
 */
#include "job.h"

#include <assert.h>

void job_begin(struct job *j, struct daemon *d, struct control_request *req, job_drop_cb drop)
{
    j->d = d;
    j->req = req;
    j->drop = drop;
    list_push(&d->jobs, &j->node);
    control_request_set_data(req, j);
}

static struct control_request *take_request(struct job *j)
{
    struct control_request *req = j->req;
    assert(req);
    j->req = NULL;
    list_remove(&j->node);
    control_request_set_data(req, NULL);
    return req;
}

void job_ok(struct job *j, json_t *data)
{
    control_reply_ok(take_request(j), data);
}

void job_fd(struct job *j, json_t *data, int fd)
{
    control_reply_fd(take_request(j), data, fd);
}

void job_err(struct job *j, const struct err *err)
{
    control_reply_err(take_request(j), err);
}

void job_orphan(struct job *j, job_drop_cb release)
{
    j->drop = release;
    list_push(&j->d->orphans, &j->node);
}

void job_free_orphans(struct daemon *d)
{
    struct list *node;
    while ((node = list_pop(&d->orphans))) {
        struct job *j = container_of(node, struct job, node);
        j->drop(j);
    }
}

void job_gone(struct control_request *req)
{
    struct job *j = control_request_data(req);
    if (!j)
        return;
    take_request(j);
    j->drop(j);
}

void job_end_all(struct daemon *d, const struct err *err)
{
    struct list *first;
    while ((first = list_first(&d->jobs))) {
        struct job *j = container_of(first, struct job, node);
        struct control_request *req = take_request(j);
        j->drop(j);
        control_reply_err(req, err);
    }
}

/*
 * call: one request of adit's from its line to its answer, with progress and events on the way.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "client_private.h"
#include "peer.h"

#define CANCEL_MS 2000 /* for the daemon to confirm that a request has ended */

/* Asks for the end of the request and reads what comes until it is answered; the connection stays usable. */
static void cancel(struct control_client *c, json_int_t id)
{
    uint64_t deadline = client_deadline(CANCEL_MS);
    size_t len = 0;
    char *line = codec_cancel_line(id, &len);
    if (!line || client_send(c, line, len, deadline, NULL) < 0) {
        mem_free(line);
        return;
    }
    mem_free(line);
    for (bool answered = false; !answered;) {
        struct codec_daemon m;
        if (client_line(c, deadline, false, &line, &len, NULL) < 0 ||
            codec_parse_daemon(&m, line, len, NULL) < 0)
            return;
        if (m.kind == CODEC_OK && m.fd) {
            int fd = client_claim_fd(c);
            if (fd >= 0)
                close(fd);
        }
        answered = m.id == id && (m.kind == CODEC_OK || m.kind == CODEC_ERROR);
        codec_daemon_done(&m);
    }
}

static int finish_ok(struct control_client *c, const struct codec_daemon *m, struct json_t **data, int *fd,
                     struct err *err)
{
    int got = m->fd ? client_claim_fd(c) : -1;

    if (m->fd && got < 0)
        return err_set(err, ERR_PROTOCOL, "aditd's answer came without its descriptor");
    if (data)
        *data = json_is_null(m->data) ? NULL : json_incref(m->data);
    if (fd)
        *fd = got;
    else if (got >= 0)
        close(got);
    return 0;
}

/* 1: the request is over, *rc says how. 0: it goes on. */
static int handle(struct control_client *c, json_int_t id, const struct codec_daemon *m,
                  const struct control_watch *watch, struct json_t **data, int *fd, int *rc, struct err *err)
{
    if (m->id != id && m->id != 0)
        return 0; /* of a request that we gave up */
    switch (m->kind) {
    case CODEC_PROGRESS:
        if (watch->progress)
            watch->progress(watch->arg, m->progress);
        return 0;
    case CODEC_EVENT:
        if (watch->event)
            watch->event(watch->arg, m->data);
        return 0;
    case CODEC_OK:
        *rc = finish_ok(c, m, data, fd, err);
        return 1;
    case CODEC_ERROR:
        *rc = err_copy(err, &m->err, ERR_PROTOCOL);
        return 1;
    }
    return 0;
}

static int wait_answer(struct control_client *c, json_int_t id, uint64_t deadline,
                       const struct control_watch *watch, struct json_t **data, int *fd, struct err *err)
{
    for (;;) {
        struct codec_daemon m;
        char *line;
        size_t len;
        int done = 0, rc = client_line(c, deadline, true, &line, &len, err);
        if (rc == ERR_CANCELED || rc == ERR_TIMEOUT)
            cancel(c, id);
        if (rc == 0)
            rc = codec_parse_daemon(&m, line, len, err);
        if (rc < 0)
            return rc;
        done = handle(c, id, &m, watch, data, fd, &rc, err);
        codec_daemon_done(&m);
        if (done)
            return rc;
    }
}

int control_call_watch(struct control_client *c, const char *op, struct json_t *args, uint32_t timeout_ms,
                       const struct control_watch *watch, struct json_t **data, int *fd, struct err *err)
{
    static const struct control_watch nothing = {0};
    uint64_t deadline = client_deadline(timeout_ms);
    json_int_t id = c->next_id++;
    size_t len = 0;

    if (data)
        *data = NULL;
    if (fd)
        *fd = -1;
    char *line = codec_request_line(id, op, args, &len);
    json_decref(args);
    if (!line)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = len <= CONTROL_REQUEST_LINE_MAX
                 ? client_send(c, line, len, deadline, err)
                 : err_set(err, ERR_LIMIT, "the request is longer than %u bytes", CONTROL_REQUEST_LINE_MAX);
    mem_free(line);
    if (rc == 0)
        rc = wait_answer(c, id, deadline, watch ? watch : &nothing, data, fd, err);
    return rc;
}

int control_call(struct control_client *c, const char *op, struct json_t *args, uint32_t timeout_ms,
                 control_progress_cb progress, void *progress_arg, struct json_t **data, int *fd,
                 struct err *err)
{
    struct control_watch watch = {.progress = progress, .arg = progress_arg};
    return control_call_watch(c, op, args, timeout_ms, &watch, data, fd, err);
}

int control_hand_fd(int sock, int fd, struct err *err)
{
    struct pollfd room = {.fd = sock, .events = POLLOUT};
    for (;;) {
        if (peer_send(sock, "", 1, fd) == 1)
            return 0;
        if (errno == ENOTSOCK || errno == EINVAL || errno == EOPNOTSUPP)
            return err_set(err, ERR_INVAL, "it is no Unix socket that takes a descriptor");
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            poll(&room, 1, -1);
        else if (errno != EINTR)
            return err_sys(err, errno, "cannot hand the connection on");
    }
}

/*
 * call: one request of adit's from its line to its answer, with progress, events and questions on the way.
 *
 * A question is put by the caller, who comes back whenever the daemon has something to say meanwhile: it may
 * withdraw the question, or end the request. While a person thinks no deadline runs; the daemon has its own.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "base/mem.h"
#include "client_private.h"
#include "peer.h"

#define CANCEL_MS 2000 /* for the daemon to confirm that a request has ended */
#define ANSWER_SEND_MS 5000

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

/* A call under way. */
struct call {
    struct control_client *c;
    json_int_t id;
    uint64_t deadline;
    const struct control_watch *watch;
    json_t **data;
    int *fd;
    struct control_question asked; /* number 0: none */
    json_t *asked_root;            /* what its texts are borrowed from */
    uint64_t asked_at;
};

static void prolong(struct call *call, uint64_t ms, uint64_t least_ms)
{
    if (call->deadline == UINT64_MAX)
        return;
    uint64_t least = client_now_ms() + least_ms;
    call->deadline += ms;
    if (call->deadline < least)
        call->deadline = least;
}

/* ---- questions ---- */

static void forget_question(struct call *call)
{
    json_decref(call->asked_root);
    call->asked_root = NULL;
    call->asked.number = 0;
}

static int send_answer(struct call *call, int64_t number, const char *text, struct err *err)
{
    size_t len = 0;
    char *line = answer_line(call->id, number, text, &len);
    if (!line)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = client_send(call->c, line, len, client_deadline(ANSWER_SEND_MS), err);
    mem_free_secret(line, len);
    return rc;
}

/* Nobody can be asked, or somebody is being asked something else: then this one has no answer. */
static int take_question(struct call *call, struct codec_daemon *m, struct err *err)
{
    if (!call->watch->question || call->asked.number)
        return send_answer(call, m->question.number, NULL, err);
    call->asked = m->question;
    call->asked_root = json_incref(m->root);
    call->asked_at = client_now_ms();
    return 0;
}

static void question_is_off(struct call *call)
{
    if (!call->asked.number)
        return;
    forget_question(call);
    call->watch->withdrawn(call->watch->arg);
}

static int ask(struct call *call, struct err *err)
{
    char answer[CONTROL_ANSWER_MAX + 1] = "";
    int rc = 0;
    enum control_asked asked = call->watch->question(call->watch->arg, &call->asked, call->c->fd, answer);
    if (asked == CONTROL_ASKED_LATER) {
        rc = client_interrupted(call->c) ? err_set(err, ERR_CANCELED, "interrupted") : 0;
    } else {
        rc = send_answer(call, call->asked.number, asked == CONTROL_ASKED_ANSWER ? answer : NULL, err);
        prolong(call, client_now_ms() - call->asked_at, CONTROL_ALIVE_MS);
        forget_question(call);
    }
    mem_wipe(answer, sizeof answer);
    return rc;
}

/* The next line. */
static int next_line(struct call *call, char **line, size_t *len, struct err *err)
{
    while (call->asked.number) {
        int rc = client_line_now(call->c, line, len, err);
        if (rc != 0)
            return rc < 0 ? rc : 0;
        rc = ask(call, err);
        if (rc < 0)
            return rc;
    }
    return client_line(call->c, call->deadline, true, line, len, err);
}

/* ---- the answer ---- */

static int finish_ok(struct call *call, const struct codec_daemon *m, struct err *err)
{
    int got = m->fd ? client_claim_fd(call->c) : -1;

    if (m->fd && got < 0)
        return err_set(err, ERR_PROTOCOL, "aditd's answer came without its descriptor");
    if (call->data)
        *call->data = json_is_null(m->data) ? NULL : json_incref(m->data);
    if (call->fd)
        *call->fd = got;
    else if (got >= 0)
        close(got);
    return 0;
}

/* 1: the request is over, *rc says how. 0: it goes on. */
static int handle(struct call *call, struct codec_daemon *m, int *rc, struct err *err)
{
    const struct control_watch *watch = call->watch;
    if (m->id != call->id && m->id != 0)
        return 0; /* of a request that we gave up */
    switch (m->kind) {
    case CODEC_PROGRESS:
        prolong(call, 0, CONTROL_ALIVE_MS);
        if (watch->progress)
            watch->progress(watch->arg, m->progress);
        return 0;
    case CODEC_EVENT:
        if (watch->event)
            watch->event(watch->arg, m->data);
        return 0;
    case CODEC_QUESTION:
        *rc = take_question(call, m, err);
        return *rc < 0;
    case CODEC_WITHDRAWN:
        if (m->question.number == call->asked.number)
            question_is_off(call);
        return 0;
    case CODEC_OK:
        *rc = finish_ok(call, m, err);
        return 1;
    case CODEC_ERROR:
        *rc = err_copy(err, &m->err, ERR_PROTOCOL);
        return 1;
    }
    return 0;
}

static int wait_answer(struct call *call, struct err *err)
{
    for (;;) {
        struct codec_daemon m;
        char *line;
        size_t len;
        int done = 0, rc = next_line(call, &line, &len, err);
        if (rc == ERR_CANCELED || rc == ERR_TIMEOUT)
            cancel(call->c, call->id);
        if (rc == 0)
            rc = codec_parse_daemon(&m, line, len, err);
        if (rc < 0)
            return rc;
        done = handle(call, &m, &rc, err);
        codec_daemon_done(&m);
        if (done)
            return rc;
    }
}

int control_call_watch(struct control_client *c, const char *op, struct json_t *args, uint32_t timeout_ms,
                       const struct control_watch *watch, struct json_t **data, int *fd, struct err *err)
{
    static const struct control_watch nothing = {0};
    struct call call = {.c = c,
                        .id = c->next_id++,
                        .deadline = client_deadline(timeout_ms),
                        .watch = watch ? watch : &nothing,
                        .data = data,
                        .fd = fd};
    size_t len = 0;

    if (data)
        *data = NULL;
    if (fd)
        *fd = -1;
    char *line = codec_request_line(call.id, op, args, &len);
    json_decref(args);
    if (!line)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = len <= CONTROL_REQUEST_LINE_MAX
                 ? client_send(c, line, len, call.deadline, err)
                 : err_set(err, ERR_LIMIT, "the request is longer than %u bytes", CONTROL_REQUEST_LINE_MAX);
    mem_free(line);
    if (rc == 0)
        rc = wait_answer(&call, err);
    question_is_off(&call);
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

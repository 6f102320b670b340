/*
 * request: the requests of one client from their line to their answer.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "codec.h"
#include "session.h"

#define PROGRESS_QUEUE_MAX 65536 /* bytes unread, beyond which progress is not worth sending */
#define PROGRESS_TEXT_MAX 1024

static void answer_error(struct session *s, json_int_t id, const struct err *err)
{
    size_t len = 0;
    char *line = codec_error_line(id, err, &len);
    session_send(s, line, len, -1);
}

static struct control_request *find(struct session *s, json_int_t id)
{
    struct control_request *req;
    list_each(req, &s->requests, struct control_request, node)
    {
        if (req->id == id)
            return req;
    }
    return NULL;
}

static void request_free(struct control_request *req)
{
    list_remove(&req->node);
    req->session->request_count--;
    mem_free(req);
}

/* What may be asked for whatever the versions: docs/protocol.md, Hello. */
static bool op_of_all_versions(const char *op)
{
    return strcmp(op, "version") == 0 || strcmp(op, "stop") == 0;
}

void request_begin(struct session *s, json_int_t id, const char *op, json_t *args)
{
    struct err err = {0};
    struct control_request *req = NULL;

    if (find(s, id)) {
        err_set(&err, ERR_PROTOCOL, "request %lld is under way already", (long long)id);
        answer_error(s, 0, &err);
        if (!s->doomed)
            server_doom(s);
        return;
    }
    if (s->version != CONTROL_VERSION && !op_of_all_versions(op))
        err_set(&err, ERR_VERSION,
                "aditd %s speaks protocol %d, this client protocol %lld: `adit stop`, then the new aditd is "
                "started on demand",
                ADIT_VERSION, CONTROL_VERSION, (long long)s->version);
    else if (s->request_count >= CONTROL_REQUESTS_MAX)
        err_set(&err, ERR_LIMIT, "%d requests are under way already", CONTROL_REQUESTS_MAX);
    else if (!(req = mem_zalloc(sizeof *req)))
        err_set(&err, ERR_NOMEM, "aditd is out of memory");
    if (!req) {
        answer_error(s, id, &err);
        return;
    }
    req->session = s;
    req->id = id;
    const json_t *ask = json_object_get(args, "ask");
    req->may_ask = json_is_true(ask)    ? CONTROL_ASK_YES
                   : json_is_false(ask) ? CONTROL_ASK_NEVER
                                        : CONTROL_ASK_UNSAID;
    list_push(&s->requests, &req->node);
    s->request_count++;
    s->server->handlers.request(s->server->arg, req, op, args);
}

static void drop(struct control_request *req)
{
    struct control_server *srv = req->session->server;
    srv->handlers.gone(srv->arg, req);
    request_free(req);
}

void request_cancel(struct session *s, json_int_t id)
{
    struct err err = {0};
    struct control_request *req = find(s, id);
    if (!req)
        return;
    drop(req);
    err_set(&err, ERR_CANCELED, "canceled");
    answer_error(s, id, &err);
}

void request_answer(struct session *s, const struct answer *a)
{
    const struct control_handlers *h = &s->server->handlers;
    struct err why = {0};
    struct control_request *req = find(s, a->id);
    if (!req || !h->answer)
        return;
    if (a->too_long)
        err_set(&why, ERR_LIMIT, "the answer is longer than %d bytes", CONTROL_ANSWER_MAX);
    else if (!a->given)
        err_set(&why, ERR_CANCELED, "none was given");
    h->answer(s->server->arg, req, a->number, a->given ? a->text : NULL, a->given ? NULL : &why);
}

void request_drop_all(struct session *s)
{
    while (!list_empty(&s->requests))
        drop(container_of(list_first(&s->requests), struct control_request, node));
}

void control_request_set_data(struct control_request *req, void *data)
{
    req->data = data;
}

void *control_request_data(const struct control_request *req)
{
    return req->data;
}

enum control_may_ask control_request_may_ask(const struct control_request *req)
{
    return req->may_ask;
}

void control_reply_fd(struct control_request *req, struct json_t *data, int fd)
{
    struct session *s = req->session;
    json_int_t id = req->id;
    size_t len = 0;
    char *line = codec_ok_line(id, data, fd >= 0, &len);

    json_decref(data);
    request_free(req);
    if (!line || len > CONTROL_LINE_MAX) {
        struct err err = {0};
        err_set(&err, line ? ERR_LIMIT : ERR_NOMEM,
                line ? "the answer would be longer than %u bytes: ask for less"
                     : "aditd had no memory for an answer of up to %u bytes",
                CONTROL_LINE_MAX);
        mem_free(line);
        if (fd >= 0)
            close(fd);
        answer_error(s, id, &err);
        return;
    }
    session_send(s, line, len, fd);
}

void control_reply_ok(struct control_request *req, struct json_t *data)
{
    control_reply_fd(req, data, -1);
}

void control_reply_err(struct control_request *req, const struct err *err)
{
    struct session *s = req->session;
    json_int_t id = req->id;
    request_free(req);
    answer_error(s, id, err);
}

void control_progress(struct control_request *req, const char *fmt, ...)
{
    char text[PROGRESS_TEXT_MAX];
    va_list ap;
    size_t len = 0;

    if (req->session->out_bytes > PROGRESS_QUEUE_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    char *line = codec_progress_line(req->id, text, &len);
    if (line)
        session_send(req->session, line, len, -1);
}

void control_event(struct control_request *req, struct json_t *data)
{
    size_t len = 0;
    char *line = codec_event_line(req->id, data, &len);
    json_decref(data);
    session_send(req->session, line, len, -1);
}

void control_question(struct control_request *req, int64_t number, struct json_t *data)
{
    size_t len = 0;
    char *line = codec_question_line(req->id, number, data, &len);
    json_decref(data);
    session_send(req->session, line, len, -1);
}

void control_withdraw(struct control_request *req, int64_t number)
{
    size_t len = 0;
    char *line = codec_withdrawn_line(req->id, number, &len);
    session_send(req->session, line, len, -1);
}

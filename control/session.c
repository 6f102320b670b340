/*
 * session: one client of the daemon: its lines in, its answers out.
 *
 * Sockets are read and written by hand rather than through uv_pipe_t, because a descriptor must go with
 * exactly the line that announces it, and because none is ever to be taken from a client.
 */
#include "session.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "codec.h"
#include "peer.h"

#define OUT_BYTES_MAX ((size_t)2 * CONTROL_LINE_MAX) /* answers a client may leave unread */
#define READS_MAX 8                                  /* a turn */
#define HELLO_S 10

static const struct log_ctx LOG = {.module = "control"};

struct session_out {
    struct list node;
    char *line; /* owned */
    size_t len, sent;
    int fd; /* goes with the first byte; −1 when none or gone */
};

static void on_session(uv_poll_t *poll, int status, int events);

static void watch(struct session *s)
{
    int events = UV_READABLE | (list_empty(&s->out) ? 0 : UV_WRITABLE);
    if (s->doomed || events == s->events)
        return;
    s->events = events;
    uv_poll_start(&s->poll, events, on_session);
}

static void out_free(struct session_out *o)
{
    list_remove(&o->node);
    if (o->fd >= 0)
        close(o->fd);
    mem_free(o->line);
    mem_free(o);
}

/* Writes what the socket takes. Negative: the client is gone. */
static int flush(struct session *s)
{
    struct list *first;
    while ((first = list_first(&s->out))) {
        struct session_out *o = container_of(first, struct session_out, node);
        ssize_t n = peer_send(s->fd, o->line + o->sent, o->len - o->sent, o->fd);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : ERR_CLOSED;
        if (o->fd >= 0)
            close(o->fd);
        o->fd = -1;
        o->sent += (size_t)n;
        s->out_bytes -= (size_t)n;
        if (o->sent == o->len)
            out_free(o);
    }
    return 0;
}

void session_send(struct session *s, char *line, size_t len, int fd)
{
    struct session_out *o = line && !s->doomed ? mem_zalloc(sizeof *o) : NULL;
    if (!o || s->out_bytes + len > OUT_BYTES_MAX) {
        /* An answer that cannot be given ends the connection: a client must never wait for what will not
         * come. */
        if (!s->doomed)
            log_warn(&LOG, "a client is dropped: %s", o ? "it does not read its answers" : "out of memory");
        mem_free(o);
        mem_free(line);
        if (fd >= 0)
            close(fd);
        if (!s->doomed)
            server_doom(s);
        return;
    }
    o->line = line;
    o->len = len;
    o->fd = fd;
    s->out_bytes += len;
    list_push(&s->out, &o->node);
    if (flush(s) < 0)
        server_doom(s);
    watch(s);
}

/* The connection is beyond use: says why and ends it. */
static void fail(struct session *s, const struct err *err)
{
    size_t len = 0;
    char *line = codec_error_line(0, err, &len);
    session_send(s, line, len, -1);
    if (!s->doomed)
        server_doom(s);
}

static void handle_answer(struct session *s, char *text, size_t n)
{
    struct answer a;
    struct err err = {0};

    if (answer_parse(&a, text, n, &err) < 0)
        fail(s, &err);
    else if (s->version != CONTROL_VERSION)
        fail(s, (err_set(&err, ERR_PROTOCOL, "an answer before any question"), &err));
    else
        request_answer(s, &a);
    mem_wipe(&a, sizeof a);
    mem_wipe(text, n);
}

static void handle_line(struct session *s, char *text, size_t n)
{
    struct codec_client m;
    struct err err = {0};

    if (answer_is(text, n)) {
        handle_answer(s, text, n);
        return;
    }
    if (codec_parse_client(&m, text, n, &err) < 0) {
        fail(s, &err);
        return;
    }
    if ((m.kind == CODEC_HELLO) != (s->version == 0)) {
        err_set(&err, ERR_PROTOCOL, s->version == 0 ? "the first line must be a hello" : "a second hello");
        fail(s, &err);
    } else if (m.kind == CODEC_HELLO) {
        s->version = m.version;
    } else if (m.kind == CODEC_CANCEL) {
        request_cancel(s, m.id);
    } else {
        request_begin(s, m.id, m.op, m.args);
    }
    codec_client_done(&m);
}

static void handle_lines(struct session *s)
{
    struct err err = {0};
    char *line;
    size_t len;
    int rc = 0;

    while (!s->doomed && (rc = line_buf_next(&s->in, &line, &len, &err)) > 0)
        handle_line(s, line, len);
    if (!s->doomed && rc < 0)
        fail(s, &err);
}

static void on_readable(struct session *s)
{
    for (int i = 0; i < READS_MAX && !s->doomed; i++) {
        char *room;
        size_t size;
        if (line_buf_room(&s->in, &room, &size) < 0) {
            server_doom(s);
            return;
        }
        ssize_t n = peer_recv(s->fd, room, size, NULL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n <= 0) {
            server_doom(s);
            return;
        }
        line_buf_fill(&s->in, (size_t)n);
        handle_lines(s);
    }
}

static void on_session(uv_poll_t *poll, int status, int events)
{
    struct session *s = poll->data;

    if (status < 0 || ((events & UV_WRITABLE) && flush(s) < 0)) {
        server_doom(s);
        return;
    }
    if (events & UV_READABLE)
        on_readable(s);
    watch(s);
}

static void on_session_closed(uv_handle_t *handle)
{
    struct session *s = handle->data;
    struct control_server *srv = s->server;
    line_buf_done(&s->in);
    mem_free(s);
    srv->session_count--;
    server_check_closed(srv);
}

void session_bury(struct session *s)
{
    s->doomed = true;
    list_remove(&s->node);
    request_drop_all(s);
    flush(s); /* the last answers, as far as the socket takes them */
    while (!list_empty(&s->out))
        out_free(container_of(list_first(&s->out), struct session_out, node));
    uv_close((uv_handle_t *)&s->poll, on_session_closed);
    close(s->fd);
}

int session_new(struct control_server *srv, int fd, const struct err *refusal, struct err *err)
{
    struct session *s = mem_zalloc(sizeof *s);
    if (!s)
        return err_set(err, ERR_NOMEM, "a client is refused: out of memory");
    int rc = uv_poll_init(srv->loop, &s->poll, fd);
    if (rc != 0) {
        mem_free(s);
        return err_uv(err, rc, "a client is refused");
    }
    s->server = srv;
    s->fd = fd;
    s->poll.data = s;
    s->hello_left_s = HELLO_S;
    line_buf_init(&s->in, CONTROL_REQUEST_LINE_MAX);
    list_init(&s->out);
    list_init(&s->requests);
    list_push(&srv->sessions, &s->node);
    srv->session_count++;

    size_t len = 0;
    char *line = codec_hello_line((long)getpid(), refusal, &len);
    session_send(s, line, len, -1);
    watch(s);
    if (refusal && !s->doomed)
        server_doom(s);
    return 0;
}

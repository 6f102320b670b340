/*
 * targets: what channels connect to in the tests: small servers in a process of their own.
 */
#include "targets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define CHUNK 65536

struct server {
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } io;
    enum target_kind kind;
    uint16_t port;
    bool local;
};

struct client {
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } io;
    enum target_kind kind;
    uint64_t seen, good, left, sent;
    unsigned writes;
    bool eof, closing;
    char line[32];
    size_t line_len;
};

struct chunk_write {
    uv_write_t req;
    uint8_t data[CHUNK];
};

void stream_fill(uint8_t *out, uint64_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = stream_byte(from + i);
}

size_t stream_check(const uint8_t *in, uint64_t from, size_t n)
{
    size_t good = 0;
    for (size_t i = 0; i < n; i++)
        good += in[i] == stream_byte(from + i);
    return good;
}

static void on_client_closed(uv_handle_t *h)
{
    free(h->data);
}

static void client_close(struct client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    uv_close((uv_handle_t *)&c->io, on_client_closed);
}

static void proceed(struct client *c);

static void on_shut(uv_shutdown_t *req, int status)
{
    struct client *c = req->data;
    free(req);
    if (c->eof)
        client_close(c);
    else
        c->left = UINT64_MAX; /* sent its eof, waits for the client's */
}

static void shut(struct client *c)
{
    uv_shutdown_t *req = calloc(1, sizeof *req);
    req->data = c;
    if (uv_shutdown(req, &c->io.stream, on_shut) < 0) {
        free(req);
        client_close(c);
    }
}

static void on_written(uv_write_t *req, int status)
{
    struct client *c = req->data;
    free(req);
    c->writes--;
    if (status < 0)
        client_close(c);
    else
        proceed(c);
}

static void say(struct client *c, const void *data, size_t n)
{
    struct chunk_write *w = malloc(sizeof *w);
    memcpy(w->data, data, n);
    w->req.data = c;
    uv_buf_t buf = uv_buf_init((char *)w->data, (unsigned)n);
    c->writes++;
    if (uv_write(&w->req, &c->io.stream, &buf, 1, on_written) < 0) {
        c->writes--;
        free(w);
        client_close(c);
    }
}

static void pump_source(struct client *c)
{
    static uint8_t data[CHUNK];
    while (c->left > 0 && c->writes < 4 && !c->closing) {
        size_t n = c->left < CHUNK ? (size_t)c->left : CHUNK;
        stream_fill(data, c->sent, n);
        c->sent += n;
        c->left -= n;
        say(c, data, n);
    }
    if (c->left == 0 && c->writes == 0 && c->sent > 0) {
        c->sent = 0;
        shut(c);
    }
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    static char data[CHUNK];
    *buf = uv_buf_init(data, sizeof data);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf);

static void proceed(struct client *c)
{
    if (c->closing)
        return;
    if (c->kind == TARGET_SOURCE && c->left != UINT64_MAX)
        pump_source(c);
    if (c->kind == TARGET_GREET && c->writes == 0) {
        if (c->eof)
            shut(c);
        else
            uv_read_start(&c->io.stream, on_alloc, on_read);
    }
    if (c->kind == TARGET_DRAIN && c->eof && c->writes == 0)
        shut(c);
}

static void at_eof(struct client *c)
{
    char text[64];
    c->eof = true;
    uv_read_stop(&c->io.stream);
    if (c->kind == TARGET_DRAIN) {
        int n = snprintf(text, sizeof text, "%llu %s\n", (unsigned long long)c->seen,
                         c->good == c->seen ? "ok" : "bad");
        say(c, text, (size_t)n);
    } else if (c->kind == TARGET_GREET) {
        proceed(c);
    } else if (c->kind == TARGET_EARLY || c->left == UINT64_MAX) {
        client_close(c);
    }
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = s->data;
    if (n == UV_EOF) {
        at_eof(c);
    } else if (n < 0) {
        client_close(c);
    } else if (c->kind == TARGET_GREET && n > 0) {
        uv_read_stop(s);
        say(c, buf->base, (size_t)n);
    } else if (c->kind == TARGET_SOURCE) {
        for (ssize_t i = 0; i < n && c->line_len < sizeof c->line - 1; i++) {
            c->line[c->line_len++] = buf->base[i];
            if (buf->base[i] == '\n') {
                c->left = strtoull(c->line, NULL, 10);
                pump_source(c);
            }
        }
    } else {
        c->good += stream_check((const uint8_t *)buf->base, c->seen, (size_t)n);
        c->seen += (uint64_t)n;
    }
}

static void on_connection(uv_stream_t *s, int status)
{
    struct server *v = s->data;
    struct client *c = calloc(1, sizeof *c);
    char text[32];
    c->kind = v->kind;
    if (v->local)
        uv_pipe_init(s->loop, &c->io.pipe, 0);
    else
        uv_tcp_init(s->loop, &c->io.tcp);
    c->io.stream.data = c;
    if (uv_accept(s, &c->io.stream) < 0) {
        client_close(c);
        return;
    }
    if (!v->local)
        uv_tcp_nodelay(&c->io.tcp, 1);
    if (v->kind == TARGET_MUTE)
        return;
    uv_read_start(&c->io.stream, on_alloc, on_read);
    if (v->kind == TARGET_GREET)
        say(c, text, (size_t)snprintf(text, sizeof text, "port %u\n", v->port));
    if (v->kind == TARGET_EARLY) {
        say(c, "bye\n", 4);
        shut(c);
    }
}

static uint16_t listen_tcp(uv_loop_t *loop, enum target_kind kind)
{
    struct server *v = calloc(1, sizeof *v);
    struct sockaddr_in a;
    int len = sizeof a;
    uv_tcp_init(loop, &v->io.tcp);
    v->io.stream.data = v;
    v->kind = kind;
    uv_ip4_addr("127.0.0.1", 0, &a);
    if (uv_tcp_bind(&v->io.tcp, (struct sockaddr *)&a, 0) < 0 ||
        uv_listen(&v->io.stream, 1024, on_connection) < 0)
        abort();
    uv_tcp_getsockname(&v->io.tcp, (struct sockaddr *)&a, &len);
    return v->port = ntohs(a.sin_port);
}

static void listen_unix(uv_loop_t *loop, const char *path)
{
    struct server *v = calloc(1, sizeof *v);
    uv_pipe_init(loop, &v->io.pipe, 0);
    v->io.stream.data = v;
    v->kind = TARGET_GREET;
    v->local = true;
    if (uv_pipe_bind(&v->io.pipe, path) < 0 || uv_listen(&v->io.stream, 128, on_connection) < 0)
        abort();
}

static void serve(struct targets *t, int tell)
{
    uv_loop_t loop;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    for (int k = TARGET_DRAIN; k < TARGET_KINDS; k++)
        t->port[k] = listen_tcp(&loop, (enum target_kind)k);
    for (int i = 0; i < TARGET_GREETS; i++)
        t->greets[i] = listen_tcp(&loop, TARGET_GREET);
    t->port[TARGET_GREET] = t->greets[0];
    listen_unix(&loop, t->unix_path);
    if (write(tell, t, sizeof *t) != (ssize_t)sizeof *t)
        abort();
    close(tell);
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(0);
}

void targets_start(struct targets *t, const char *dir)
{
    int fds[2];
    memset(t, 0, sizeof *t);
    snprintf(t->unix_path, sizeof t->unix_path, "%s/target.sock", dir);
    unlink(t->unix_path);
    if (pipe(fds) < 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        serve(t, fds[1]);
    }
    close(fds[1]);
    if (pid < 0 || read(fds[0], t, sizeof *t) != (ssize_t)sizeof *t)
        abort();
    close(fds[0]);
    t->pid = pid;
}

void targets_stop(struct targets *t)
{
    kill(t->pid, SIGKILL);
    waitpid(t->pid, NULL, 0);
    unlink(t->unix_path);
}

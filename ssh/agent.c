/*
 * agent: the keys of ssh-agent, listed and used for signing without blocking.
 *
 *   IDLE ──ask──▶ CONNECTING ──▶ WRITING ──▶ READING ──answer──▶ READY (connected, idle) ──ask──▶ WRITING …
 * Any failure ends the question with an error and the connection; the next question connects anew.
 */
#include "agent.h"

#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/wire.h"

enum { AGENT_REQUEST_IDENTITIES = 11, AGENT_SIGN_REQUEST = 13 };

struct line { /* one connection; outlives the agent until its handle is closed */
    uv_pipe_t pipe;
    uv_connect_t connect;
    uv_write_t write;
    struct ssh_agent *agent; /* NULL: let go */
    struct wire_writer out;
};

struct ssh_agent {
    uv_loop_t *loop;
    char *path;
    struct line *line;
    bool connected;
    struct wire_writer ask; /* the question until it is handed to the line */
    uint8_t *reply;
    size_t reply_len, reply_cap;
    ssh_agent_list_cb list_cb;
    ssh_agent_sign_cb sign_cb;
    void *arg;
};

static void on_line_closed(uv_handle_t *h)
{
    struct line *l = h->data;
    wire_write_done(&l->out);
    mem_free(l);
}

static void hang_up(struct ssh_agent *a)
{
    if (!a->line)
        return;
    a->line->agent = NULL;
    uv_close((uv_handle_t *)&a->line->pipe, on_line_closed);
    a->line = NULL;
    a->connected = false;
}

/* Ends the question; touches nothing afterwards. */
static void finish(struct ssh_agent *a, int rc, const struct err *err)
{
    ssh_agent_list_cb list_cb = a->list_cb;
    ssh_agent_sign_cb sign_cb = a->sign_cb;
    void *arg = a->arg;
    uint8_t *reply = a->reply;
    size_t cap = a->reply_cap, n = a->reply_len;
    struct err problem;
    a->list_cb = NULL;
    a->sign_cb = NULL;
    a->reply = NULL;
    a->reply_len = a->reply_cap = 0;
    wire_write_done(&a->ask);
    if (rc < 0) {
        problem = *err;
        err_wrap(&problem, "ssh agent %s", a->path);
        hang_up(a);
    }
    if (list_cb) {
        struct ssh_agent_keys keys = {0};
        if (rc == 0) {
            rc = ssh_agent_parse_list(&keys, reply + 4, n - 4, &problem);
            if (rc < 0)
                err_wrap(&problem, "ssh agent %s", a->path);
        }
        list_cb(arg, &keys, rc < 0 ? &problem : NULL);
    } else if (sign_cb) {
        const uint8_t *sig = NULL;
        size_t sig_len = 0;
        if (rc == 0) {
            rc = ssh_agent_parse_sign(&sig, &sig_len, reply + 4, n - 4, &problem);
            if (rc < 0)
                err_wrap(&problem, "ssh agent %s", a->path);
        }
        sign_cb(arg, sig, sig_len, rc < 0 ? &problem : NULL);
    }
    mem_free_secret(reply, cap);
}

static void failed(struct ssh_agent *a, int status, const char *what)
{
    struct err err;
    finish(a, err_uv(&err, status, "%s", what), &err);
}

static void on_reply_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct line *l = h->data;
    struct ssh_agent *a = l->agent;
    *buf = uv_buf_init(NULL, 0);
    if (!a || !a->reply)
        return;
    *buf = uv_buf_init((char *)a->reply + a->reply_len, (unsigned)(a->reply_cap - a->reply_len));
}

static uint32_t told_length(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void on_reply(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct line *l = h->data;
    struct ssh_agent *a = l->agent;
    struct err err;
    if (!a || n == 0)
        return;
    if (n < 0) {
        if (n == UV_EOF)
            finish(a, err_set(&err, ERR_CLOSED, "it closed the connection"), &err);
        else
            failed(a, (int)n, "reading its answer");
        return;
    }
    a->reply_len += (size_t)n;
    if (a->reply_len < 4)
        return;
    size_t whole = (size_t)told_length(a->reply) + 4;
    if (whole < 5 || whole > SSH_AGENT_REPLY_MAX || a->reply_len > whole) {
        finish(a, err_set(&err, ERR_PROTOCOL, "its answer makes no sense"), &err);
        return;
    }
    if (whole > a->reply_cap) {
        uint8_t *bigger = mem_realloc(a->reply, whole);
        if (!bigger) {
            finish(a, err_set(&err, ERR_NOMEM, "out of memory"), &err);
            return;
        }
        a->reply = bigger;
        a->reply_cap = whole;
    }
    if (a->reply_len < whole)
        return;
    uv_read_stop(h);
    finish(a, 0, NULL);
}

static void on_asked(uv_write_t *req, int status)
{
    struct line *l = req->data;
    struct ssh_agent *a = l->agent;
    if (!a)
        return;
    wire_write_done(&l->out);
    if (status < 0) {
        failed(a, status, "asking it");
        return;
    }
    int rc = uv_read_start((uv_stream_t *)&l->pipe, on_reply_alloc, on_reply);
    if (rc < 0)
        failed(a, rc, "asking it");
}

static int send_question(struct ssh_agent *a)
{
    struct line *l = a->line;
    l->out = a->ask;
    wire_write_init(&a->ask);
    uv_buf_t buf = uv_buf_init((char *)l->out.data, (unsigned)l->out.len);
    l->write.data = l;
    return uv_write(&l->write, (uv_stream_t *)&l->pipe, &buf, 1, on_asked);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct line *l = req->data;
    struct ssh_agent *a = l->agent;
    if (!a)
        return;
    if (status < 0) {
        failed(a, status, "cannot connect");
        return;
    }
    a->connected = true;
    int rc = send_question(a);
    if (rc < 0)
        failed(a, rc, "asking it");
}

/* The question is in a->ask. */
static int submit(struct ssh_agent *a, struct err *err)
{
    int rc = 0;
    a->reply_cap = 1024;
    a->reply_len = 0;
    a->reply = mem_alloc(a->reply_cap);
    if (!wire_write_ok(&a->ask) || !a->reply)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (rc == 0 && a->connected) {
        rc = send_question(a);
        if (rc < 0)
            rc = err_uv(err, rc, "ssh agent %s", a->path);
    } else if (rc == 0) {
        struct line *l = mem_zalloc(sizeof *l);
        if (!l) {
            rc = err_set(err, ERR_NOMEM, "out of memory");
        } else {
            wire_write_init(&l->out);
            uv_pipe_init(a->loop, &l->pipe, 0);
            l->pipe.data = l;
            l->connect.data = l;
            l->agent = a;
            a->line = l;
            uv_pipe_connect(&l->connect, &l->pipe, a->path, on_connected);
        }
    }
    if (rc == 0)
        return 0;
    wire_write_done(&a->ask);
    mem_free(a->reply);
    a->reply = NULL;
    a->list_cb = NULL;
    a->sign_cb = NULL;
    hang_up(a);
    return rc;
}

int ssh_agent_new(struct ssh_agent **out, uv_loop_t *loop, const char *path, struct err *err)
{
    if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return err_set(err, ERR_INVAL, "the path of the ssh agent is too long: %s", path);
    struct ssh_agent *a = mem_zalloc(sizeof *a);
    char *copy = mem_strdup(path);
    if (!a || !copy) {
        mem_free(a);
        mem_free(copy);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    a->loop = loop;
    a->path = copy;
    wire_write_init(&a->ask);
    *out = a;
    return 0;
}

int ssh_agent_list(struct ssh_agent *a, ssh_agent_list_cb cb, void *arg, struct err *err)
{
    a->list_cb = cb;
    a->arg = arg;
    wire_put_u32(&a->ask, 1);
    wire_put_u8(&a->ask, AGENT_REQUEST_IDENTITIES);
    return submit(a, err);
}

int ssh_agent_sign(struct ssh_agent *a, const uint8_t *blob, size_t blob_len, const uint8_t *data, size_t n,
                   uint32_t flags, ssh_agent_sign_cb cb, void *arg, struct err *err)
{
    a->sign_cb = cb;
    a->arg = arg;
    wire_put_u32(&a->ask, (uint32_t)(1 + 4 + blob_len + 4 + n + 4));
    wire_put_u8(&a->ask, AGENT_SIGN_REQUEST);
    wire_put_str(&a->ask, blob, blob_len);
    wire_put_str(&a->ask, data, n);
    wire_put_u32(&a->ask, flags);
    return submit(a, err);
}

void ssh_agent_close(struct ssh_agent *a)
{
    if (!a)
        return;
    hang_up(a);
    wire_write_done(&a->ask);
    mem_free_secret(a->reply, a->reply_cap);
    mem_free(a->path);
    mem_free(a);
}

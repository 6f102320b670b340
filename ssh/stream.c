/*
 * stream: the socket of a connection; it alone reads, writes and closes it.
 */
#include "stream.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

#define VECTORS 16

struct ssh_stream {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } io;
    const struct ssh_stream_events *events;
    void *arg;
    struct readyq *ready;
    struct ready more;  /* reading was put off for a turn */
    struct ready flush; /* output waits for the end of this turn's work */
    struct chunkq out;
    uv_write_t write;
    size_t writing; /* bytes at the front of out that libuv holds */
    uint64_t rx, tx;
    bool tcp, reading, full, broken, closing;
    struct err failure; /* of a write, told later */
    struct ready tell;
    void (*closed_cb)(void *arg);
    void *closed_arg;
};

/* Each loop has its thread, and a read is handed on before the next begins. */
static _Thread_local uint8_t read_buf[SSH_STREAM_READ];

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    *buf = uv_buf_init((char *)read_buf, sizeof read_buf);
}

static void broke(struct ssh_stream *s, const struct err *err)
{
    if (s->broken || s->closing)
        return;
    s->broken = true;
    uv_read_stop(&s->io.stream);
    s->reading = false;
    ready_cancel(&s->more);
    s->events->broken(s->arg, err);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct ssh_stream *s = h->data;
    struct err err;
    if (n == 0 || s->closing)
        return;
    if (n < 0) {
        if (n == UV_EOF)
            err_set(&err, ERR_CLOSED, "the server closed the connection");
        else
            err_uv(&err, (int)n, "the connection broke");
        broke(s, &err);
        return;
    }
    s->rx += (uint64_t)n;
    if ((size_t)n == sizeof read_buf) {
        uv_read_stop(h);
        s->reading = false;
        ready_push(s->ready, &s->more);
    }
    s->events->input(s->arg, (const uint8_t *)buf->base, (size_t)n);
}

static void read_on(struct ssh_stream *s)
{
    if (s->reading || s->broken || s->closing)
        return;
    int rc = uv_read_start(&s->io.stream, on_alloc, on_read);
    if (rc == 0) {
        s->reading = true;
        return;
    }
    struct err err;
    err_uv(&err, rc, "reading from the connection");
    broke(s, &err);
}

static void on_more(struct ready *r)
{
    read_on(container_of(r, struct ssh_stream, more));
}

static void on_tell(struct ready *r)
{
    struct ssh_stream *s = container_of(r, struct ssh_stream, tell);
    struct err err = s->failure;
    broke(s, &err);
}

static void write_failed(struct ssh_stream *s, int status)
{
    if (s->broken || s->closing || s->failure.code)
        return;
    err_uv(&s->failure, status, "the connection broke");
    ready_push(s->ready, &s->tell);
}

static void sent(struct ssh_stream *s, size_t n)
{
    chunkq_drop(&s->out, n);
    s->tx += n;
}

static void on_written(uv_write_t *req, int status)
{
    struct ssh_stream *s = req->data;
    size_t n = s->writing;
    s->writing = 0;
    if (s->closing)
        return;
    if (status < 0) {
        write_failed(s, status);
        return;
    }
    sent(s, n);
    ssh_stream_flush(s);
    if (s->full && chunkq_bytes(&s->out) <= SSH_STREAM_LOW) {
        s->full = false;
        s->events->drained(s->arg);
    }
}

void ssh_stream_flush(struct ssh_stream *s)
{
    uv_buf_t bufs[VECTORS];
    while (!s->writing && !s->failure.code && chunkq_bytes(&s->out) > 0) {
        unsigned count = chunkq_peek(&s->out, bufs, VECTORS);
        size_t total = 0;
        for (unsigned i = 0; i < count; i++)
            total += bufs[i].len;
        int rc = uv_try_write(&s->io.stream, bufs, count);
        if (rc > 0)
            sent(s, (size_t)rc);
        if (rc == (int)total)
            continue;
        if (rc < 0 && rc != UV_EAGAIN) {
            write_failed(s, rc);
            return;
        }
        if (s->closing)
            return;
        count = chunkq_peek(&s->out, bufs, VECTORS);
        for (unsigned i = 0; i < count; i++)
            s->writing += bufs[i].len;
        s->write.data = s;
        rc = uv_write(&s->write, &s->io.stream, bufs, count, on_written);
        if (rc < 0) {
            s->writing = 0;
            write_failed(s, rc);
        }
        return;
    }
}

static void on_flush(struct ready *r)
{
    struct ssh_stream *s = container_of(r, struct ssh_stream, flush);
    ssh_stream_flush(s);
    if (s->full && chunkq_bytes(&s->out) <= SSH_STREAM_LOW) {
        s->full = false;
        s->events->drained(s->arg);
    }
}

int ssh_stream_write(struct ssh_stream *s, const void *data, size_t n)
{
    if (s->broken || s->closing || s->failure.code)
        return 0; /* the owner learns of it elsewhere */
    if (chunkq_bytes(&s->out) + n > SSH_STREAM_MAX)
        return ERR_LIMIT;
    if (chunkq_append(&s->out, data, n) < 0)
        return ERR_NOMEM;
    if (chunkq_bytes(&s->out) >= SSH_STREAM_HIGH)
        s->full = true;
    ready_push(s->ready, &s->flush);
    return 0;
}

bool ssh_stream_full(struct ssh_stream *s)
{
    if (s->full && !s->writing) {
        ssh_stream_flush(s);
        if (chunkq_bytes(&s->out) < SSH_STREAM_LOW && !s->failure.code)
            s->full = false;
    }
    return s->full;
}

uint64_t ssh_stream_rx(const struct ssh_stream *s)
{
    return s->rx;
}

uint64_t ssh_stream_tx(const struct ssh_stream *s)
{
    return s->tx;
}

static void on_dropped(uv_handle_t *h)
{
    mem_free(h->data);
}

int ssh_stream_new(struct ssh_stream **out, int fd, uv_loop_t *loop, struct readyq *ready,
                   struct chunk_pool *pool, const struct ssh_stream_events *events, void *arg,
                   struct err *err)
{
    uv_handle_type type = uv_guess_handle(fd);
    if (type != UV_TCP && type != UV_NAMED_PIPE)
        return err_set(err, ERR_INVAL, "descriptor %d is no stream socket", fd);
    struct ssh_stream *s = mem_zalloc(sizeof *s);
    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->tcp = type == UV_TCP;
    int rc = s->tcp ? uv_tcp_init(loop, &s->io.tcp) : uv_pipe_init(loop, &s->io.pipe, 0);
    if (rc < 0) {
        mem_free(s);
        return err_uv(err, rc, "new connection");
    }
    s->io.handle.data = s;
    rc = s->tcp ? uv_tcp_open(&s->io.tcp, fd) : uv_pipe_open(&s->io.pipe, fd);
    if (rc < 0) {
        uv_close(&s->io.handle, on_dropped);
        return err_uv(err, rc, "new connection");
    }
    if (s->tcp) {
        (void)uv_tcp_nodelay(&s->io.tcp, 1);
        ssh_stream_tune(fd, 0);
    }
    s->events = events;
    s->arg = arg;
    s->ready = ready;
    ready_init(&s->more, on_more);
    ready_init(&s->flush, on_flush);
    ready_init(&s->tell, on_tell);
    chunkq_init(&s->out, pool);
    *out = s;
    return 0;
}

int ssh_stream_start(struct ssh_stream *s, struct err *err)
{
    int rc = uv_read_start(&s->io.stream, on_alloc, on_read);
    if (rc < 0)
        return err_uv(err, rc, "reading from the connection");
    s->reading = true;
    return 0;
}

void ssh_stream_set_dead(struct ssh_stream *s, uint32_t dead_ms)
{
    uv_os_fd_t fd;
    if (s->tcp && uv_fileno(&s->io.handle, &fd) == 0)
        ssh_stream_tune(fd, dead_ms);
}

static void on_closed(uv_handle_t *h)
{
    struct ssh_stream *s = h->data;
    void (*cb)(void *arg) = s->closed_cb;
    void *arg = s->closed_arg;
    chunkq_done(&s->out);
    mem_free(s);
    cb(arg);
}

void ssh_stream_close(struct ssh_stream *s, void (*cb)(void *arg), void *arg)
{
    assert(!s->closing);
    s->closing = true;
    ready_cancel(&s->more);
    ready_cancel(&s->flush);
    ready_cancel(&s->tell);
    if (!s->broken)
        ssh_stream_flush(s);
    s->closed_cb = cb;
    s->closed_arg = arg;
    uv_close(&s->io.handle, on_closed);
}

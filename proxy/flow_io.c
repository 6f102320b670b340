/*
 * flow_io: the bytes of a flow. Callbacks store what happened; flow_update() alone derives from the state
 * whether to read, to shut down, to close.
 *
 *   up:   OPEN ─local end of file─▶ ENDED          down:  OPEN ─eof─▶ DRAIN ─queue empty─▶ FIN ─▶ ENDED
 *           └─channel gone─▶ DISCARD                       └─local write failed─▶ DEAD (from any but ENDED)
 *
 * The flow ends when both directions have: down ENDED or DEAD, and the local end of file seen. Bytes up go
 * from the kernel straight into the channel's send room (no buffer of ours); bytes down are written at once
 * as far as the kernel takes them, the rest is queued, and the VM gets credit only for what has left our
 * memory.
 */
#include "flow.h"

#include "greeting.h"
#include "vm.h"

#define WRITE_BUFS 64 /* of one direct write */
#define WAIT_BUFS 4   /* of one queued write: libuv allocates beyond these */

static bool down_over(const struct flow *f)
{
    return f->down == FLOW_DOWN_ENDED || f->down == FLOW_DOWN_DEAD;
}

static void credit(struct flow *f, size_t n)
{
    if (f->chan && n > 0)
        ssh_chan_rx_consume(f->chan, n);
}

/* A flow of unknown kind that carries much at a time is bulk from then on. */
static void count_burst(struct flow *f, size_t n)
{
    f->burst_bytes += n;
    if (f->burst_bytes < FLOW_BULK_BYTES || f->waiter.cls != POOL_UNKNOWN)
        return;
    uint64_t now = clock_now(f->plane->o.clock);
    if (now - f->burst_ms < FLOW_BULK_MS)
        pool_reclass(&f->waiter, POOL_BULK);
    f->burst_bytes = 0;
    f->burst_ms = now;
}

/* ---- up ---- */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct flow *f = h->data;
    if (f->up == FLOW_UP_DISCARD)
        *buf = uv_buf_init(f->plane->scratch, PLANE_SCRATCH);
    else if (!f->chan || !ssh_chan_tx_reserve(f->chan, buf))
        *buf = uv_buf_init(NULL, 0);
}

static void on_read(uv_stream_t *s, ssize_t nread, const uv_buf_t *buf)
{
    (void)buf;
    struct flow *f = s->data;
    if (nread == 0)
        return;
    if (nread > 0) {
        if (f->up == FLOW_UP_DISCARD)
            return;
        f->o.counters->out += (uint64_t)nread;
        count_burst(f, (size_t)nread);
        ssh_chan_tx_commit(f->chan, (size_t)nread);
        return;
    }
    if (nread == UV_ENOBUFS) {
        f->starved = true;
        flow_update(f);
        return;
    }
    f->local_eof = true;
    if (nread == UV_EOF && !f->broken) {
        if (f->up == FLOW_UP_OPEN && f->chan) {
            f->up = FLOW_UP_ENDED;
            ssh_chan_eof(f->chan);
        }
        flow_update(f);
        return;
    }
    /* The client reset its connection: its own decision, and no failure of the forward. */
    flow_end(f, NULL, true);
}

/* ---- down ---- */

/* The local side takes no more. What it sent before that is still read and handed on. The kernel tells of a
 * reset only once, here, and says end of file to the next read; only EPIPE means that a real one came before.
 */
static void down_dead(struct flow *f, int status)
{
    f->broken = status != UV_EPIPE;
    credit(f, f->queue.bytes);
    chunkq_done(&f->queue);
    f->down = FLOW_DOWN_DEAD;
}

static void on_write(uv_write_t *req, int status);

/* Writes what is queued until the kernel takes no more, then waits for it to. False: the flow's down side is
 * dead. */
static bool write_queue(struct flow *f)
{
    while (f->queue.bytes > 0) {
        uv_buf_t bufs[WRITE_BUFS];
        unsigned n = chunkq_peek(&f->queue, bufs, WRITE_BUFS);
        int r = uv_try_write(&f->local.stream, bufs, n);
        if (r > 0) {
            chunkq_drop(&f->queue, (size_t)r);
            credit(f, (size_t)r);
            continue;
        }
        if (r == UV_EAGAIN || r == 0) {
            n = n < WAIT_BUFS ? n : WAIT_BUFS;
            f->write_len = 0;
            for (unsigned i = 0; i < n; i++)
                f->write_len += bufs[i].len;
            f->write_req.data = f;
            r = uv_write(&f->write_req, &f->local.stream, bufs, n, on_write);
            if (r == 0) {
                f->writing = true;
                return true;
            }
        }
        down_dead(f, r);
        return false;
    }
    return true;
}

static void on_write(uv_write_t *req, int status)
{
    struct flow *f = req->data;
    f->writing = false;
    if (f->state == FLOW_CLOSING)
        return;
    if (status < 0) {
        down_dead(f, status);
    } else {
        chunkq_drop(&f->queue, f->write_len);
        credit(f, f->write_len);
        write_queue(f);
    }
    flow_update(f);
}

static void on_chan_data(void *arg, const uv_buf_t *bufs, unsigned count)
{
    struct flow *f = arg;
    size_t total = 0, taken = 0;
    for (unsigned i = 0; i < count; i++)
        total += bufs[i].len;
    f->o.counters->in += total;
    count_burst(f, total);
    if (f->down == FLOW_DOWN_DEAD) {
        credit(f, total);
        return;
    }
    if (f->queue.bytes == 0 && !f->writing) {
        int r = uv_try_write(&f->local.stream, bufs, count);
        if (r < 0 && r != UV_EAGAIN) {
            credit(f, total);
            down_dead(f, r);
            flow_update(f);
            return;
        }
        taken = r > 0 ? (size_t)r : 0;
        credit(f, taken);
        if (taken == total)
            return;
    }
    for (unsigned i = 0; i < count; i++) {
        if (taken >= bufs[i].len) {
            taken -= bufs[i].len;
            continue;
        }
        if (chunkq_append(&f->queue, bufs[i].base + taken, bufs[i].len - taken) < 0) {
            struct err err = {0};
            err_set(&err, ERR_NOMEM, "no memory to queue for a slow reader");
            flow_end(f, &err, true);
            return;
        }
        taken = 0;
    }
    if (!f->writing && !write_queue(f))
        flow_update(f);
}

bool flow_say(struct flow *f, const char *bytes, size_t n)
{
    uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)n);
    return uv_try_write(&f->local.stream, &buf, 1) == (int)n;
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    (void)status;
    struct flow *f = req->data;
    if (f->state == FLOW_CLOSING)
        return;
    f->down = FLOW_DOWN_ENDED; /* a client that is gone already needs no end of file */
    flow_update(f);
}

/* ---- the channel's other events ---- */

static void on_chan_opened(void *arg)
{
    struct flow *f = arg;
    flow_opened(f);
    if (f->state == FLOW_OPEN && f->o.events->opened)
        f->o.events->opened(f->o.arg);
}

static void on_chan_writable(void *arg)
{
    struct flow *f = arg;
    f->starved = false;
    flow_update(f);
}

static void on_chan_eof(void *arg)
{
    struct flow *f = arg;
    if (f->down == FLOW_DOWN_OPEN)
        f->down = FLOW_DOWN_DRAIN;
    flow_update(f);
}

static void on_chan_closed(void *arg, const struct err *err)
{
    struct flow *f = arg;
    f->chan = NULL;
    if (f->state != FLOW_OPEN || err) {
        f->told = err && err->code != ERR_REFUSED;
        flow_chan_gone(f, err);
        return;
    }
    pool_leave(&f->waiter);
    if (f->down == FLOW_DOWN_OPEN)
        f->down = FLOW_DOWN_DRAIN;
    flow_update(f);
}

const struct ssh_chan_events flow_chan_events = {
    .opened = on_chan_opened,
    .data = on_chan_data,
    .writable = on_chan_writable,
    .eof = on_chan_eof,
    .closed = on_chan_closed,
};

/* ---- deriving ---- */

static void derive_channel(struct flow *f)
{
    /* Both directions are over: nothing keeps the channel. What was committed goes out before the close. */
    if (f->chan && f->up != FLOW_UP_OPEN && down_over(f)) {
        ssh_chan_close(f->chan);
        f->chan = NULL;
        pool_leave(&f->waiter);
    }
    if (!f->chan && f->up == FLOW_UP_OPEN) {
        f->up = FLOW_UP_DISCARD;
        f->starved = false;
    }
}

static void derive_shutdown(struct flow *f)
{
    if (f->down != FLOW_DOWN_DRAIN || f->queue.bytes > 0 || f->writing)
        return;
    f->shutdown_req.data = f;
    f->down = FLOW_DOWN_FIN;
    if (uv_shutdown(&f->shutdown_req, &f->local.stream, on_shutdown) < 0)
        f->down = FLOW_DOWN_ENDED;
}

static void derive_read(struct flow *f)
{
    bool want = !f->local_eof && !(f->up == FLOW_UP_OPEN && f->starved);
    if (want == f->reading)
        return;
    f->reading = want;
    if (want)
        uv_read_start(&f->local.stream, on_alloc, on_read);
    else
        uv_read_stop(&f->local.stream);
}

void flow_update(struct flow *f)
{
    if (f->state != FLOW_OPEN)
        return;
    derive_shutdown(f);
    derive_channel(f);
    if (f->greeting)
        greeting_push(f);
    if (!f->chan && down_over(f)) {
        if (f->local_eof) {
            flow_end(f, NULL, false);
            return;
        }
        if (!timer_active(&f->timer))
            timer_start(&f->timer, FLOW_LINGER_MS);
    }
    derive_read(f);
}

/*
 * fake_engine: an engine that frames bytes and nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fake_engine.h"

static uint8_t scratch[FAKE_HEADER + SSH_TX_MAX];

int fake_frame(struct fake *f, enum fake_type type, uint32_t id, const void *data, size_t n)
{
    uint8_t head[FAKE_HEADER];
    head[0] = (uint8_t)type;
    fake_put32(head + 1, id);
    fake_put32(head + 5, (uint32_t)n);
    int rc = f->base.up->output(f->base.conn, head, sizeof head);
    return rc == 0 && n ? f->base.up->output(f->base.conn, data, n) : rc;
}

/* For what cannot return an error. */
void fake_send(struct fake *f, enum fake_type type, uint32_t id, const void *data, size_t n)
{
    struct err err;
    if (fake_frame(f, type, id, data, n) < 0) {
        err_set(&err, ERR_NOMEM, "out of memory");
        f->base.up->fatal(f->base.conn, &err);
    }
}

static int create(struct ssh_engine **out, const struct ssh_engine_config *config,
                  const struct ssh_engine_up *up, void *conn, struct err *err)
{
    struct fake *f = mem_zalloc(sizeof *f);
    char *user = mem_strdup(config->user);
    if (!f || !user) {
        mem_free(f);
        mem_free(user);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    f->base.ops = &fake_engine;
    f->base.up = up;
    f->base.conn = conn;
    f->user = user;
    list_init(&f->chans);
    list_init(&f->requests);
    *out = &f->base;
    return 0;
}

void fake_chan_free(struct fake_chan *c)
{
    list_remove(&c->node);
    mem_free(c);
}

static void destroy(struct ssh_engine *e)
{
    struct fake *f = fake_of(e);
    struct list *node;
    fake_requests_done(f);
    while ((node = list_first(&f->chans)) != NULL)
        fake_chan_free(container_of(node, struct fake_chan, node));
    mem_free(f->in);
    mem_free(f->user);
    mem_free(f);
}

static int start(struct ssh_engine *e, struct err *err)
{
    return e->up->output(e->conn, FAKE_VERSION, strlen(FAKE_VERSION)) < 0
               ? err_set(err, ERR_NOMEM, "out of memory")
               : 0;
}

static struct fake_chan *find(struct fake *f, uint32_t id)
{
    struct fake_chan *c;
    list_each(c, &f->chans, struct fake_chan, node)
    {
        if (c->id == id)
            return c;
    }
    return NULL;
}

static void send_close(struct fake *f, struct fake_chan *c)
{
    if (!c->close_sent)
        fake_send(f, FAKE_CLOSE, c->id, NULL, 0);
    c->close_sent = true;
}

static void chan_frame(struct fake *f, struct fake_chan *c, enum fake_type type, const uint8_t *data,
                       size_t n)
{
    const struct ssh_engine_up *up = f->base.up;
    struct ssh_chan *owner = c->base.owner;
    struct err err;
    char text[128];
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)n);
    switch (type) {
    case FAKE_OPENED:
        c->open = true;
        c->window = FAKE_WINDOW;
        if (owner)
            up->opened(owner);
        else
            send_close(f, c);
        break;
    case FAKE_REFUSED:
        n = n < sizeof text - 1 ? n : sizeof text - 1;
        memcpy(text, data, n);
        text[n] = '\0';
        fake_chan_free(c);
        err_set(&err, ERR_REFUSED, "%s", text);
        if (owner)
            up->closed(owner, &err);
        break;
    case FAKE_DATA:
        if (owner && n)
            up->data(owner, &buf, 1);
        break;
    case FAKE_WINDOW_ADD:
        c->window += n == 4 ? fake_get32(data) : 0;
        break;
    case FAKE_EOF:
        if (owner)
            up->eof(owner);
        break;
    case FAKE_CLOSE:
        send_close(f, c);
        fake_chan_free(c);
        if (owner)
            up->closed(owner, NULL);
        break;
    default:
        break;
    }
}

static int on_frame(struct fake *f, enum fake_type type, uint32_t id, const uint8_t *data, size_t n,
                    struct err *err)
{
    const struct ssh_engine_up *up = f->base.up;
    struct ssh_auth_reply reply = {.ok = type == FAKE_WELCOME, .methods = "publickey"};
    struct fake_chan *c;
    switch (type) {
    case FAKE_HOST_KEY:
        if (up->host_key(f->base.conn, data, n, err) < 0)
            return err->code;
        up->ready(f->base.conn);
        return 0;
    case FAKE_WELCOME:
    case FAKE_DENIED:
        up->auth_reply(f->base.conn, &reply);
        return 0;
    case FAKE_PONG:
        up->pong(f->base.conn);
        return 0;
    case FAKE_ANSWER:
        return fake_answered(f, id == 1, data, n, err);
    case FAKE_INCOMING:
        return fake_incoming(f, id, data, n, err);
    default:
        c = find(f, id);
        if (c)
            chan_frame(f, c, type, data, n);
        return 0;
    }
}

/* How many bytes at the front made a whole. */
static long take(struct fake *f, const uint8_t *p, size_t n, struct err *err)
{
    if (!f->banner_seen) {
        const uint8_t *end = memchr(p, '\n', n);
        f->banner_seen = end != NULL;
        return end ? end - p + 1 : 0;
    }
    if (n < FAKE_HEADER)
        return 0;
    uint32_t len = fake_get32(p + 5);
    if (len > FAKE_FRAME_MAX)
        return err_set(err, ERR_PROTOCOL, "a frame is too long");
    if (n < FAKE_HEADER + len)
        return 0;
    int rc = on_frame(f, (enum fake_type)p[0], fake_get32(p + 1), p + FAKE_HEADER, len, err);
    return rc < 0 ? rc : (long)(FAKE_HEADER + len);
}

static int feed(struct ssh_engine *e, const uint8_t *in, size_t n, struct err *err)
{
    struct fake *f = fake_of(e);
    if (f->in_len + n > f->in_cap) {
        uint8_t *bigger = mem_realloc(f->in, f->in_len + n);
        if (!bigger)
            return err_set(err, ERR_NOMEM, "out of memory");
        f->in = bigger;
        f->in_cap = f->in_len + n;
    }
    memcpy(f->in + f->in_len, in, n);
    f->in_len += n;
    size_t done = 0;
    long k;
    while ((k = take(f, f->in + done, f->in_len - done, err)) > 0)
        done += (size_t)k;
    f->in_len -= done;
    memmove(f->in, f->in + done, f->in_len);
    return k < 0 ? (int)k : 0;
}

static int step(struct ssh_engine *e, struct err *err)
{
    return 0;
}

static void goodbye(struct ssh_engine *e)
{
}

static void info(const struct ssh_engine *e, struct ssh_engine_info *out)
{
    out->cipher = "none";
    out->kex = "none";
}

static int say_user(struct fake *f, const uint8_t *blob, size_t n, struct err *err)
{
    size_t len = strlen(f->user) + 1;
    uint8_t *text = mem_alloc(len + n);
    if (!text)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(text, f->user, len);
    if (n)
        memcpy(text + len, blob, n);
    int rc = fake_frame(f, FAKE_USER, 0, text, len + n);
    mem_free(text);
    return rc < 0 ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

static int auth_none(struct ssh_engine *e, struct err *err)
{
    return say_user(fake_of(e), NULL, 0, err);
}

static int auth_key(struct ssh_engine *e, const uint8_t *blob, size_t n, struct err *err)
{
    return say_user(fake_of(e), blob, n, err);
}

static int auth_password(struct ssh_engine *e, const char *password, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED, "no passwords here");
}

static int auth_kbdint(struct ssh_engine *e, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED, "no questions here");
}

static int auth_signature(struct ssh_engine *e, const uint8_t *sig, size_t n, struct err *err)
{
    return 0;
}

static int auth_answers(struct ssh_engine *e, const char *const *answers, unsigned count, struct err *err)
{
    return 0;
}

static const char *nothing_known(const char *type)
{
    return NULL;
}

static int open_chan(struct ssh_engine *e, const struct ssh_open_req *req, struct ssh_chan *owner,
                     struct ssh_echan **out, struct err *err)
{
    struct fake *f = fake_of(e);
    size_t len = strlen(req->type) + 1;
    struct fake_chan *c = mem_zalloc(sizeof *c);
    uint8_t *text = mem_alloc(len + req->message_len);
    int rc = ERR_NOMEM;
    if (c && text) {
        c->base.engine = e;
        c->base.owner = owner;
        c->id = f->next_id++;
        memcpy(text, req->type, len);
        if (req->message_len)
            memcpy(text + len, req->message, req->message_len);
        rc = fake_frame(f, FAKE_OPEN, c->id, text, len + req->message_len);
    }
    mem_free(text);
    if (rc < 0) {
        mem_free(c);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    list_init(&c->node);
    list_push(&f->chans, &c->node);
    *out = &c->base;
    return 0;
}

static bool tx_reserve(struct ssh_echan *ec, uv_buf_t *room)
{
    struct fake_chan *c = (struct fake_chan *)ec;
    if (!c->open || c->eof_sent || c->window == 0)
        return false;
    *room = uv_buf_init((char *)scratch, c->window < SSH_TX_MAX ? c->window : SSH_TX_MAX);
    return true;
}

static int tx_commit(struct ssh_echan *ec, size_t n, struct err *err)
{
    struct fake_chan *c = (struct fake_chan *)ec;
    c->window -= (uint32_t)n;
    return fake_frame(fake_of(ec->engine), FAKE_DATA, c->id, scratch, n) < 0
               ? err_set(err, ERR_NOMEM, "out of memory")
               : 0;
}

static void rx_consume(struct ssh_echan *ec, size_t n)
{
    struct fake_chan *c = (struct fake_chan *)ec;
    uint8_t credit[4];
    c->uncredited += (uint32_t)n;
    if (c->uncredited < FAKE_WINDOW / 8)
        return;
    fake_put32(credit, c->uncredited);
    c->uncredited = 0;
    fake_send(fake_of(ec->engine), FAKE_WINDOW_ADD, c->id, credit, sizeof credit);
}

static void send_eof(struct ssh_echan *ec)
{
    struct fake_chan *c = (struct fake_chan *)ec;
    c->eof_sent = true;
    fake_send(fake_of(ec->engine), FAKE_EOF, c->id, NULL, 0);
}

static void close_chan(struct ssh_echan *ec)
{
    struct fake_chan *c = (struct fake_chan *)ec;
    c->base.owner = NULL;
    if (c->open)
        send_close(fake_of(ec->engine), c);
}

static int ping(struct ssh_engine *e, struct err *err)
{
    return fake_frame(fake_of(e), FAKE_PING, 0, NULL, 0) < 0 ? err_set(err, ERR_NOMEM, "out of memory") : 1;
}

const struct ssh_engine_ops fake_engine = {
    .name = "fake",
    .create = create,
    .free = destroy,
    .start = start,
    .feed = feed,
    .step = step,
    .goodbye = goodbye,
    .info = info,
    .auth_none = auth_none,
    .auth_key = auth_key,
    .auth_password = auth_password,
    .auth_kbdint = auth_kbdint,
    .auth_signature = auth_signature,
    .auth_answers = auth_answers,
    .key_trouble = nothing_known,
    .key_refusal = nothing_known,
    .open = open_chan,
    .tx_reserve = tx_reserve,
    .tx_commit = tx_commit,
    .rx_consume = rx_consume,
    .eof = send_eof,
    .close = close_chan,
    .request = fake_request,
    .accept = fake_accept,
    .refuse = fake_refuse,
    .ping = ping,
};

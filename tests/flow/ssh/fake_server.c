/*
 * fake_server: the other end of the fake engine: connects channels to real targets, with a window each way.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/wire.h"
#include "fake_server.h"

#define READ_SIZE 65536

static const uint8_t host_key[] = {0,   0,   0,  11, 's', 's', 'h', '-', 'e', 'd', '2', '5', '5',
                                   '1', '9', 0,  0,  0,   32,  1,   2,   3,   4,   5,   6,   7,
                                   8,   9,   10, 11, 12,  13,  14,  15,  16,  17,  18,  19,  20,
                                   21,  22,  23, 24, 25,  26,  27,  28,  29,  30,  31,  32};

struct write {
    uv_write_t req;
    struct chan *chan; /* NULL: to the client */
    size_t n;
    uint8_t data[];
};

static void chan_maybe_close(struct chan *c);

struct chan **fake_slot(struct session *s, uint32_t id)
{
    uint32_t k = id & ~FAKE_THEIRS;
    if (id & FAKE_THEIRS)
        return k < FAKE_INCOMING_MAX ? &s->theirs[k] : NULL;
    return k < CHANS_MAX ? &s->chans[k] : NULL;
}

static void on_sent(uv_write_t *req, int status)
{
    free(req->data);
}

void fake_reply(struct session *s, enum fake_type type, uint32_t id, const void *data, size_t n)
{
    struct write *w = malloc(sizeof *w + FAKE_HEADER + n);
    w->data[0] = (uint8_t)type;
    fake_put32(w->data + 1, id);
    fake_put32(w->data + 5, (uint32_t)n);
    if (n)
        memcpy(w->data + FAKE_HEADER, data, n);
    w->req.data = w;
    uv_buf_t buf = uv_buf_init((char *)w->data, (unsigned)(FAKE_HEADER + n));
    if (s->closing || uv_write(&w->req, (uv_stream_t *)&s->tcp, &buf, 1, on_sent) < 0)
        free(w);
}

static void on_chan_closed(uv_handle_t *h)
{
    struct chan *c = h->data;
    struct session *s = c->session;
    struct chan **at = fake_slot(s, c->id);
    if (*at == c)
        *at = NULL;
    free(c);
}

void fake_target_drop(struct chan *c)
{
    if (c->closing)
        return;
    c->closing = true;
    if (c->live)
        uv_close((uv_handle_t *)&c->io, on_chan_closed);
    else
        c->io.stream.data = c, on_chan_closed((uv_handle_t *)&c->io);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    static char data[READ_SIZE];
    struct chan *c = h->data;
    *buf = uv_buf_init(data, c->window < sizeof data ? c->window : (unsigned)sizeof data);
}

static void on_target_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct chan *c = h->data;
    if (n > 0) {
        c->window -= (uint32_t)n;
        fake_reply(c->session, FAKE_DATA, c->id, buf->base, (size_t)n);
        if (c->window == 0)
            uv_read_stop(h);
        return;
    }
    if (n == 0)
        return;
    uv_read_stop(h);
    c->target_eof = true;
    fake_reply(c->session, FAKE_EOF, c->id, NULL, 0);
    if (n != UV_EOF)
        c->shut = true;
    chan_maybe_close(c);
}

static void chan_maybe_close(struct chan *c)
{
    if (c->close_got || (c->target_eof && c->shut)) {
        if (!c->close_sent)
            fake_reply(c->session, FAKE_CLOSE, c->id, NULL, 0);
        c->close_sent = true;
    }
    if (c->close_got && c->close_sent)
        fake_target_drop(c);
}

static void on_shut(uv_shutdown_t *req, int status)
{
    struct chan *c = req->data;
    free(req);
    if (status == UV_ECANCELED)
        return;
    c->shut = true;
    chan_maybe_close(c);
}

static void shut_target(struct chan *c)
{
    uv_shutdown_t *req = malloc(sizeof *req);
    req->data = c;
    if (uv_shutdown(req, &c->io.stream, on_shut) < 0) {
        free(req);
        c->shut = true;
        chan_maybe_close(c);
    }
}

static void on_target_written(uv_write_t *req, int status)
{
    struct write *w = req->data;
    struct chan *c = w->chan;
    uint8_t credit[4];
    if (status != UV_ECANCELED && !c->closing) {
        fake_put32(credit, (uint32_t)w->n);
        fake_reply(c->session, FAKE_WINDOW_ADD, c->id, credit, sizeof credit);
    }
    free(w);
}

static void to_target(struct chan *c, const uint8_t *data, size_t n)
{
    struct write *w = malloc(sizeof *w + n);
    w->chan = c;
    w->n = n;
    memcpy(w->data, data, n);
    w->req.data = w;
    uv_buf_t buf = uv_buf_init((char *)w->data, (unsigned)n);
    if (uv_write(&w->req, &c->io.stream, &buf, 1, on_target_written) < 0)
        free(w);
}

void fake_target_begin(struct chan *c)
{
    c->connected = true;
    uv_read_start(&c->io.stream, on_alloc, on_target_read);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct chan *c = req->data;
    if (status == UV_ECANCELED)
        return;
    if (status < 0) {
        fake_reply(c->session, FAKE_REFUSED, c->id, uv_strerror(status), strlen(uv_strerror(status)));
        fake_target_drop(c);
        return;
    }
    fake_reply(c->session, FAKE_OPENED, c->id, NULL, 0);
    fake_target_begin(c);
}

static void open_chan(struct session *s, uint32_t id, const uint8_t *data, size_t n)
{
    const char *type = (const char *)data;
    size_t len = strnlen(type, n);
    struct wire_reader r;
    char name[256];
    struct sockaddr_in a;
    wire_read_init(&r, data + len + 1, n > len ? n - len - 1 : 0);
    struct wire_str host = wire_get_str(&r);
    if (id >= CHANS_MAX || host.len == 0 || host.len >= sizeof name) {
        fake_reply(s, FAKE_REFUSED, id, "unknown channel type", 20);
        return;
    }
    struct chan *c = calloc(1, sizeof *c);
    memcpy(name, host.data, host.len);
    name[host.len] = '\0';
    c->session = s;
    c->id = id;
    c->window = FAKE_WINDOW;
    c->live = true;
    c->connect.data = c;
    s->chans[id] = c;
    if (strcmp(type, "direct-tcpip") == 0) {
        uv_tcp_init(s->tcp.loop, &c->io.tcp);
        c->io.stream.data = c;
        uv_ip4_addr(name, (int)wire_get_u32(&r), &a);
        if (uv_tcp_connect(&c->connect, &c->io.tcp, (struct sockaddr *)&a, on_connected) < 0)
            abort();
    } else {
        uv_pipe_init(s->tcp.loop, &c->io.pipe, 0);
        c->io.stream.data = c;
        uv_pipe_connect(&c->connect, &c->io.pipe, name, on_connected);
    }
}

static void on_frame(struct session *s, enum fake_type type, uint32_t id, const uint8_t *data, size_t n)
{
    struct chan **at = fake_slot(s, id), *c = at ? *at : NULL;
    size_t user = strnlen((const char *)data, n);
    switch (type) {
    case FAKE_USER:
        fake_reply(s, n > user + 1 && memcmp(data, "nobody", 6) != 0 ? FAKE_WELCOME : FAKE_DENIED, 0, NULL,
                   0);
        return;
    case FAKE_PING:
        fake_reply(s, FAKE_PONG, 0, NULL, 0);
        return;
    case FAKE_OPEN:
        open_chan(s, id, data, n);
        return;
    case FAKE_REQUEST:
        fake_requested(s, data, n);
        return;
    default:
        break;
    }
    if (!c || c->closing)
        return;
    if (type == FAKE_ACCEPTED || type == FAKE_TURNED_DOWN) {
        fake_decided(c, type == FAKE_ACCEPTED);
        return;
    }
    if (type == FAKE_DATA)
        to_target(c, data, n);
    else if (type == FAKE_EOF)
        shut_target(c);
    else if (type == FAKE_CLOSE) {
        c->close_got = true;
        chan_maybe_close(c);
    } else if (type == FAKE_WINDOW_ADD && n == 4) {
        bool was_shut = c->window == 0;
        c->window += fake_get32(data);
        if (was_shut && c->connected && !c->target_eof)
            uv_read_start(&c->io.stream, on_alloc, on_target_read);
    }
}

static size_t take(struct session *s, const uint8_t *p, size_t n)
{
    if (!s->banner_seen) {
        const uint8_t *end = memchr(p, '\n', n);
        if (!end)
            return 0;
        s->banner_seen = true;
        fake_reply(s, FAKE_HOST_KEY, 0, host_key, sizeof host_key);
        return (size_t)(end - p) + 1;
    }
    if (n < FAKE_HEADER)
        return 0;
    uint32_t len = fake_get32(p + 5);
    if (len > FAKE_FRAME_MAX || n < FAKE_HEADER + len)
        return 0;
    on_frame(s, (enum fake_type)p[0], fake_get32(p + 1), p + FAKE_HEADER, len);
    return FAKE_HEADER + len;
}

static void on_session_closed(uv_handle_t *h)
{
    /* its channels may still be closing: the few bytes live as long as the process */
}

static void session_over(struct session *s)
{
    if (s->closing)
        return;
    s->closing = true;
    for (size_t i = 0; i < CHANS_MAX; i++) {
        if (s->chans[i])
            fake_target_drop(s->chans[i]);
    }
    fake_listens_over(s);
    uv_close((uv_handle_t *)&s->tcp, on_session_closed);
}

static void on_client_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct session *s = h->data;
    if (s->in_cap - s->in_len < READ_SIZE) {
        s->in_cap = s->in_len + READ_SIZE;
        s->in = realloc(s->in, s->in_cap);
    }
    *buf = uv_buf_init((char *)s->in + s->in_len, READ_SIZE);
}

static void on_client_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct session *s = h->data;
    if (n < 0) {
        session_over(s);
        return;
    }
    s->in_len += (size_t)n;
    size_t done = 0, k;
    while ((k = take(s, s->in + done, s->in_len - done)) > 0)
        done += k;
    s->in_len -= done;
    memmove(s->in, s->in + done, s->in_len);
}

static void on_client(uv_stream_t *h, int status)
{
    struct session *s = calloc(1, sizeof *s);
    struct write *w = malloc(sizeof *w + sizeof FAKE_VERSION);
    uv_tcp_init(h->loop, &s->tcp);
    s->tcp.data = s;
    if (uv_accept(h, (uv_stream_t *)&s->tcp) < 0)
        abort();
    uv_tcp_nodelay(&s->tcp, 1);
    memcpy(w->data, FAKE_VERSION, sizeof FAKE_VERSION);
    w->req.data = w;
    uv_buf_t buf = uv_buf_init((char *)w->data, sizeof FAKE_VERSION - 1);
    uv_write(&w->req, (uv_stream_t *)&s->tcp, &buf, 1, on_sent);
    uv_read_start((uv_stream_t *)&s->tcp, on_client_alloc, on_client_read);
}

static void serve(int tell)
{
    uv_loop_t loop;
    uv_tcp_t listener;
    struct sockaddr_in a;
    int len = sizeof a;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    uv_tcp_init(&loop, &listener);
    uv_ip4_addr("127.0.0.1", 0, &a);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&a, 0) < 0 ||
        uv_listen((uv_stream_t *)&listener, 128, on_client) < 0)
        abort();
    uv_tcp_getsockname(&listener, (struct sockaddr *)&a, &len);
    uint16_t port = ntohs(a.sin_port);
    if (write(tell, &port, sizeof port) != sizeof port)
        abort();
    close(tell);
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(0);
}

pid_t fake_server_start(uint16_t *port)
{
    int fds[2];
    if (pipe(fds) < 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        serve(fds[1]);
    }
    close(fds[1]);
    if (pid < 0 || read(fds[0], port, sizeof *port) != sizeof *port)
        abort();
    close(fds[0]);
    return pid;
}

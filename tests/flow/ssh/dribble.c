/*
 * dribble: a relay that hands the server's bytes on in small pieces.
 */
#include "dribble.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static void next_piece(struct dribble *d);

static void on_up_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct dribble *d = h->data;
    *buf = uv_buf_init(d->up, sizeof d->up);
}

static void on_up_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf);

static void on_up_written(uv_write_t *req, int status)
{
    struct dribble *d = req->data;
    if (status == 0)
        uv_read_start((uv_stream_t *)&d->client, on_up_alloc, on_up_read);
}

static void on_up_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct dribble *d = h->data;
    uv_read_stop(h);
    if (n <= 0)
        return;
    uv_buf_t out = uv_buf_init(buf->base, (unsigned)n);
    d->up_write.data = d;
    uv_write(&d->up_write, (uv_stream_t *)&d->server, &out, 1, on_up_written);
}

static void on_down_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct dribble *d = h->data;
    *buf = uv_buf_init(d->down, sizeof d->down);
}

static void on_down_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct dribble *d = h->data;
    uv_read_stop(h);
    if (n <= 0)
        return;
    d->down_len = (size_t)n;
    d->down_done = 0;
    next_piece(d);
}

static void on_piece(uv_write_t *req, int status)
{
    struct dribble *d = req->data;
    if (status == 0)
        next_piece(d);
}

static void next_piece(struct dribble *d)
{
    if (d->down_done == d->down_len) {
        uv_read_start((uv_stream_t *)&d->server, on_down_alloc, on_down_read);
        return;
    }
    d->piece = d->piece % DRIBBLE_PIECE + 1;
    size_t left = d->down_len - d->down_done, n = left < d->piece ? left : d->piece;
    uv_buf_t out = uv_buf_init(d->down + d->down_done, (unsigned)n);
    d->down_done += n;
    d->down_write.data = d;
    uv_write(&d->down_write, (uv_stream_t *)&d->client, &out, 1, on_piece);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct dribble *d = req->data;
    if (status < 0)
        return;
    uv_read_start((uv_stream_t *)&d->client, on_up_alloc, on_up_read);
    uv_read_start((uv_stream_t *)&d->server, on_down_alloc, on_down_read);
}

static void on_connection(uv_stream_t *h, int status)
{
    struct dribble *d = h->data;
    struct sockaddr_in a;
    if (d->accepted)
        return;
    d->accepted = true;
    uv_tcp_init(h->loop, &d->client);
    uv_tcp_init(h->loop, &d->server);
    d->client.data = d->server.data = d->connect.data = d;
    d->handles += 2;
    uv_ip4_addr("127.0.0.1", d->to, &a);
    if (uv_accept(h, (uv_stream_t *)&d->client) < 0 ||
        uv_tcp_connect(&d->connect, &d->server, (struct sockaddr *)&a, on_connected) < 0)
        abort();
    uv_tcp_nodelay(&d->client, 1);
    uv_tcp_nodelay(&d->server, 1);
}

void dribble_start(struct dribble *d, uv_loop_t *loop, uint16_t to)
{
    struct sockaddr_in a;
    int len = sizeof a;
    memset(d, 0, sizeof *d);
    d->to = to;
    d->handles = 1;
    uv_tcp_init(loop, &d->listener);
    d->listener.data = d;
    uv_ip4_addr("127.0.0.1", 0, &a);
    if (uv_tcp_bind(&d->listener, (struct sockaddr *)&a, 0) < 0 ||
        uv_listen((uv_stream_t *)&d->listener, 1, on_connection) < 0)
        abort();
    uv_tcp_getsockname(&d->listener, (struct sockaddr *)&a, &len);
    d->port = ntohs(a.sin_port);
}

static void on_closed(uv_handle_t *h)
{
    struct dribble *d = h->data;
    d->handles--;
}

void dribble_stop(struct dribble *d)
{
    uv_close((uv_handle_t *)&d->listener, on_closed);
    if (!d->accepted)
        return;
    uv_close((uv_handle_t *)&d->client, on_closed);
    uv_close((uv_handle_t *)&d->server, on_closed);
}

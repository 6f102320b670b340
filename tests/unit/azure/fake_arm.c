/*
 * fake_arm: TLS by OpenSSL over memory BIOs, so that the server needs no thread of its own.
 */
#include "fake_arm.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "fake_cert.h"

#define ROUTES_MAX 512
#define ANSWERS_MAX 32
#define SEEN_MAX 8192
#define CONN_IN_MAX (64 << 10)

struct answer {
    int status;
    char *headers, *body;
};

struct route {
    char *prefix;
    struct answer answers[ANSWERS_MAX];
    unsigned count, next;
};

struct fake_arm {
    uv_tcp_t listener;
    uv_loop_t *loop;
    SSL_CTX *ctx;
    EVP_PKEY *key;
    X509 *cert;
    char url[64], ca_file[64];
    struct route routes[ROUTES_MAX];
    unsigned route_count;
    char *seen[SEEN_MAX];
    unsigned seen_count, connections;
    struct list conns;
    bool held, plain;
};

struct conn {
    struct list node;
    struct fake_arm *fake;
    uv_tcp_t tcp;
    SSL *ssl;
    BIO *from_net, *to_net;
    char in[CONN_IN_MAX];
    size_t in_len;
    char *waiting; /* answer that is held, with its length */
    size_t waiting_len;
    bool end_after;
    char net[16384];
};

struct write {
    uv_write_t req;
    char data[];
};

static void die(const char *what)
{
    fprintf(stderr, "fake_arm: %s\n", what);
    abort();
}

static void on_conn_closed(uv_handle_t *h)
{
    struct conn *c = h->data;
    SSL_free(c->ssl);
    free(c->waiting);
    free(c);
}

static void conn_close(struct conn *c)
{
    if (uv_is_closing((uv_handle_t *)&c->tcp))
        return;
    list_remove(&c->node);
    uv_close((uv_handle_t *)&c->tcp, on_conn_closed);
}

static void on_written(uv_write_t *req, int status)
{
    free(container_of(req, struct write, req));
}

static void flush(struct conn *c)
{
    size_t n = BIO_ctrl_pending(c->to_net);
    if (n == 0 || uv_is_closing((uv_handle_t *)&c->tcp))
        return;
    struct write *w = malloc(sizeof(*w) + n);
    BIO_read(c->to_net, w->data, (int)n);
    uv_buf_t buf = uv_buf_init(w->data, (unsigned)n);
    if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &buf, 1, on_written))
        free(w);
}

static struct route *route_of(struct fake_arm *f, const char *line)
{
    struct route *best = NULL;
    for (unsigned i = 0; i < f->route_count; i++) {
        struct route *r = &f->routes[i];
        if (r->prefix && strncasecmp(line, r->prefix, strlen(r->prefix)) == 0 &&
            (!best || strlen(r->prefix) > strlen(best->prefix)))
            best = r;
    }
    return best;
}

static void conn_send(struct conn *c, const char *data, size_t n, bool end)
{
    if (n && c->fake->plain)
        BIO_write(c->to_net, data, (int)n);
    else if (n)
        SSL_write(c->ssl, data, (int)n);
    if (end && !c->fake->plain)
        SSL_shutdown(c->ssl);
    flush(c);
    if (end)
        conn_close(c);
}

/* Answers one request; returns false when the connection is not to be used any more. */
static bool answer(struct conn *c, const char *line)
{
    static struct answer unknown = {404, NULL, NULL};
    struct fake_arm *f = c->fake;
    struct route *r = route_of(f, line);
    struct answer *a = r ? &r->answers[r->next < r->count - 1 ? r->next++ : r->next] : &unknown;
    char head[8192];
    const char *body = a->body ? a->body : "";
    if (a->status == FAKE_HANG)
        return true;
    if (a->status == FAKE_RESET) {
        list_remove(&c->node);
        uv_tcp_close_reset(&c->tcp, on_conn_closed);
        return false;
    }
    int n = snprintf(head, sizeof(head), "HTTP/1.1 %d Because\r\nContent-Length: %zu\r\n%s\r\n",
                     a->status == FAKE_CUT ? 200 : a->status, strlen(body), a->headers ? a->headers : "");
    size_t body_len = a->status == FAKE_CUT ? strlen(body) / 2 : strlen(body);
    char *all = malloc((size_t)n + body_len + 1);
    memcpy(all, head, (size_t)n);
    memcpy(all + n, body, body_len);
    bool end = a->status == FAKE_CUT;
    if (f->held) {
        c->waiting = all;
        c->waiting_len = (size_t)n + body_len;
        c->end_after = end;
        return true;
    }
    conn_send(c, all, (size_t)n + body_len, end);
    free(all);
    return !end;
}

static bool take_request(struct conn *c)
{
    struct fake_arm *f = c->fake;
    c->in[c->in_len] = 0;
    char *end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return false;
    char *length = strcasestr(c->in, "\r\ncontent-length:");
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    size_t total = (size_t)(end - c->in) + 4 + body;
    if (c->in_len < total)
        return false;
    if (f->seen_count == SEEN_MAX)
        die("too many requests");
    char *text = strndup(c->in, total);
    f->seen[f->seen_count++] = text;
    memmove(c->in, c->in + total, c->in_len - total);
    c->in_len -= total;
    return answer(c, text);
}

static void on_alloc(uv_handle_t *h, size_t n, uv_buf_t *buf)
{
    struct conn *c = h->data;
    *buf = uv_buf_init(c->net, sizeof(c->net));
}

static int conn_take(struct conn *c)
{
    int room = (int)(CONN_IN_MAX - 1 - c->in_len);
    char *to = c->in + c->in_len;
    return c->fake->plain ? BIO_read(c->from_net, to, room) : SSL_read(c->ssl, to, room);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = s->data;
    int got;
    if (n < 0) {
        conn_close(c);
        return;
    }
    BIO_write(c->from_net, buf->base, (int)n);
    while ((got = conn_take(c)) > 0) {
        c->in_len += (size_t)got;
        while (take_request(c))
            ;
        if (uv_is_closing((uv_handle_t *)&c->tcp))
            return;
    }
    flush(c);
}

static void on_connection(uv_stream_t *s, int status)
{
    struct fake_arm *f = s->data;
    struct conn *c = calloc(1, sizeof(*c));
    c->fake = f;
    c->tcp.data = c;
    uv_tcp_init(f->loop, &c->tcp);
    list_push(&f->conns, &c->node);
    c->ssl = SSL_new(f->ctx);
    c->from_net = BIO_new(BIO_s_mem());
    c->to_net = BIO_new(BIO_s_mem());
    SSL_set_bio(c->ssl, c->from_net, c->to_net);
    SSL_set_accept_state(c->ssl);
    if (uv_accept(s, (uv_stream_t *)&c->tcp) || uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read)) {
        conn_close(c);
        return;
    }
    f->connections++;
}

static struct fake_arm *make(uv_loop_t *loop, bool plain)
{
    struct fake_arm *f = calloc(1, sizeof(*f));
    struct sockaddr_in addr;
    int len = sizeof(addr);
    f->loop = loop;
    f->plain = plain;
    list_init(&f->conns);
    fake_cert_make(&f->key, &f->cert, f->ca_file, sizeof(f->ca_file));
    f->ctx = SSL_CTX_new(TLS_server_method());
    if (!f->ctx || SSL_CTX_use_certificate(f->ctx, f->cert) != 1 ||
        SSL_CTX_use_PrivateKey(f->ctx, f->key) != 1)
        die("TLS context");
    uv_tcp_init(loop, &f->listener);
    f->listener.data = f;
    uv_ip4_addr("127.0.0.1", 0, &addr);
    if (uv_tcp_bind(&f->listener, (struct sockaddr *)&addr, 0) ||
        uv_listen((uv_stream_t *)&f->listener, 64, on_connection) ||
        uv_tcp_getsockname(&f->listener, (struct sockaddr *)&addr, &len))
        die("listen");
    snprintf(f->url, sizeof(f->url), "%s://127.0.0.1:%d", plain ? "http" : "https", ntohs(addr.sin_port));
    return f;
}

struct fake_arm *fake_arm_new(uv_loop_t *loop)
{
    return make(loop, false);
}

struct fake_arm *fake_arm_new_plain(uv_loop_t *loop)
{
    return make(loop, true);
}

static void on_listener_closed(uv_handle_t *h)
{
    struct fake_arm *f = h->data;
    for (unsigned i = 0; i < f->route_count; i++)
        fake_arm_forget(f, f->routes[i].prefix);
    for (unsigned i = 0; i < f->seen_count; i++)
        free(f->seen[i]);
    SSL_CTX_free(f->ctx);
    EVP_PKEY_free(f->key);
    X509_free(f->cert);
    unlink(f->ca_file);
    free(f);
}

void fake_arm_close(struct fake_arm *f)
{
    struct list *node;
    while ((node = list_first(&f->conns)) != NULL)
        conn_close(container_of(node, struct conn, node));
    uv_close((uv_handle_t *)&f->listener, on_listener_closed);
}

const char *fake_arm_url(const struct fake_arm *f)
{
    return f->url;
}

const char *fake_arm_ca_file(const struct fake_arm *f)
{
    return f->ca_file;
}

void fake_arm_forget(struct fake_arm *f, const char *prefix)
{
    for (unsigned i = 0; prefix && i < f->route_count; i++) {
        struct route *r = &f->routes[i];
        if (!r->prefix || strcmp(r->prefix, prefix) != 0)
            continue;
        for (unsigned k = 0; k < r->count; k++) {
            free(r->answers[k].headers);
            free(r->answers[k].body);
        }
        free(r->prefix);
        memset(r, 0, sizeof(*r));
        return;
    }
}

void fake_arm_on(struct fake_arm *f, const char *prefix, int status, const char *headers, const char *body)
{
    struct route *r = NULL, *free_one = NULL;
    for (unsigned i = 0; i < f->route_count; i++) {
        if (!f->routes[i].prefix)
            free_one = &f->routes[i];
        else if (strcmp(f->routes[i].prefix, prefix) == 0)
            r = &f->routes[i];
    }
    if (!r && !free_one && f->route_count == ROUTES_MAX)
        die("too many routes");
    if (!r) {
        r = free_one ? free_one : &f->routes[f->route_count++];
        r->prefix = strdup(prefix);
    }
    if (r->count == ANSWERS_MAX)
        die("too many answers");
    r->answers[r->count++] =
        (struct answer){status, headers ? strdup(headers) : NULL, body ? strdup(body) : NULL};
}

void fake_arm_hold(struct fake_arm *f, bool held)
{
    struct conn *c;
    f->held = held;
    if (held)
        return;
    list_each(c, &f->conns, struct conn, node)
    {
        char *data = c->waiting;
        c->waiting = NULL;
        if (data)
            conn_send(c, data, c->waiting_len, c->end_after);
        free(data);
    }
}

unsigned fake_arm_hits(const struct fake_arm *f, const char *prefix)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->seen_count; i++)
        n += strncasecmp(f->seen[i], prefix, strlen(prefix)) == 0;
    return n;
}

const char *fake_arm_last(const struct fake_arm *f, const char *prefix)
{
    for (unsigned i = f->seen_count; i > 0; i--)
        if (strncasecmp(f->seen[i - 1], prefix, strlen(prefix)) == 0)
            return f->seen[i - 1];
    return "";
}

unsigned fake_arm_connections(const struct fake_arm *f)
{
    return f->connections;
}

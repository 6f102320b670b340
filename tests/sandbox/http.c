/*
 * http: libmicrohttpd without threads: its epoll descriptor and its timeouts hang on the main loop.
 */
#include "http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/strbuf.h"

#define BODY_MAX (1U << 20)

/* One request, from its first line until its reply is sent. */
struct exchange {
    struct http *http;
    struct MHD_Connection *conn;
    struct strbuf body;
    bool too_large, handled;
    struct http_reply reply;
    uv_timer_t *wait; /* while suspended */
    struct list node; /* on http->waiting then */
};

const char *http_query(const struct http_request *q, const char *name)
{
    return MHD_lookup_connection_value(q->conn, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_request *q, const char *name)
{
    return MHD_lookup_connection_value(q->conn, MHD_HEADER_KIND, name);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

char *http_form_value(const char *body, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = body; p; p = strchr(p, '&') ? strchr(p, '&') + 1 : NULL) {
        if (strncmp(p, name, len) != 0 || p[len] != '=')
            continue;
        p += len + 1;
        size_t n = strcspn(p, "&");
        char *out = mem_alloc(n + 1);
        if (!out)
            return NULL;
        size_t k = 0;
        for (size_t i = 0; i < n; i++) {
            int high = p[i] == '%' && i + 2 < n ? hex_digit(p[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(p[i + 2]) : -1;
            if (low >= 0) {
                out[k++] = (char)(high << 4 | low);
                i += 2;
            } else {
                out[k++] = p[i] == '+' ? ' ' : p[i];
            }
        }
        out[k] = 0;
        return out;
    }
    return NULL;
}

void http_reply_header(struct http_reply *r, const char *name, const char *fmt, ...)
{
    if (r->headers_count == HTTP_HEADERS_MAX)
        return;
    va_list ap;
    va_start(ap, fmt);
    r->headers[r->headers_count].name = name;
    r->headers[r->headers_count++].value = mem_vprintf(fmt, ap);
    va_end(ap);
}

static void http_pump(struct http *h);

static void on_timer_closed(uv_handle_t *t)
{
    mem_free(t);
}

static void wait_end(struct exchange *x)
{
    if (!x->wait)
        return;
    uv_close((uv_handle_t *)x->wait, on_timer_closed);
    x->wait = NULL;
    list_remove(&x->node);
}

static void on_wait(uv_timer_t *t)
{
    struct exchange *x = t->data;
    struct http *h = x->http;
    wait_end(x);
    MHD_resume_connection(x->conn);
    http_pump(h);
}

static enum MHD_Result reply_send(struct exchange *x)
{
    struct http_reply *r = &x->reply;
    char *text = r->body ? json_dumps(r->body, JSON_COMPACT) : NULL;
    static char nothing[] = "";
    struct MHD_Response *m =
        MHD_create_response_from_buffer(text ? strlen(text) : 0, text ? text : nothing,
                                        text ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!m)
        return MHD_NO;
    if (text)
        MHD_add_response_header(m, "Content-Type", "application/json; charset=utf-8");
    for (unsigned i = 0; i < r->headers_count; i++)
        if (r->headers[i].value)
            MHD_add_response_header(m, r->headers[i].name, r->headers[i].value);
    enum MHD_Result rc = MHD_queue_response(x->conn, r->status ? r->status : 200, m);
    MHD_destroy_response(m);
    return rc;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **con_cls)
{
    (void)version;
    struct http *h = cls;
    struct exchange *x = *con_cls;
    if (!x) {
        x = mem_zalloc(sizeof *x);
        if (!x)
            return MHD_NO;
        x->http = h;
        x->conn = conn;
        strbuf_init(&x->body);
        list_init(&x->node);
        *con_cls = x;
        return MHD_YES;
    }
    if (*size) {
        x->too_large = x->too_large || x->body.len + *size > BODY_MAX;
        if (!x->too_large)
            strbuf_add(&x->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (!x->handled) {
        x->handled = true;
        struct http_request q = {.method = method,
                                 .path = url,
                                 .body = x->body.data ? x->body.data : "",
                                 .body_len = x->body.len,
                                 .conn = conn};
        if (x->too_large)
            x->reply.status = 413;
        else
            h->handler(h->arg, &q, &x->reply);
        if (x->reply.delay_ms && (x->wait = mem_zalloc(sizeof *x->wait))) {
            uv_timer_init(h->loop, x->wait);
            x->wait->data = x;
            uv_timer_start(x->wait, on_wait, x->reply.delay_ms, 0);
            list_push(&h->waiting, &x->node);
            MHD_suspend_connection(conn);
            return MHD_YES;
        }
    }
    return reply_send(x);
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **con_cls,
                         enum MHD_RequestTerminationCode how)
{
    (void)cls;
    (void)conn;
    (void)how;
    struct exchange *x = *con_cls;
    if (!x)
        return;
    wait_end(x);
    strbuf_done(&x->body);
    json_decref(x->reply.body);
    for (unsigned i = 0; i < x->reply.headers_count; i++)
        mem_free(x->reply.headers[i].value);
    mem_free(x);
    *con_cls = NULL;
}

static void on_timer(uv_timer_t *t)
{
    http_pump(t->data);
}

static void http_pump(struct http *h)
{
    MHD_UNSIGNED_LONG_LONG ms;
    MHD_run(h->daemon);
    if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
        uv_timer_start(&h->timer, on_timer, ms, 0);
    else
        uv_timer_stop(&h->timer);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    (void)events;
    (void)status;
    http_pump(p->data);
}

/* Handshakes that clients break off are their business. */
static void on_mhd_log(void *cls, const char *fmt, va_list ap)
{
}

int http_start(struct http *h, uv_loop_t *loop, uint16_t port, const char *chain_pem, const char *key_pem,
               http_handler_cb handler, void *arg, struct err *err)
{
    *h = (struct http){.loop = loop, .handler = handler, .arg = arg};
    list_init(&h->waiting);
    h->chain_pem = mem_strdup(chain_pem);
    h->key_pem = mem_strdup(key_pem);
    unsigned tls = chain_pem ? MHD_USE_TLS : 0;
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct MHD_OptionItem pems[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, h->chain_pem},
                                    {MHD_OPTION_HTTPS_MEM_KEY, 0, h->key_pem},
                                    {MHD_OPTION_END, 0, NULL}};
    h->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | tls | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, port, NULL, NULL,
                         on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL, MHD_OPTION_SOCK_ADDR,
                         &at, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_TIMEOUT,
                         300U, MHD_OPTION_ARRAY, tls ? pems : &pems[2], MHD_OPTION_END);
    if (!h->daemon)
        return err_set(err, ERR_EXISTS, "cannot listen for HTTP on 127.0.0.1 port %u: it may be in use",
                       port);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_LISTEN_FD);
    socklen_t n = sizeof at;
    if (info && getsockname(info->listen_fd, (struct sockaddr *)&at, &n) == 0)
        h->port = ntohs(at.sin_port);
    snprintf(h->base, sizeof h->base, "%s://127.0.0.1:%u", tls ? "https" : "http", h->port);
    info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    uv_poll_init(loop, &h->poll, info->epoll_fd);
    uv_timer_init(loop, &h->timer);
    h->poll.data = h->timer.data = h;
    uv_poll_start(&h->poll, UV_READABLE, on_poll);
    http_pump(h);
    return 0;
}

void http_stop(struct http *h)
{
    if (!h->daemon)
        return;
    struct exchange *x;
    list_each(x, &h->waiting, struct exchange, node)
    {
        wait_end(x);
        MHD_resume_connection(x->conn);
    }
    MHD_run(h->daemon); /* a suspended connection may not meet the end of the daemon */
    uv_poll_stop(&h->poll);
    uv_close((uv_handle_t *)&h->poll, NULL);
    uv_close((uv_handle_t *)&h->timer, NULL);
    MHD_stop_daemon(h->daemon);
    h->daemon = NULL;
    mem_free(h->chain_pem);
    if (h->key_pem)
        mem_free_secret(h->key_pem, strlen(h->key_pem));
}

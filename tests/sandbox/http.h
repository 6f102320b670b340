/*
 * http: an HTTP or HTTPS server on loopback, run by the main loop: whole requests in, whole replies out, late
 * if told so.
 */
#ifndef ADIT_SANDBOX_HTTP_H
#define ADIT_SANDBOX_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/list.h"

struct MHD_Connection;
struct MHD_Daemon;

struct http_request {
    const char *method, *path; /* path decoded, without the query */
    const char *body;          /* terminated; "" when there is none */
    size_t body_len;
    struct MHD_Connection *conn; /* private */
};

const char *http_query(const struct http_request *q,
                       const char *name); /* NULL when absent; case does not count */
const char *http_header(const struct http_request *q, const char *name); /* NULL when absent */
char *http_form_value(const char *body,
                      const char *name); /* of a form-encoded body, decoded; mem_free it; NULL if absent */

#define HTTP_HEADERS_MAX 24

struct http_reply {
    unsigned status;   /* 200 unless set */
    json_t *body;      /* owned by the reply; NULL: no body */
    unsigned delay_ms; /* waits so long before it is sent */
    unsigned headers_count;
    struct {
        const char *name; /* static */
        char *value;      /* owned */
    } headers[HTTP_HEADERS_MAX];
};

void http_reply_header(struct http_reply *r, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

typedef void (*http_handler_cb)(void *arg, const struct http_request *q, struct http_reply *r);

struct http {
    struct MHD_Daemon *daemon;
    uv_loop_t *loop;
    uv_poll_t poll;
    uv_timer_t timer;
    http_handler_cb handler;
    void *arg;
    struct list waiting; /* exchanges whose reply is held back */
    uint16_t port;
    char base[64]; /* "https://127.0.0.1:PORT", or "http://…" */
    char *key_pem, *chain_pem;
};

/* port 0: any. chain_pem NULL: plain HTTP. ERR_EXISTS when it is taken. */
int http_start(struct http *h, uv_loop_t *loop, uint16_t port, const char *chain_pem, const char *key_pem,
               http_handler_cb handler, void *arg, struct err *err);
void http_stop(struct http *h); /* requests under way are dropped */

#endif

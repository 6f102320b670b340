/*
 * http: HTTPS exchanges over one curl multi handle on the loop.
 *
 * Only https (but for http_call.local), TLS 1.2 or later, HTTP/2 where offered, connections kept; redirects
 * are not followed (a token goes only where it was meant to go), bodies are limited, proxies come from curl's
 * usual variables (HTTPS_PROXY, NO_PROXY). No retry: see retry.h. Whatever was sent or received is wiped: it
 * may hold a secret. Thread: the loop's.
 */
#ifndef ADIT_AZURE_HTTP_H
#define ADIT_AZURE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/ready.h"

#define HTTP_BODY_MAX (16u << 20) /* bytes of a reply's body, after decompression */
#define HTTP_HEAD_MAX (64u << 10) /* bytes of all its header lines together */

struct http;
struct http_req;

struct http_options {
    uv_loop_t *loop;
    struct readyq *ready; /* borrowed; callbacks fire from it */
    const char *ca_file;  /* or NULL for the system's */
};

int http_new(struct http **out, const struct http_options *options,
             struct err *err); /* ERR_NOMEM, ERR_SYSTEM */

/* Cancels every exchange silently; `cb` fires once all handles are closed. */
typedef void (*http_closed_cb)(void *arg);
void http_close(struct http *h, http_closed_cb cb, void *arg);

/* Why there was no answer, as far as it matters for trying again. */
enum http_failure {
    HTTP_ANSWERED,
    HTTP_NOT_CONNECTED, /* the request cannot have reached anyone */
    HTTP_BROKEN,        /* the connection ended before the answer did */
    HTTP_TIMED_OUT,
    HTTP_NOT_TRUSTED, /* the server's certificate */
    HTTP_IMPOSSIBLE,  /* any other: trying again will not help */
};

/* Valid only inside the callback. */
struct http_reply {
    enum http_failure failure;
    int status;       /* 0 unless HTTP_ANSWERED */
    const char *body; /* terminated with a NUL that len leaves out */
    size_t len;
    const char *head; /* private: "name\0value\0…" */
    size_t head_len;
};

/* Value of a header of the reply, NULL when absent; case of the name does not count. */
const char *http_reply_header(const struct http_reply *reply, const char *name);

/* Exactly once, never inside http_send(). err is NULL for HTTP_ANSWERED, whatever the status; otherwise its
 * message names the host and the reason, and its code is ERR_UNAVAILABLE (ERR_TIMEOUT, ERR_LIMIT, ERR_NOMEM
 * where that is the reason). */
typedef void (*http_cb)(void *arg, const struct http_reply *reply, const struct err *err);

struct http_call {
    const char *method;
    const char *url;
    const char *const *headers; /* "Name: value", copied */
    size_t header_count;
    const char *body; /* copied, or NULL */
    size_t body_len;
    uint32_t timeout_ms; /* real time, whatever the clock of the tests says */
    bool local; /* a metadata service of this machine: plain http is allowed, and no proxy is ever asked */
    bool fresh; /* on a connection of its own making: the kept one seems dead */
};

int http_send(struct http *h, const struct http_call *call, http_cb cb, void *arg, struct http_req **out,
              struct err *err);         /* ERR_NOMEM, ERR_SYSTEM */
void http_cancel(struct http_req *req); /* synchronous and silent */

#endif

/*
 * http_private: what the files of http share.
 */
#ifndef ADIT_AZURE_HTTP_PRIVATE_H
#define ADIT_AZURE_HTTP_PRIVATE_H

#include <curl/curl.h>

#include "base/list.h"
#include "blob.h"
#include "http.h"

struct http {
    uv_loop_t *loop;
    struct readyq *ready;
    CURLM *multi;
    uv_timer_t timer;    /* curl's one timeout */
    struct list reqs;    /* http_req, from http_send() to just before its callback */
    struct list watches; /* one uv_poll_t for each socket that curl wants watched */
    unsigned handles;    /* open uv handles */
    bool closing;
    char *ca_file;
    http_closed_cb closed;
    void *closed_arg;
};

struct http_req {
    struct list node;
    struct http *http;
    struct ready ready;
    CURL *easy;
    struct curl_slist *headers;
    struct blob sent, body, head;
    char reason[CURL_ERROR_SIZE];
    bool too_big;
    bool out_of_memory;
    CURLcode result;
    http_cb cb;
    void *arg;
};

int http_multi_init(struct http *h, struct err *err);
void http_multi_done(
    struct http *h); /* closes sockets and handles; h->closed fires when the last one is gone */

/* curl has finished with the request: take it off the multi handle and call back soon. */
void http_req_finished(struct http_req *req, CURLcode result);

/* What curl's result means; fills err (code and message) for everything but an answer. */
enum http_failure http_failure_of(const struct http_req *req, struct err *err);

#endif

/*
 * http: one exchange: sets up curl's easy handle, gathers the reply, calls back from the ready queue.
 */
#include "http.h"

#include <curl/curl.h>
#include <string.h>

#include "base/mem.h"
#include "http_private.h"

#define CONNECT_TIMEOUT_MS 10000L

static void headers_free(struct curl_slist *headers)
{
    for (struct curl_slist *p = headers; p; p = p->next)
        mem_wipe(p->data, strlen(p->data));
    curl_slist_free_all(headers);
}

static void req_free(struct http_req *req)
{
    curl_easy_cleanup(req->easy);
    headers_free(req->headers);
    blob_done(&req->sent);
    blob_done(&req->body);
    blob_done(&req->head);
    mem_free(req);
}

/* CURLOPT_WRITEFUNCTION */
static size_t on_body(char *data, size_t one, size_t n, void *arg)
{
    struct http_req *req = arg;
    (void)one; /* always 1 */
    if (n > HTTP_BODY_MAX - req->body.len)
        req->too_big = true;
    else if (blob_add(&req->body, data, n))
        req->out_of_memory = true;
    else
        return n;
    return 0;
}

/* CURLOPT_HEADERFUNCTION: keeps "name\0value\0"; a new status line (after "100 Continue", or a proxy's)
 * begins anew. */
static size_t on_header(char *data, size_t one, size_t n, void *arg)
{
    struct http_req *req = arg;
    (void)one;
    const char *colon = memchr(data, ':', n);
    if (n >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        req->head.len = 0;
        return n;
    }
    if (!colon || memchr(data, 0, n))
        return n;
    const char *value = colon + 1, *end = data + n;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
        end--;
    if (req->head.len + n + 2 > HTTP_HEAD_MAX) {
        req->too_big = true;
        return 0;
    }
    if (blob_add(&req->head, data, (size_t)(colon - data)) || blob_add(&req->head, "", 1) ||
        blob_add(&req->head, value, (size_t)(end - value)) || blob_add(&req->head, "", 1)) {
        req->out_of_memory = true;
        return 0;
    }
    return n;
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
    const char *p = reply->head, *end = p + reply->head_len;
    while (p < end) {
        const char *value = p + strlen(p) + 1;
        if (strcasecmp(p, name) == 0)
            return value;
        p = value + strlen(value) + 1;
    }
    return NULL;
}

static void on_ready(struct ready *r)
{
    struct http_req *req = container_of(r, struct http_req, ready);
    struct err err;
    struct http_reply reply = {.body = req->body.data ? req->body.data : "",
                               .len = req->body.len,
                               .head = req->head.data,
                               .head_len = req->head.len};
    err_clear(&err);
    reply.failure = http_failure_of(req, &err);
    if (reply.failure == HTTP_ANSWERED) {
        long status = 0;
        curl_easy_getinfo(req->easy, CURLINFO_RESPONSE_CODE, &status);
        reply.status = (int)status;
    }
    list_remove(&req->node);
    curl_easy_cleanup(req->easy);
    req->easy = NULL;
    req->cb(req->arg, &reply, reply.failure == HTTP_ANSWERED ? NULL : &err);
    req_free(req);
}

void http_req_finished(struct http_req *req, CURLcode result)
{
    curl_multi_remove_handle(req->http->multi, req->easy);
    req->result = result;
    ready_push(req->http->ready, &req->ready);
}

static int easy_setup(struct http_req *req, const struct http_call *call)
{
    CURL *e = req->easy;
    unsigned bad = 0;
    bad |= curl_easy_setopt(e, CURLOPT_URL, call->url);
    bad |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, call->local ? "http,https" : "https");
    if (call->local)
        bad |= curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    bad |= curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
                            call->local ? (long)CURL_HTTP_VERSION_1_1 : (long)CURL_HTTP_VERSION_2TLS);
    bad |= curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
    bad |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    bad |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L); /* never block the loop on a name server's thread */
    bad |= curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    bad |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    bad |= curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    bad |= curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, call->fresh ? 1L : 0L);
    bad |= curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "");
    bad |= curl_easy_setopt(e, CURLOPT_USERAGENT, "adit/" ADIT_VERSION);
    bad |= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, req->reason);
    bad |= curl_easy_setopt(e, CURLOPT_PRIVATE, req);
    bad |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    bad |= curl_easy_setopt(e, CURLOPT_WRITEDATA, req);
    bad |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    bad |= curl_easy_setopt(e, CURLOPT_HEADERDATA, req);
    bad |= curl_easy_setopt(e, CURLOPT_HTTPHEADER, req->headers);
    if (req->http->ca_file)
        bad |= curl_easy_setopt(e, CURLOPT_CAINFO, req->http->ca_file);
    if (call->body || strcmp(call->method, "POST") == 0 || strcmp(call->method, "PUT") == 0) {
        bad |= curl_easy_setopt(e, CURLOPT_POST, 1L);
        bad |= curl_easy_setopt(e, CURLOPT_POSTFIELDS, req->sent.data ? req->sent.data : "");
        bad |= curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->sent.len);
    }
    bad |= curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, call->method);
    return bad ? ERR_NOMEM : 0;
}

static int headers_add(struct http_req *req, const struct http_call *call)
{
    static const char no_expect[] = "Expect:";
    for (size_t i = 0; i <= call->header_count; i++) {
        struct curl_slist *grown =
            curl_slist_append(req->headers, i < call->header_count ? call->headers[i] : no_expect);
        if (!grown)
            return ERR_NOMEM;
        req->headers = grown;
    }
    return 0;
}

int http_send(struct http *h, const struct http_call *call, http_cb cb, void *arg, struct http_req **out,
              struct err *err)
{
    struct http_req *req = mem_zalloc(sizeof(*req));
    if (!req)
        return err_set(err, ERR_NOMEM, "out of memory");
    req->http = h;
    req->cb = cb;
    req->arg = arg;
    ready_init(&req->ready, on_ready);
    list_init(&req->node);
    req->easy = curl_easy_init();
    if (!req->easy || (call->body && blob_add(&req->sent, call->body, call->body_len)) ||
        headers_add(req, call) || easy_setup(req, call)) {
        req_free(req);
        return err_set(err, ERR_NOMEM, "curl: out of memory");
    }
    CURLMcode added = curl_multi_add_handle(h->multi, req->easy);
    if (added) {
        req_free(req);
        return err_set(err, added == CURLM_OUT_OF_MEMORY ? ERR_NOMEM : ERR_SYSTEM, "curl: %s",
                       curl_multi_strerror(added));
    }
    list_push(&h->reqs, &req->node);
    *out = req;
    return 0;
}

void http_cancel(struct http_req *req)
{
    list_remove(&req->node);
    ready_cancel(&req->ready);
    curl_multi_remove_handle(req->http->multi, req->easy);
    req_free(req);
}

int http_new(struct http **out, const struct http_options *options, struct err *err)
{
    struct http *h = mem_zalloc(sizeof(*h));
    if (!h)
        return err_set(err, ERR_NOMEM, "out of memory");
    h->loop = options->loop;
    h->ready = options->ready;
    list_init(&h->reqs);
    list_init(&h->watches);
    h->ca_file = mem_strdup(options->ca_file);
    int rc = options->ca_file && !h->ca_file ? err_set(err, ERR_NOMEM, "out of memory") : 0;
    if (!rc && curl_global_init(CURL_GLOBAL_DEFAULT))
        rc = err_set(err, ERR_SYSTEM, "curl: cannot be initialised");
    if (!rc)
        rc = http_multi_init(h, err);
    if (rc) {
        mem_free(h->ca_file);
        mem_free(h);
        return rc;
    }
    *out = h;
    return 0;
}

void http_close(struct http *h, http_closed_cb cb, void *arg)
{
    struct list *node;
    while ((node = list_first(&h->reqs)) != NULL)
        http_cancel(container_of(node, struct http_req, node));
    h->closed = cb;
    h->closed_arg = arg;
    http_multi_done(h);
}

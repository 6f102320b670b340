/*
 * http_multi: drives curl's multi handle by the loop: a uv_poll_t for each socket, one uv_timer_t for its
 * timeouts.
 *
 * curl says through two callbacks what it waits for; what happened goes back by curl_multi_socket_action().
 * Nothing here calls out to a user from inside curl: a finished exchange only lands on the ready queue.
 */
#include <string.h>

#include "base/mem.h"
#include "http_private.h"

struct watch {
    struct list node;
    struct http *http;
    curl_socket_t fd;
    uv_poll_t poll;
};

static void handle_gone(struct http *h)
{
    if (--h->handles)
        return;
    http_closed_cb cb = h->closed;
    void *arg = h->closed_arg;
    bool closing = h->closing;
    if (!closing)
        return;
    mem_free(h->ca_file);
    mem_free(h);
    if (cb)
        cb(arg);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *w = handle->data;
    struct http *h = w->http;
    mem_free(w);
    handle_gone(h);
}

static void on_timer_closed(uv_handle_t *handle)
{
    handle_gone(handle->data);
}

static void watch_close(struct watch *w)
{
    list_remove(&w->node);
    uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, on_watch_closed);
}

static void http_multi_kick(struct http *h, curl_socket_t fd, int events)
{
    int running, left;
    curl_multi_socket_action(h->multi, fd, events, &running);
    CURLMsg *msg;
    while ((msg = curl_multi_info_read(h->multi, &left)) != NULL) {
        struct http_req *req = NULL;
        CURLcode result = msg->data.result;
        if (msg->msg == CURLMSG_DONE &&
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &req) == CURLE_OK)
            http_req_finished(req, result);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    int what = 0;
    if (status < 0)
        what = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        what |= CURL_CSELECT_OUT;
    http_multi_kick(w->http, w->fd, what);
}

static void on_timeout(uv_timer_t *timer)
{
    http_multi_kick(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static struct watch *watch_new(struct http *h, curl_socket_t fd)
{
    struct watch *w = mem_zalloc(sizeof(*w));
    if (!w)
        return NULL;
    if (uv_poll_init_socket(h->loop, &w->poll, fd)) {
        mem_free(w);
        return NULL;
    }
    h->handles++;
    w->http = h;
    w->fd = fd;
    w->poll.data = w;
    list_push(&h->watches, &w->node);
    return w;
}

/* CURLMOPT_SOCKETFUNCTION. An error returned here would end every transfer of the handle for good, so a
 * socket that cannot be watched is left to its exchange's timeout instead. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
    struct http *h = arg;
    struct watch *w = of_socket;
    (void)easy;
    if (h->closing)
        return 0;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            curl_multi_assign(h->multi, fd, NULL);
            watch_close(w);
        }
        return 0;
    }
    if (!w) {
        w = watch_new(h, fd);
        if (!w)
            return 0;
        curl_multi_assign(h->multi, fd, w);
    }
    int events = 0;
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    uv_poll_start(&w->poll, events, on_poll);
    return 0;
}

/* CURLMOPT_TIMERFUNCTION */
static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *arg)
{
    struct http *h = arg;
    (void)multi;
    if (h->closing)
        return 0;
    if (timeout_ms < 0)
        uv_timer_stop(&h->timer);
    else
        uv_timer_start(&h->timer, on_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

int http_multi_init(struct http *h, struct err *err)
{
    h->multi = curl_multi_init();
    if (!h->multi)
        return err_set(err, ERR_NOMEM, "curl: out of memory");
    int rc = uv_timer_init(h->loop, &h->timer);
    if (rc) {
        curl_multi_cleanup(h->multi);
        return err_uv(err, rc, "timer");
    }
    h->handles = 1;
    h->timer.data = h;
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 32L);
    return 0;
}

void http_multi_done(struct http *h)
{
    struct list *node;
    h->closing = true;
    while ((node = list_first(&h->watches)) != NULL)
        watch_close(container_of(node, struct watch, node));
    curl_multi_cleanup(h->multi);
    h->multi = NULL;
    uv_timer_stop(&h->timer);
    uv_close((uv_handle_t *)&h->timer, on_timer_closed);
}

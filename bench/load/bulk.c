/*
 * bulk: an epoll of streams.
 */
#include "bulk.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "measure.h"
#include "stream.h"

#define EVENTS 64
/* After its window, before a stream that does not end counts as stuck. */
#define GRACE_S 60u

struct bulk_stream {
    struct list node;
    struct stream stream;
    bool polls_out;
};

struct bulk {
    int epoll;
    bool server;
    pthread_mutex_t lock; /* guards streams and count: bulk_add() comes from another thread */
    struct list streams;
    size_t count;
    struct bulk_total total;
    struct stream_scratch scratch;
};

int bulk_new(struct bulk **out, bool server, struct err *err)
{
    struct bulk *b = mem_zalloc(sizeof *b);
    if (!b)
        return err_set(err, ERR_NOMEM, "out of memory");
    b->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (b->epoll < 0) {
        mem_free(b);
        return err_set(err, ERR_SYSTEM, "no epoll to be had");
    }
    b->server = server;
    pthread_mutex_init(&b->lock, NULL);
    list_init(&b->streams);
    *out = b;
    return 0;
}

static void drop(struct bulk *b, struct bulk_stream *s)
{
    pthread_mutex_lock(&b->lock);
    list_remove(&s->node);
    b->count--;
    pthread_mutex_unlock(&b->lock);
    close(s->stream.fd);
    mem_free(s);
}

void bulk_free(struct bulk *b)
{
    if (!b)
        return;
    while (!list_empty(&b->streams))
        drop(b, container_of(list_first(&b->streams), struct bulk_stream, node));
    close(b->epoll);
    pthread_mutex_destroy(&b->lock);
    mem_free(b);
}

int bulk_add(struct bulk *b, int fd, const struct hello *hello, struct err *err)
{
    struct bulk_stream *s = mem_zalloc(sizeof *s);
    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = stream_init(&s->stream, fd, hello, b->server, err);
    if (rc < 0) {
        mem_free(s);
        return rc;
    }
    pthread_mutex_lock(&b->lock);
    if (b->count == BULK_STREAMS_MAX) {
        pthread_mutex_unlock(&b->lock);
        mem_free(s);
        return err_set(err, ERR_LIMIT, "more than %d streams", BULK_STREAMS_MAX);
    }
    s->polls_out = true;
    list_push(&b->streams, &s->node);
    b->count++;
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT, .data.ptr = s};
    rc = epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &ev);
    if (rc < 0) {
        list_remove(&s->node);
        b->count--;
        mem_free(s);
        rc = err_set(err, ERR_SYSTEM, "epoll refuses a socket");
    }
    pthread_mutex_unlock(&b->lock);
    return rc;
}

static void count_in(struct bulk *b, const struct stream *s)
{
    bool received_down = !b->server;
    b->total.streams++;
    b->total.down += received_down ? s->window : s->in.window;
    b->total.up += received_down ? s->in.window : s->window;
    b->total.verified_down += received_down ? s->received : s->in.received;
    b->total.verified_up += received_down ? s->in.received : s->received;
}

static int fail(struct bulk *b, struct bulk_stream *s, int rc, struct err *err)
{
    if (b->server && rc == ERR_PROTOCOL)
        fprintf(stderr, "adit-load: %s\n", err->msg);
    drop(b, s);
    return b->server ? 0 : rc;
}

/* Level-triggered: write interest only while there is something to write. */
static void poll_for(struct bulk *b, struct bulk_stream *s)
{
    bool out = stream_wants_send(&s->stream);
    if (out == s->polls_out)
        return;
    struct epoll_event ev = {.events = EPOLLIN | (out ? EPOLLOUT : 0u), .data.ptr = s};
    if (epoll_ctl(b->epoll, EPOLL_CTL_MOD, s->stream.fd, &ev) == 0)
        s->polls_out = out;
}

static int serve(struct bulk *b, struct bulk_stream *s, uint32_t events, struct err *err)
{
    int rc = 0;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        rc = stream_receive(&s->stream, &b->scratch, err);
    if (rc == 0 && events & EPOLLOUT)
        rc = stream_send(&s->stream, &b->scratch, err);
    if (rc < 0)
        return fail(b, s, rc, err);
    if (stream_done(&s->stream)) {
        count_in(b, &s->stream);
        drop(b, s);
    } else {
        poll_for(b, s);
    }
    return 0;
}

/* Ends a stream that is stuck. */
static int sweep(struct bulk *b, struct err *err)
{
    struct bulk_stream *stuck = NULL, *s;
    uint64_t now = measure_now();

    pthread_mutex_lock(&b->lock);
    list_each(s, &b->streams, struct bulk_stream, node)
    {
        if (now > s->stream.hello.to_ns + GRACE_S * NS_PER_S)
            stuck = s;
    }
    pthread_mutex_unlock(&b->lock);
    if (!stuck)
        return 0;
    int rc = err_set(err, ERR_TIMEOUT, "a stream had not ended %u s after its window", GRACE_S);
    return fail(b, stuck, rc, err);
}

int bulk_turn(struct bulk *b, int timeout_ms, struct err *err)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(b->epoll, events, EVENTS, timeout_ms);
    for (int i = 0; i < n; i++) {
        int rc = serve(b, events[i].data.ptr, events[i].events, err);
        if (rc < 0)
            return rc;
    }
    if (n <= 0) {
        int rc = sweep(b, err);
        if (rc < 0)
            return rc;
    }
    pthread_mutex_lock(&b->lock);
    int left = (int)b->count;
    pthread_mutex_unlock(&b->lock);
    return left;
}

const struct bulk_total *bulk_total(const struct bulk *b)
{
    return &b->total;
}

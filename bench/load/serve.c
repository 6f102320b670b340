/*
 * serve: the far end: echoes in one thread, bulk streams in another, so that an echo never waits behind bulk
 * data.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "bulk.h"
#include "load.h"
#include "sock.h"

#define GUESTS_MAX 16384
#define EVENTS 64

/* A connection of the echo thread: first its hello is gathered, then it is echoed or handed to the bulk
 * thread. */
struct guest {
    int fd;
    size_t hello_len;
    struct hello hello;
    uint8_t *late; /* echoed bytes that the socket would not take; NULL as a rule */
    size_t late_len;
};

struct host {
    int epoll, listener, signals;
    size_t guests;
    struct bulk *bulk;
    atomic_bool over;
    uint8_t scratch[65536];
};

static void *carry(void *arg)
{
    struct host *h = arg;
    struct err err = {0};
    while (!atomic_load(&h->over))
        bulk_turn(h->bulk, 100, &err);
    return NULL;
}

static void leave(struct host *h, struct guest *g, bool close_it)
{
    epoll_ctl(h->epoll, EPOLL_CTL_DEL, g->fd, NULL);
    if (close_it)
        close(g->fd);
    h->guests--;
    mem_free(g->late);
    mem_free(g);
}

static void welcome(struct host *h)
{
    int one = 1;
    for (int fd; (fd = accept4(h->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct guest *g = h->guests < GUESTS_MAX ? mem_zalloc(sizeof *g) : NULL;
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = g};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!g || epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
            mem_free(g);
            close(fd);
            continue;
        }
        g->fd = fd;
        h->guests++;
    }
}

/* Returns 1 while the guest stays, 0 when it is gone. */
static int hear_hello(struct host *h, struct guest *g)
{
    struct err err = {0};
    ssize_t n = recv(g->fd, (uint8_t *)&g->hello + g->hello_len, sizeof g->hello - g->hello_len, 0);
    if (n <= 0) {
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 1;
        leave(h, g, true);
        return 0;
    }
    g->hello_len += (size_t)n;
    if (g->hello_len < sizeof g->hello || (g->hello.magic == HELLO_MAGIC && g->hello.kind == HELLO_ECHO))
        return 1;
    /* Out of this epoll before the other thread may touch it. */
    epoll_ctl(h->epoll, EPOLL_CTL_DEL, g->fd, NULL);
    int rc = bulk_add(h->bulk, g->fd, &g->hello, &err);
    if (rc < 0)
        fprintf(stderr, "adit-load: %s\n", err.msg);
    leave(h, g, rc < 0);
    return 0;
}

static int send_late(struct host *h, struct guest *g)
{
    ssize_t n = send(g->fd, g->late, g->late_len, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 1;
    if (n < 0 || (size_t)n < g->late_len) { /* pings never come to this twice */
        leave(h, g, true);
        return 0;
    }
    mem_free(g->late);
    g->late = NULL;
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = g};
    epoll_ctl(h->epoll, EPOLL_CTL_MOD, g->fd, &ev);
    return 1;
}

static int keep_late(struct host *h, struct guest *g, size_t from, size_t len)
{
    g->late = mem_alloc(len - from);
    struct epoll_event ev = {.events = EPOLLOUT, .data.ptr = g};
    if (!g->late || epoll_ctl(h->epoll, EPOLL_CTL_MOD, g->fd, &ev) < 0) {
        leave(h, g, true);
        return 0;
    }
    for (size_t i = from; i < len; i++)
        g->late[i - from] = h->scratch[i];
    g->late_len = len - from;
    return 1;
}

static void echo(struct host *h, struct guest *g)
{
    if (g->late) {
        send_late(h, g);
        return;
    }
    ssize_t n = recv(g->fd, h->scratch, sizeof h->scratch, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        leave(h, g, true);
        return;
    }
    ssize_t k = send(g->fd, h->scratch, (size_t)n, MSG_NOSIGNAL);
    if (k < 0 && errno != EAGAIN)
        leave(h, g, true);
    else if (k < n)
        keep_late(h, g, k < 0 ? 0 : (size_t)k, (size_t)n);
}

static void serve(struct host *h)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        int n = epoll_wait(h->epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct guest *g = events[i].data.ptr;
            if ((void *)g == &h->signals)
                return;
            if ((void *)g == &h->listener)
                welcome(h);
            else if (g->hello_len == sizeof g->hello || hear_hello(h, g))
                if (g->hello_len == sizeof g->hello)
                    echo(h, g);
        }
    }
}

static int watch(struct host *h, int fd, void *mark, struct err *err)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = mark};
    return epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? err_sys(err, errno, "epoll") : 0;
}

static int open_host(struct host *h, uint16_t *port, struct err *err)
{
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    pthread_sigmask(SIG_BLOCK, &end, NULL);
    h->signals = signalfd(-1, &end, SFD_CLOEXEC);
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    h->listener = sock_listen(port, err);
    if (h->listener < 0)
        return h->listener;
    int rc = bulk_new(&h->bulk, true, err);
    if (rc == 0)
        rc = watch(h, h->listener, &h->listener, err);
    if (rc == 0)
        rc = watch(h, h->signals, &h->signals, err);
    return rc;
}

int load_serve(const struct load_options *o, struct err *err)
{
    static struct host host;
    pthread_t bulk;
    uint16_t port = o->port;

    int rc = open_host(&host, &port, err);
    if (rc < 0)
        return rc;
    if (pthread_create(&bulk, NULL, carry, &host) != 0)
        return err_set(err, ERR_SYSTEM, "no thread to be had");
    printf("{\"port\":%u}\n", port);
    fflush(stdout);
    serve(&host);
    atomic_store(&host.over, true);
    pthread_join(bulk, NULL);
    bulk_free(host.bulk);
    return 0; /* the echo thread's connections end with the process */
}

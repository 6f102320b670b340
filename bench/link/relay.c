/*
 * relay: a long link between two local TCP connections, for those who may not create a TUN device.
 */
#include "relay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "call.h"
#include "measure.h"
#include "sock.h"

#define CALLS_MAX 512
#define EVENTS 64

struct relay {
    int epoll, listener;
    uint16_t to;
    struct link_line up, down;
    struct list calls;
    size_t count;
};

static void watch(struct relay *r, int fd)
{
    /* Edge-triggered: every turn steps every call anyway, this only ends the wait. */
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
    epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void accept_all(struct relay *r, uint64_t now)
{
    int one = 1;
    for (int fd; (fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct link_call *c = r->count < CALLS_MAX ? link_call_new(fd, r->to, &r->up, &r->down, now) : NULL;
        if (!c) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        list_push(&r->calls, &c->node);
        r->count++;
        watch(r, fd);
    }
}

static uint64_t step_all(struct relay *r, uint64_t now)
{
    uint64_t due = UINT64_MAX;
    struct link_call *c;
    list_each(c, &r->calls, struct link_call, node)
    {
        bool fresh = false;
        if (!link_call_step(c, now, &due, &fresh)) {
            list_remove(&c->node);
            link_call_free(c);
            r->count--;
        } else if (fresh) {
            watch(r, c->target);
        }
    }
    return due;
}

static _Noreturn void turn(struct relay *r)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        uint64_t now = measure_now();
        accept_all(r, now);
        uint64_t due = step_all(r, now);
        struct timespec wait = {0};
        now = measure_now();
        if (due > now && due != UINT64_MAX) {
            wait.tv_sec = (time_t)((due - now) / NS_PER_S);
            wait.tv_nsec = (long)((due - now) % NS_PER_S);
        }
        epoll_pwait2(r->epoll, events, EVENTS, due == UINT64_MAX ? NULL : &wait, NULL);
    }
}

int link_relay_run(uint16_t port, uint16_t to, const struct link_line *line, struct err *err)
{
    static struct relay r;
    list_init(&r.calls);
    r.to = to;
    r.up = r.down = *line;
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (r.epoll < 0)
        return err_set(err, ERR_SYSTEM, "no epoll to be had");
    r.listener = sock_listen(&port, err);
    if (r.listener < 0)
        return r.listener;
    watch(&r, r.listener);
    printf("{\"port\":%u}\n", port);
    fflush(stdout);
    turn(&r);
}

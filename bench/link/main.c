/*
 * main: adit-link, a long link in user space: a TCP relay on loopback that delays and limits what it carries.
 *
 * It stands in for the kernel's netem where that is missing. What it cannot show: TCP's own behaviour over
 * the delay (slow start, Nagle's wait for an acknowledgement), because each of its two TCP connections is
 * local.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "call.h"
#include "measure.h"
#include "sock.h"

#define CALLS_MAX 512
#define EVENTS 64

static const char USAGE[] =
    "usage: adit-link --to PORT [--port N] [--delay MS] [--rate MBIT]\n"
    "\n"
    "Relays 127.0.0.1:N to 127.0.0.1:PORT over a modelled link. Prints {\"port\":N}.\n"
    "\n"
    "  --port N      listen here; 0, the default, takes a free port\n"
    "  --delay MS    one way, 0 to 1000; 25\n"
    "  --rate MBIT   each way, 1 to 10000; 1000\n";

struct relay {
    int epoll, listener;
    uint16_t to;
    struct link_line up, down;
    struct list calls;
    size_t count;
};

static bool number(const char *text, long least, long most, long *out)
{
    char *end;
    errno = 0;
    *out = strtol(text, &end, 10);
    if (!errno && end != text && !*end && *out >= least && *out <= most)
        return true;
    fprintf(stderr, "adit-link: \"%s\" is not a number from %ld to %ld\n", text, least, most);
    return false;
}

static bool parse(struct relay *r, uint16_t *port, int argc, char **argv)
{
    static const struct option LONG[] = {{"to", required_argument, NULL, 't'},
                                         {"port", required_argument, NULL, 'p'},
                                         {"delay", required_argument, NULL, 'd'},
                                         {"rate", required_argument, NULL, 'r'},
                                         {NULL, 0, NULL, 0}};
    long to = 0, from = 0, delay = 25, rate = 1000;
    for (int c; (c = getopt_long(argc, argv, "", LONG, NULL)) != -1;) {
        bool fine = c == 't'   ? number(optarg, 1, 65535, &to)
                    : c == 'p' ? number(optarg, 0, 65535, &from)
                    : c == 'd' ? number(optarg, 0, 1000, &delay)
                    : c == 'r' ? number(optarg, 1, 10000, &rate)
                               : false;
        if (!fine)
            return false;
    }
    if (!to || optind != argc)
        return false;
    r->to = (uint16_t)to;
    *port = (uint16_t)from;
    r->up = (struct link_line){(uint64_t)delay * NS_PER_MS, (uint64_t)rate * 125000, 0};
    r->down = r->up;
    return true;
}

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

static void run(struct relay *r)
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

int main(int argc, char **argv)
{
    static struct relay r;
    struct err err = {0};
    uint16_t port;

    if (!parse(&r, &port, argc, argv)) {
        fputs(USAGE, stderr);
        return EX_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    list_init(&r.calls);
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    r.listener = sock_listen(&port, &err);
    if (r.listener < 0 || r.epoll < 0) {
        fprintf(stderr, "adit-link: %s\n", err.msg);
        return EX_UNAVAILABLE;
    }
    watch(&r, r.listener);
    printf("{\"port\":%u}\n", port);
    fflush(stdout);
    run(&r);
}

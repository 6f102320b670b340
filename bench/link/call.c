/*
 * call: moving one connection's bytes through its pipes.
 */
#include "call.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define READS_A_STEP 8 /* runs, before others get their turn */

struct link_call *link_call_new(int client, uint16_t target_port, struct link_line *up,
                                struct link_line *down, uint64_t now)
{
    struct link_call *c = mem_zalloc(sizeof *c);
    if (!c)
        return NULL;
    c->client = client;
    c->target = -1;
    c->target_port = target_port;
    c->dial_ns = now + up->delay_ns;
    c->up.from = client;
    c->up.to = -1;
    c->up.opens_ns = now + up->delay_ns + down->delay_ns;
    c->down.from = -1;
    c->down.to = client;
    link_pipe_init(&c->up.pipe, up);
    link_pipe_init(&c->down.pipe, down);
    return c;
}

void link_call_free(struct link_call *c)
{
    close(c->client);
    if (c->target >= 0)
        close(c->target);
    link_pipe_done(&c->up.pipe);
    link_pipe_done(&c->down.pipe);
    mem_free(c);
}

static bool dial(struct link_call *c)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(c->target_port)};
    int one = 1;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->target = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->target < 0)
        return false;
    /* The two ends' own Nagle is theirs to choose; this one only carries on what arrived. */
    setsockopt(c->target, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->target, (struct sockaddr *)&a, sizeof a) < 0 && errno != EINPROGRESS)
        return false;
    c->up.to = c->down.from = c->target;
    return true;
}

static bool would_wait(void)
{
    return errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
}

static void sooner(uint64_t *due, uint64_t at)
{
    if (at < *due)
        *due = at;
}

/* False when the socket is broken. */
static bool take_in(struct link_way *w, uint64_t now, uint64_t *due)
{
    for (int i = 0; i < READS_A_STEP && w->from >= 0 && !w->read_over; i++) {
        uint64_t open_at = link_pipe_open_at(&w->pipe, now);
        if (open_at < w->opens_ns && now < w->opens_ns)
            open_at = w->opens_ns;
        if (open_at) {
            sooner(due, open_at);
            return true;
        }
        struct link_run *run = mem_alloc(sizeof *run);
        if (!run)
            return false;
        ssize_t n = recv(w->from, run->data, sizeof run->data, 0);
        if (n <= 0) {
            mem_free(run);
            if (n < 0)
                return would_wait();
            w->read_over = true;
            w->end_ns = now + w->pipe.line->delay_ns;
            return true;
        }
        run->len = (size_t)n;
        run->done = 0;
        link_pipe_put(&w->pipe, run, now);
        if (i == READS_A_STEP - 1)
            sooner(due, now); /* there may be more */
    }
    return true;
}

static bool hand_out(struct link_way *w, uint64_t now, uint64_t *due)
{
    struct link_run *run;
    while (w->to >= 0 && (run = link_pipe_arrived(&w->pipe, now, due))) {
        ssize_t n = send(w->to, run->data + run->done, run->len - run->done, MSG_NOSIGNAL);
        if (n < 0)
            return would_wait();
        link_pipe_took(&w->pipe, run, (size_t)n);
    }
    if (!w->read_over || w->over || w->to < 0 || !link_pipe_empty(&w->pipe))
        return true;
    if (now < w->end_ns) {
        sooner(due, w->end_ns);
        return true;
    }
    w->over = true;
    shutdown(w->to, SHUT_WR);
    return true;
}

bool link_call_step(struct link_call *c, uint64_t now, uint64_t *due, bool *fresh)
{
    if (c->target < 0) {
        if (now < c->dial_ns) {
            sooner(due, c->dial_ns);
            return true;
        }
        if (!dial(c))
            return false;
        *fresh = true;
    }
    bool fine = take_in(&c->up, now, due) && take_in(&c->down, now, due) && hand_out(&c->up, now, due) &&
                hand_out(&c->down, now, due);
    return fine && !(c->up.over && c->down.over);
}

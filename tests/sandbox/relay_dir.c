/*
 * relay_dir: one direction of one relayed connection: splice when the road is clear, a queue of timed pieces
 * when not.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "relay.h"

#define PIPE_WANTED (1 << 20)
#define LINK_BUFFER_NS 10000000ULL       /* how far ahead of its link a direction may read */
#define QUEUE_MAX (128U << 20)           /* bytes on the road */
#define OVERDUE_MAX ((size_t)256 * 1024) /* bytes that have arrived and are not taken */
#define SPLICE_TURNS 8

struct relay_piece {
    struct relay_piece *next;
    uint64_t due_ns;
    size_t len, off;
    bool eof;
    char data[];
};

int relay_dir_init(struct relay_dir *d, struct relay_flow *flow, int which, int src, int dst)
{
    *d = (struct relay_dir){.flow = flow, .which = which, .src = src, .dst = dst};
    if (pipe2(d->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    int size = fcntl(d->pipe[1], F_SETPIPE_SZ, PIPE_WANTED);
    d->pipe_size = size > 0 ? (size_t)size : 65536;
    return 0;
}

void relay_dir_done(struct relay_dir *d)
{
    close(d->pipe[0]), close(d->pipe[1]);
    while (d->head) {
        struct relay_piece *p = d->head;
        d->head = p->next;
        mem_free(p);
    }
}

static const struct relay_faults *faults(const struct relay_dir *d)
{
    return &d->flow->relay->faults;
}

static bool road_clear(const struct relay_dir *d)
{
    return !d->head && !faults(d)->latency_us && !faults(d)->rate_bps;
}

static uint64_t *link_free(const struct relay_dir *d)
{
    return &d->flow->relay->link_free_ns[d->which];
}

bool relay_dir_wants_read(const struct relay_dir *d, uint64_t now_ns)
{
    if (d->eof_seen || faults(d)->blackhole || d->in_pipe || d->queued >= QUEUE_MAX)
        return false;
    if (d->head && d->head->due_ns <= now_ns && d->blocked && d->queued > OVERDUE_MAX)
        return false;
    return !faults(d)->rate_bps || *link_free(d) <= now_ns + LINK_BUFFER_NS;
}

static void count(struct relay_dir *d, size_t n)
{
    struct relay_stats *s = &d->flow->relay->stats;
    *(d->which == RELAY_UP ? &s->up_bytes : &s->down_bytes) += n;
}

/* Puts n bytes (0: the end of the stream) on the road. */
static enum relay_step piece_add(struct relay_dir *d, const char *data, size_t n, uint64_t now_ns)
{
    struct relay_piece *p = mem_alloc(sizeof *p + n);
    if (!p)
        return RELAY_BROKEN;
    uint64_t sent = now_ns;
    if (faults(d)->rate_bps) {
        uint64_t *free_at = link_free(d);
        *free_at = (*free_at > now_ns ? *free_at : now_ns) + n * 8 * 1000000000ULL / faults(d)->rate_bps;
        sent = *free_at;
    }
    uint64_t due = sent + faults(d)->latency_us * 1000;
    p->next = NULL;
    p->due_ns = d->last_due_ns = due > d->last_due_ns ? due : d->last_due_ns;
    p->len = n;
    p->off = 0;
    p->eof = n == 0;
    if (n)
        memcpy(p->data, data, n);
    *(d->head ? &d->tail->next : &d->head) = p;
    d->tail = p;
    d->queued += n;
    return RELAY_OK;
}

static enum relay_step end_send(struct relay_dir *d)
{
    d->eof_sent = true;
    return shutdown(d->dst, SHUT_WR) < 0 && errno != ENOTCONN ? RELAY_BROKEN : RELAY_OK;
}

static enum relay_step pipe_drain(struct relay_dir *d)
{
    while (d->in_pipe) {
        ssize_t n = splice(d->pipe[0], NULL, d->dst, NULL, d->in_pipe, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            d->blocked = true;
            return RELAY_OK;
        }
        if (n <= 0)
            return RELAY_BROKEN;
        d->in_pipe -= (size_t)n;
        count(d, (size_t)n);
    }
    return RELAY_OK;
}

static enum relay_step read_spliced(struct relay_dir *d)
{
    for (int turn = 0; turn < SPLICE_TURNS && !d->in_pipe; turn++) {
        ssize_t n = splice(d->src, NULL, d->pipe[1], NULL, d->pipe_size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? RELAY_OK : RELAY_BROKEN;
        if (n == 0) {
            d->eof_seen = true;
            return end_send(d);
        }
        d->in_pipe = (size_t)n;
        if (pipe_drain(d) == RELAY_BROKEN)
            return RELAY_BROKEN;
    }
    return RELAY_OK;
}

enum relay_step relay_dir_read(struct relay_dir *d, uint64_t now_ns)
{
    if (road_clear(d))
        return read_spliced(d);
    size_t room = RELAY_SCRATCH;
    if (faults(d)->rate_bps) {
        uint64_t in_5ms = faults(d)->rate_bps / 8 / 200;
        room = in_5ms < 1500 ? 1500 : in_5ms < room ? (size_t)in_5ms : room;
    }
    char *scratch = d->flow->relay->scratch;
    ssize_t n = read(d->src, scratch, room);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? RELAY_OK : RELAY_BROKEN;
    d->eof_seen = n == 0;
    return piece_add(d, scratch, (size_t)n, now_ns);
}

enum relay_step relay_dir_write(struct relay_dir *d, uint64_t now_ns)
{
    if (faults(d)->blackhole)
        return RELAY_OK;
    d->blocked = false;
    if (d->in_pipe && pipe_drain(d) == RELAY_BROKEN)
        return RELAY_BROKEN;
    while (!d->in_pipe && d->head && d->head->due_ns <= now_ns) {
        struct relay_piece *p = d->head;
        if (p->eof) {
            if (end_send(d) == RELAY_BROKEN)
                return RELAY_BROKEN;
        } else {
            ssize_t n = send(d->dst, p->data + p->off, p->len - p->off, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
                d->blocked = true;
                return RELAY_OK;
            }
            if (n < 0)
                return RELAY_BROKEN;
            p->off += (size_t)n;
            d->queued -= (size_t)n;
            count(d, (size_t)n);
            if (p->off < p->len)
                continue;
        }
        d->head = p->next;
        mem_free(p);
    }
    return RELAY_OK;
}

uint64_t relay_dir_wake(const struct relay_dir *d, uint64_t now_ns)
{
    if (faults(d)->blackhole)
        return 0;
    uint64_t at = d->head && !d->blocked ? d->head->due_ns : 0;
    if (faults(d)->rate_bps && !d->eof_seen && *link_free(d) > now_ns + LINK_BUFFER_NS) {
        uint64_t again = *link_free(d) - LINK_BUFFER_NS;
        at = at && at < again ? at : again;
    }
    return at;
}

bool relay_dir_ended(const struct relay_dir *d)
{
    return d->eof_sent;
}

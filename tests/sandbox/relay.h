/*
 * relay: stands between a VM's public address and its sshd and spoils the road on request.
 *
 * Each accepted connection is dialled on to the sshd inside the VM. Without faults bytes move by splice(2)
 * and never enter this process. With latency or a rate they wait in a queue until their time has come:
 * latency is one way and works in both directions (25ms makes a round trip of 50ms); the rate is that of one
 * link a direction that all connections of the VM share, with 10 ms of buffer in front of it. A relay cannot
 * delay the kernel's handshake and acknowledgements: connect(2) to the address takes no round trip. Thread:
 * the loop's.
 */
#ifndef ADIT_SANDBOX_RELAY_H
#define ADIT_SANDBOX_RELAY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/list.h"

struct relay_faults {
    uint64_t latency_us; /* one way */
    uint64_t rate_bps;   /* bits a second; 0 = unlimited */
    bool blackhole;      /* nothing moves */
    bool swallow; /* nothing is accepted: the sandbox itself lets the kernel drop what knocks (door.h) */
};

struct relay_stats {
    uint64_t accepted, open, refused; /* connections: all, now, those whose sshd did not answer */
    uint64_t up_bytes, down_bytes;    /* towards the sshd, towards the client */
    uint64_t resets;
};

#define RELAY_UP 0   /* client → sshd */
#define RELAY_DOWN 1 /* sshd → client */

struct relay {
    uv_loop_t *loop;
    struct sockaddr_in target;
    struct list flows;
    struct relay_faults faults;
    struct relay_stats stats;
    int listen_fd, timer_fd;
    uv_poll_t *listener;
    uv_poll_t timer;
    uint64_t link_free_ns[2]; /* when each direction's link has sent what it was given */
    uint64_t wake_ns;         /* what timer_fd is set to, 0 = not at all */
    bool paused;
    char *scratch;
};

int relay_init(struct relay *r, uv_loop_t *loop, const struct sockaddr_in *target, struct err *err);
int relay_listen(struct relay *r, int fd, struct err *err); /* owns fd from here on; replaces an older one */
void relay_pause(struct relay *r, bool paused);             /* new connections wait in the kernel's queue */
void relay_faults_set(struct relay *r, const struct relay_faults *faults);
void relay_reset(struct relay *r); /* every connection ends with RST on both sides */

/* Private to the relay: a connection takes both descriptors (negative: it did not); accepting follows from
 * the state. */
int relay_flow_new(struct relay *r, int client, int server);
void relay_listener_update(struct relay *r);

/* relay_dir.c: one direction of one connection; private to the relay. */
struct relay_piece;
struct relay_flow;

struct relay_dir {
    struct relay_flow *flow;
    int which; /* RELAY_UP, RELAY_DOWN */
    int src, dst;
    int pipe[2];
    size_t in_pipe, pipe_size;
    struct relay_piece *head, *tail; /* waiting for their time, or for dst to take them */
    size_t queued;
    uint64_t last_due_ns;
    bool eof_seen, eof_sent, blocked;
};

struct relay_flow {
    struct list node;
    struct relay *relay;
    int fd[2]; /* client, sshd */
    uv_poll_t poll[2];
    int events[2];
    unsigned polls_open;
    bool connected, closing;
    struct relay_dir dir[2];
};

enum relay_step { RELAY_OK, RELAY_BROKEN };

int relay_dir_init(struct relay_dir *d, struct relay_flow *flow, int which, int src, int dst);
void relay_dir_done(struct relay_dir *d);
bool relay_dir_wants_read(const struct relay_dir *d, uint64_t now_ns);
enum relay_step relay_dir_read(struct relay_dir *d, uint64_t now_ns);  /* src is readable */
enum relay_step relay_dir_write(struct relay_dir *d, uint64_t now_ns); /* sends what is due */
/* When this direction has something to do without an event of a socket; 0 = never. */
uint64_t relay_dir_wake(const struct relay_dir *d, uint64_t now_ns);
bool relay_dir_ended(const struct relay_dir *d);

#define RELAY_SCRATCH ((size_t)256 * 1024)

#endif

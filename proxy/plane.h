/*
 * plane: what the VMs, pools and flows of one worker share: loop, clock, memory, limits, and the way to the
 * main loop.
 *
 * Knows no thread: a worker gives it one, a test its own loop. Thread: the loop's, for every function here.
 */
#ifndef ADIT_PROXY_PLANE_H
#define ADIT_PROXY_PLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "backoff.h"
#include "base/chunk.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/ready.h"
#include "ssh/ask.h"

#define PLANE_FLOWS_MAX 16384 /* of one worker; fewer when the process may not have so many descriptors */
#define PLANE_SCRATCH 65536   /* bytes of plane.scratch */
#define PLANE_TICK_MS 5000

struct vm;

struct plane_question {
    uint64_t vm, seq;
    enum ssh_question_kind kind;
    const char *prompt; /* borrowed */
    bool echo;
};

/* What goes to the main loop. Each must come back: resolve() by vm_reached(), ask() by asking_answered()
 * unless ask_over() was called, the others not at all. */
struct plane_ops {
    /* flags: MAIL_DIRECT, MAIL_REKEY */
    void (*resolve)(void *arg, uint64_t vm, uint64_t seq, unsigned flags);
    void (*done)(void *arg, uint64_t req, const char *text,
                 const struct err *err);                                    /* text, err may be NULL */
    void (*dialed)(void *arg, uint64_t req, int fd, const struct err *err); /* fd is handed over */
    void (*ask)(void *arg, const struct plane_question *q); /* NULL: nobody is there but $SSH_ASKPASS */
    void (*ask_over)(void *arg, uint64_t seq);
};

struct plane_options {
    uv_loop_t *loop;
    struct clock *clock;
    struct readyq *ready;
    const char *known_hosts;  /* borrowed */
    const char *agent_socket; /* borrowed, or NULL */
    size_t buffer_max;        /* bytes */
    size_t flows_max;
    struct plane_ops ops;
    void *ops_arg;
};

struct plane {
    struct plane_options o;
    struct chunk_pool chunks;
    struct ssh_askpass *askpass; /* or NULL */
    struct list questions;       /* struct asked.node: put to a person */
    uint64_t next_question;
    struct list vms;    /* struct vm.node, those being dropped too */
    struct list vias;   /* struct via.node of dials asked for by the main loop */
    struct list paused; /* struct listener_socket.paused: full, go on when a flow ends */
    struct ready unpause;
    struct list greetings; /* struct greeting.node: clients that have not yet said where to, oldest first */
    size_t greeting_count;
    size_t flows;
    uint64_t next_conn;
    uint64_t next_flow;
    char *scratch; /* where bytes go that nobody wants */
    struct timer tick;
    struct backoff_nap nap;
    struct timer grace;
    bool stopping, closing;
    struct ready closed;
    void (*closed_cb)(void *arg);
    void *closed_arg;
};

int plane_init(struct plane *p, const struct plane_options *options, struct err *err);

/* Closes listeners at once, everything else after grace_ms or when the last flow has ended; then cb, after
 * which plane_done() may be called once the loop has let go of its handles. */
void plane_close(struct plane *p, uint32_t grace_ms, void (*cb)(void *arg), void *arg);
void plane_done(struct plane *p);

struct vm *plane_vm(const struct plane *p,
                    uint64_t id); /* NULL when there is none, or when it is being dropped */

/* A flow wants to exist. False: the limit is reached, pause accepting. */
bool plane_flow_begin(struct plane *p);
void plane_flow_end(struct plane *p);

void plane_vm_gone(struct plane *p); /* the last resource of a dropped VM is freed */

#endif

/*
 * flow: one local socket ↔ one SSH channel, each direction with a state of its own.
 *
 * Thread: the plane's loop, for every function here.
 */
#ifndef ADIT_PROXY_FLOW_H
#define ADIT_PROXY_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/chunk.h"
#include "base/clock.h"
#include "base/err.h"
#include "plane.h"
#include "pool.h"
#include "ssh/ssh.h"

#define FLOW_OPEN_MS 60000         /* for the server to connect to the target */
#define FLOW_LINGER_MS 5000        /* for the client to close after the channel has ended */
#define FLOW_BULK_BYTES (4u << 20) /* an unknown flow that moves so much … */
#define FLOW_BULK_MS 2000          /* … in less than this is bulk */

struct flow_counters {
    uint64_t in;  /* from the VM to the local side */
    uint64_t out; /* from the local side to the VM */
};

struct flow_events {
    void (*opened)(void *arg); /* the target is connected; not inside flow_start() */
    /* Exactly once, not inside flow_start(): err NULL after both directions ended in order, or when the
     * local side reset its connection. The flow is gone.
     * told: who has to know does: the whole connection died, which the VM says once for all its flows; or
     * the client was answered that the target cannot be reached. */
    void (*ended)(void *arg, const struct err *err, bool told);
};

struct flow_options {
    struct vm *vm;
    enum pool_class cls;
    struct ssh_target target; /* its strings must outlive the flow */
    bool dynamic;             /* the client says where to (SOCKS, HTTP CONNECT): target is not set */
    uint32_t wait_ms;         /* for a connection to the VM */
    uint32_t open_ms;         /* for the VM to connect to the target */
    struct flow_counters *counters;
    const struct flow_events *events;
    void *arg;
};

enum flow_state {
    FLOW_NEW,
    FLOW_GREETING, /* for the client to say where to */
    FLOW_WAITING,  /* for a connection */
    FLOW_OPENING,  /* for the target */
    FLOW_OPEN,
    FLOW_CLOSING, /* for libuv to let go of the handle */
};

/* Local side → VM. */
enum flow_up {
    FLOW_UP_OPEN,
    FLOW_UP_ENDED,   /* the local end of file was handed on */
    FLOW_UP_DISCARD, /* the channel is gone: what still comes is read and dropped, so that closing resets
                        nothing */
};

/* VM → local side. */
enum flow_down {
    FLOW_DOWN_OPEN,
    FLOW_DOWN_DRAIN, /* the VM sends no more; what is queued is still written */
    FLOW_DOWN_FIN,   /* shutdown under way */
    FLOW_DOWN_ENDED,
    FLOW_DOWN_DEAD, /* the local side takes no more: what still comes is dropped */
};

struct flow {
    struct plane *plane;
    struct flow_options o;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } local;
    enum flow_state state;
    enum flow_up up;
    enum flow_down down;
    bool reading, starved, local_eof, writing;
    bool told;   /* see flow_events.ended */
    bool broken; /* the client reset its connection, as a write found out: no end of file of it is one */
    struct pool_waiter waiter;
    struct ssh_chan *chan;     /* NULL before it is asked for and after it has ended */
    struct chunkq queue;       /* VM → local side: what the kernel has not taken */
    struct greeting *greeting; /* dynamic: until what the client said first is dealt with, else NULL */
    uv_write_t write_req;
    size_t write_len;
    uv_shutdown_t shutdown_req;
    struct timer timer; /* GREETING: the client. OPENING: the target. Later: the linger. */
    uint64_t number;
    uint64_t burst_ms; /* since when, and how much, for telling bulk */
    size_t burst_bytes;
};

/* Takes the next connection of a listening handle. ERR_LIMIT, ERR_NOMEM, ERR_SYSTEM. */
int flow_accept(struct flow **out, const struct flow_options *options, uv_stream_t *listener,
                struct err *err);
/* Takes a connected Unix socket over (on failure it stays the caller's). */
int flow_of_fd(struct flow **out, const struct flow_options *options, int fd, struct err *err);

/* The same for a connected TCP or Unix socket and a channel that came in over a connection: accepts it, and
 * the bytes flow. Not to be started. On failure all stay the caller's. */
int flow_adopt(struct flow **out, const struct flow_options *options, int fd, bool tcp, struct ssh_chan *ch,
               struct pool_conn *conn, struct err *err);

/* Gets in line for a connection. On failure the flow is the caller's to close. */
int flow_start(struct flow *f, struct err *err);

/* Silent; the local side sees a reset. */
void flow_close(struct flow *f);

/* ---- flow_io.c, for flow.c ---- */
extern const struct ssh_chan_events flow_chan_events;
void flow_update(struct flow *f); /* makes handles and channel do what the state says */
void flow_end(struct flow *f, const struct err *err,
              bool reset); /* tells the owner; reset: the local side sees RST */
void flow_opened(struct flow *f);
void flow_chan_gone(struct flow *f, const struct err *err); /* it died, or closed before it was open */
/* A few bytes of our own, before any of the VM's: the socket has room, or the client is gone (false). */
bool flow_say(struct flow *f, const char *bytes, size_t n);

/* ---- flow.c, for greeting.c ---- */
int flow_line_up(struct flow *f, struct err *err); /* as flow_start, with o.target set */
void flow_detach(struct flow *f);                  /* no channel, no connection, no timer any more */

#endif

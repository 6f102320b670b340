/*
 * pool: the SSH connections to one VM and the flows waiting for one.
 *
 * A connection's state is the list that it is on, and changes in one function (conn_move). Thread: the
 * plane's loop.
 */
#ifndef ADIT_PROXY_POOL_H
#define ADIT_PROXY_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asking.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/ready.h"
#include "dial.h"
#include "pool_policy.h"
#include "ssh/ssh.h"

#define POOL_WAITERS_MAX 4096 /* flows waiting for one VM */
#define POOL_TICK_MS 250
#define POOL_CONNECTIONS_MAX 64 /* whatever the configuration says */

enum pool_state {
    POOL_CONNECTING, /* TCP, or a channel through another VM */
    POOL_AUTH,       /* key exchange, authentication */
    POOL_IDLE,       /* up, no flow */
    POOL_ACTIVE,     /* up, with flows */
    POOL_FULL,       /* up, and no channel more */
    POOL_DRAINING,   /* up, takes no new flow, closes with its last one */
    POOL_CLOSED,     /* being taken down */
    POOL_STATES,
};

/* How far a connection came that never was up. */
enum pool_stage { POOL_STAGE_DIAL, POOL_STAGE_SSH };

struct vm;
struct via;
struct pool;

struct pool_conn {
    struct list node; /* pool.conns[state] */
    enum pool_state state;
    struct pool *pool;
    uint64_t number; /* for the log */
    struct dial *dial;
    struct via *via; /* the way through another VM; lives as long as the connection */
    struct ssh_conn *ssh;
    char address[DIAL_TEXT_MAX];
    struct pool_load load;
    struct list opening; /* struct pool_waiter.node of flows whose channel is not yet open, oldest first */
    uint64_t idle_since_ms;
    struct err via_err; /* why the way through another VM ended */
    struct asking asking;
};

/* A flow's ticket: in line for a connection, then holding one. Embedded in the flow. */
struct pool_waiter {
    struct list node;       /* pool.waiters, pool_conn.opening or none */
    struct pool *pool;      /* NULL: idle */
    struct pool_conn *conn; /* NULL while in line */
    enum pool_class cls;
    bool opening;         /* has a connection, its channel is not yet open */
    uint64_t deadline_ms; /* clock_now() */
    /* Has a connection now (w->conn), or never will (err). Not inside pool_get(). */
    void (*served)(struct pool_waiter *w, const struct err *err);
    /* Its open stands behind one that is stuck, and there is a better place: close the channel; it is in line
     * again. */
    void (*recalled)(struct pool_waiter *w);
    /* Whether the client has hung up meanwhile. NULL: there is none. */
    bool (*gone)(struct pool_waiter *w);
};

struct pool {
    struct vm *vm;
    struct list conns[POOL_STATES];
    size_t counts[POOL_STATES];
    struct list waiters; /* first come, first served, within a class */
    size_t waiter_count;
    size_t flow_count;
    struct timer tick; /* runs while there is something to watch: lines, slow opens, spare connections */
    struct ready pump;
    uint32_t grow_failures; /* in a row */
    uint64_t grow_after_ms;
};

void pool_init(struct pool *p, struct vm *vm);

/* Gets in line, and at once out of it when a connection suits: then w->conn is set on return. ERR_LIMIT. */
int pool_get(struct pool *p, struct pool_waiter *w, struct err *err);
void pool_opened(struct pool_waiter *w); /* the server answered its open, well or badly */
void pool_leave(struct pool_waiter *w); /* gives back connection or place; silent; an idle one may be given */
/* Holds this connection, which brought the flow with it; w is idle. */
void pool_join(struct pool_waiter *w, struct pool_conn *c);
void pool_reclass(struct pool_waiter *w, enum pool_class cls);

size_t pool_up(const struct pool *p); /* connections that may be given out */
size_t pool_connecting(const struct pool *p);
size_t pool_total(const struct pool *p); /* of all states */

void pool_fail_waiters(struct pool *p, const struct err *err);
void pool_drain(struct pool *p); /* new flows need a new connection; flows go on where they are */
void pool_close(struct pool *p); /* all connections; waiters stay in line */
void pool_done(struct pool *p);  /* no connection, no waiter may be left */

/* Changes the state; the one place where it does. */
void conn_move(struct pool_conn *c, enum pool_state to);
void conn_settle(struct pool_conn *c); /* IDLE, ACTIVE or FULL, as its load says */

/* ---- conn.c ---- */

/* Opens one connection to where the VM's last look-up said; pool_conn_up or _failed follows, never inside. */
int conn_open(struct pool *p, struct err *err);
void conn_close(
    struct pool_conn *c); /* frees it, at once or when SSH has said goodbye; its flows end with an error */

/* ---- pool.c and pool_line.c ---- */
enum pool_growth pool_growth(const struct pool *p);
void pool_grow(
    struct pool *p); /* one connection more; when that fails, what is there is shared for a while */
void pool_pump(struct pool *p);   /* serves whom it can */
void pool_ticked(struct pool *p); /* expires, recalls */
unsigned pool_load_flows(const struct pool_load *l);

/* ---- from conn.c to pool.c ---- */
void pool_conn_up(struct pool_conn *c);
void pool_conn_failed(struct pool *p, enum pool_stage stage, const struct err *err); /* c is gone already */
void pool_conn_lost(struct pool *p, const struct err *err);
void pool_conn_freed(struct pool *p);
void pool_changed(struct pool *p); /* look at waiters and connections on the next turn */

#endif

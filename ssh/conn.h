/*
 * conn: the inside of a connection, shared by the files that make it up. Private to ssh/.
 *
 * Thread: the loop's.
 */
#ifndef ADIT_SSH_CONN_H
#define ADIT_SSH_CONN_H

#include "auth.h"
#include "banner.h"
#include "engine.h"
#include "keepalive.h"
#include "ssh.h"
#include "stream.h"

#include "base/list.h"

#define SSH_OPEN_LOOK_MS 10000 /* how often the engine looks after an open that nobody answers */

/*
 *   HELLO ──keys agreed──▶ AUTH ──accepted──▶ UP
 *     │                      │                 │
 *     └──────────────┬───────┴─────────────────┘
 *          fails, or the owner closes it
 *                    ▼
 *                 ENDING ──stream closed──▶ freed
 */
enum ssh_conn_state { SSH_CONN_HELLO, SSH_CONN_AUTH, SSH_CONN_UP, SSH_CONN_ENDING };

/* A host key that a person is to accept: conn_hostkey.c. */
struct ssh_new_key {
    uint8_t *blob; /* NULL: there is none */
    size_t len;
    struct err what; /* the words for it */
    void *question;
    bool asking;
};

struct ssh_conn {
    enum ssh_conn_state state;
    struct ssh_conn_options opt; /* strings and the list are copies */
    struct ssh_conn_events events;
    void *arg;

    struct ssh_stream *stream;
    struct ssh_banner banner;
    struct ssh_engine *engine;
    const char *engine_wanted; /* static: "auto", or a name */
    struct ssh_new_key new_key;
    struct ssh_auth *auth; /* until UP */
    struct ssh_keepalive keepalive;
    struct ssh_chan *wake;
    bool wake_done;

    struct list chans;   /* every channel */
    struct list blocked; /* those that were told "no room" */
    unsigned chan_count; /* without our own */
    struct list opening; /* those that are not open yet, oldest first */
    unsigned open_count;
    struct list listens; /* with those that are being taken back */
    unsigned listen_count;

    struct ready step;
    bool stepping; /* the engine asked for step() */
    bool failed;   /* `failure` says why */
    struct err failure;
    bool silent; /* the owner closed it */
    ssh_closed_cb closed_cb;
    void *closed_arg;
    struct timer deadline; /* of the login; afterwards looks after the opens that wait */

    uint64_t up_since_ms;
    char host_key[128];
    char auth_text[128];
};

struct ssh_chan {
    struct ssh_conn *conn;
    struct ssh_echan *ec;
    struct ssh_chan_events events;
    void *arg;
    struct list node;    /* in conn->chans */
    struct list blocked; /* in conn->blocked */
    struct list opening; /* in conn->opening */
    uint64_t since_ms;   /* when it was asked for */
    bool own;            /* ours, not the user's */
    bool open, ended, eof_sent;
    bool incoming; /* the server opened it, and it is not accepted yet */
};

/* conn_options.c */
int ssh_conn_options_copy(struct ssh_conn_options *to, const struct ssh_conn_options *from, struct err *err);
void ssh_conn_options_done(struct ssh_conn_options *o);

/* The connection ends with this error on a later turn; only the first one counts. */
void ssh_conn_fail(struct ssh_conn *c, const struct err *err);
void ssh_conn_soon(struct ssh_conn *c);

/* The server let us in: the auth object is gone by now. */
void ssh_conn_authenticated(struct ssh_conn *c, const char *how);

/* conn_hostkey.c: from the engine; and the end of it. */
int ssh_conn_host_key(void *conn, const uint8_t *blob, size_t n, struct err *err);
void ssh_conn_ready(void *conn);
void ssh_conn_new_key_done(struct ssh_conn *c);
/* conn.c: the host is the right one. */
void ssh_conn_verified(struct ssh_conn *c);

/* chan.c */
extern const struct ssh_engine_up ssh_conn_up;
void ssh_chan_up_opened(struct ssh_chan *ch);
void ssh_chan_up_data(struct ssh_chan *ch, const uv_buf_t *bufs, unsigned count);
void ssh_chan_up_eof(struct ssh_chan *ch);
void ssh_chan_up_closed(struct ssh_chan *ch, const struct err *err);
void ssh_chan_offer_room(struct ssh_conn *c); /* `writable` to those that waited and have room now */
int ssh_chan_open_session(struct ssh_chan **out, struct ssh_conn *c, const char *command,
                          const struct ssh_chan_events *events, void *arg, struct err *err);

/* Its place among the connection's channels; not yet open. */
void ssh_chan_enter(struct ssh_chan *ch, struct ssh_conn *c);
void ssh_chan_leave(struct ssh_chan *ch);

/* listen.c */
void ssh_listen_up_answered(void *owner, const struct ssh_answer *answer);
void ssh_listen_up_incoming(void *conn, const struct ssh_incoming *in);
void ssh_listen_end_all(struct ssh_conn *c, const struct err *err); /* the connection has ended */

/* wake.c */
void ssh_wake_maybe(struct ssh_conn *c);

#endif

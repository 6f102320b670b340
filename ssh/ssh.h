/*
 * ssh: the one face of SSH that the rest of adit sees: a connection, its channels, their events.
 *
 * A connection takes over a connected stream socket, agrees on keys, checks the host's identity,
 * authenticates, and then opens channels until it is closed. Which engine speaks the protocol behind it does
 * not show here. No window, packet, errno or library type of an engine leaks above this header.
 *
 * Thread: everything belongs to the thread of options.loop. No callback fires inside the call that caused it,
 * except that ssh_chan_tx_commit() and ssh_chan_rx_consume() may be called from within any callback. A
 * callback may close the channel or the connection that it is told about, and may free its own owner.
 * Sources: RFC 4251–4254; OpenSSH's PROTOCOL (direct-streamlocal@openssh.com, keepalive@openssh.com).
 */
#ifndef ADIT_SSH_SSH_H
#define ADIT_SSH_SSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "ask.h"
#include "base/chunk.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/ready.h"
#include "hostid.h"

struct ssh_conn;
struct ssh_chan;
struct ssh_listen;

#define SSH_CHANNELS_MAX 8192         /* of one connection; an open beyond is ERR_LIMIT */
#define SSH_LISTENS_MAX 1024          /* of one connection, with those that are being taken back */
#define SSH_RX_WINDOW_MAX (16u << 20) /* to what a window may grow while its reader keeps up */
#define SSH_RX_WINDOW                                                                                        \
    (2u << 20) /* what the peer may send to a channel unasked, and so the most that one can hold */

/* ---- connection ---- */

/* Which algorithms may be agreed on, each list comma-separated and in order of preference (RFC 4253 §7.1);
 * NULL: the engine's own. What the engine does not know is passed over; if that leaves nothing, there is no
 * connection. */
struct ssh_algorithms {
    const char *ciphers, *kex, *macs, *host_keys;
};

enum ssh_method { SSH_METHOD_CIPHER, SSH_METHOD_KEX, SSH_METHOD_MAC, SSH_METHOD_HOST_KEY };

/* Does the engine ("auto" or a name) know any of this list? True for an engine that is not there. */
bool ssh_engine_knows_any(const char *engine, enum ssh_method method, const char *list);

struct ssh_conn_options {
    uv_loop_t *loop;
    struct clock *clock;
    struct readyq *ready;
    struct chunk_pool *pool;
    const char *engine; /* "auto" or an engine's name */
    const char *user;
    const char *const *identities; /* private key files, tried in this order, after the agent's keys */
    size_t identity_count;
    bool identities_only;       /* of the agent's keys, only those that are also in identities */
    const char *key_algorithms; /* keys of other types are not tried (RSA by any of its names); NULL: all */
    struct ssh_algorithms algorithms;
    const char *agent_socket;      /* path, or NULL: no agent */
    bool may_ask_password;         /* password and keyboard-interactive, through `ask` */
    struct ssh_ask ask;            /* ask.ask NULL: nobody can be asked */
    struct ssh_hostid_want host;   /* whose key is expected, and the policy */
    uint32_t handshake_timeout_ms; /* version exchange to authenticated */
    uint32_t keepalive_ms;         /* 0 = none */
    uint32_t keepalive_count;      /* this many unanswered: the connection is dead */
    bool wake; /* run `exit` in a session once, so that sshd sets TCP_NODELAY (DESIGN §5) */
};             /* everything is copied */

struct ssh_conn_events {
    void (*verified)(void *arg); /* or NULL: the host key is the right one; the login follows */
    void (*up)(void *arg);       /* authenticated: channels may be opened */
    void (*closed)(void *arg,
                   const struct err *err); /* exactly once, after every channel's `closed`; err never NULL.
                                              The connection frees itself after this callback. */
};

/* Takes `fd` over on success (on failure it stays the caller's). Starts at once. ERR_NOMEM, ERR_SYSTEM,
 * ERR_INVAL. */
int ssh_conn_new(struct ssh_conn **out, int fd, const struct ssh_conn_options *options,
                 const struct ssh_conn_events *events, void *arg, struct err *err);

/* Says goodbye (SSH_MSG_DISCONNECT, best effort), closes. Silent for the connection: no further event of it
 * fires; every channel still open gets `closed` with ERR_CANCELED first, on a later turn, then cb fires.
 * Called once. */
typedef void (*ssh_closed_cb)(void *arg);
void ssh_conn_close(struct ssh_conn *c, ssh_closed_cb cb, void *arg);

struct ssh_conn_info {
    const char *engine;                      /* "native", "libssh2" */
    const char *server;                      /* "SSH-2.0-OpenSSH_9.2p1 …", printable, or "" */
    char cipher[64], kex[64], host_key[128]; /* agreed algorithms; host_key as "ssh-ed25519 SHA256:…" */
    char auth[128];                          /* "publickey (agent: me@host)" */
    uint32_t rtt_us;                         /* last measured round trip, 0 = not yet */
    uint64_t rx_bytes, tx_bytes;             /* on the socket */
    unsigned channels;                       /* open or opening */
    unsigned opening;                        /* waiting for the server's answer, or for their turn to ask */
    uint64_t oldest_open_ms; /* how long the open at the head of that line has waited; 0 = none */
    uint64_t up_since_ms;    /* clock_now() when authenticated; 0 = not yet */
};
void ssh_conn_info(const struct ssh_conn *c, struct ssh_conn_info *out);

/* ---- channel ---- */

enum ssh_target_kind { SSH_TARGET_TCP, SSH_TARGET_UNIX };

struct ssh_target {
    enum ssh_target_kind kind;
    const char *host; /* TCP: as the server shall resolve it */
    uint16_t port;
    const char *path;        /* UNIX */
    const char *origin_host; /* who connected to us (RFC 4254 §7.2); NULL = 127.0.0.1 */
    uint16_t origin_port;
};

struct ssh_chan_events {
    /* The server connected to the target. */
    void (*opened)(void *arg);
    /* Bytes from the target, borrowed for the call. The receiver takes all of them (writes or queues) and
     * gives credit with ssh_chan_rx_consume() for what has left its memory. What is not credited bounds what
     * can come: SSH_RX_WINDOW, or up to SSH_RX_WINDOW_MAX for a receiver that has kept up so far. */
    void (*data)(void *arg, const uv_buf_t *bufs, unsigned count);
    /* ssh_chan_tx_reserve() gave no room before and would give some now. */
    void (*writable)(void *arg);
    /* The target will send no more; data before it was delivered. The other direction goes on. */
    void (*eof)(void *arg);
    /* Exactly once and last: err NULL after an orderly close by the peer; ERR_REFUSED with the server's
     * reason when the open was refused ("Connection refused", "administratively prohibited: …"); otherwise
     * why the connection died. The channel frees itself after this callback. */
    void (*closed)(void *arg, const struct err *err);
};

/* Asks for a channel; events follow later. Strings are copied. ERR_NOMEM, ERR_LIMIT, ERR_CLOSED (connection
 * not up). */
int ssh_chan_open(struct ssh_chan **out, struct ssh_conn *c, const struct ssh_target *target,
                  const struct ssh_chan_events *events, void *arg, struct err *err);

/* Room to read local bytes into: *room is valid until the next call into this connection or until the
 * callback returns. Returns false when there is none (window, our send queue, a key exchange): `writable`
 * will follow. Before `opened` there is none. Commit ≤ room.len; the bytes are encrypted and queued before it
 * returns. */
bool ssh_chan_tx_reserve(struct ssh_chan *ch, uv_buf_t *room);
void ssh_chan_tx_commit(struct ssh_chan *ch, size_t n);

void ssh_chan_rx_consume(struct ssh_chan *ch, size_t n);

/* We will send no more (after what was committed). Once. */
void ssh_chan_eof(struct ssh_chan *ch);

/* Ends both directions; synchronous and silent: no event of this channel fires any more, the handle is gone.
 * An open that is still under way is completed and thrown away behind the scenes: it is never mistaken for
 * another one's. */
void ssh_chan_close(struct ssh_chan *ch);

/* ---- listening at the server (RFC 4254 §7; for Unix sockets OpenSSH's PROTOCOL §2.4) ---- */

struct ssh_bind {
    enum ssh_target_kind kind;
    const char *host; /* TCP, RFC 4254 §7.1: "localhost", "" for every address, or one of the server's */
    uint16_t port;    /* 0: the server chooses */
    const char *path; /* UNIX */
};

struct ssh_origin {
    const char *host; /* who connected, as the server says; "" for a Unix socket. Not to be trusted. */
    uint16_t port;
};

struct ssh_listen_events {
    /* The server listens; port is the one that it listens on, 0 for a Unix socket. */
    void (*listening)(void *arg, uint16_t port);
    /* Somebody connected there. True: ssh_chan_take() was called, and ssh_chan_accept() or ssh_chan_refuse()
     * follows, now or later. False: it is refused, and ch is gone. */
    bool (*incoming)(void *arg, struct ssh_chan *ch, const struct ssh_origin *from);
    /* Exactly once and last; never NULL. When the server would not listen: ERR_DENIED with its reason, or
     * ERR_REFUSED when it gave none. Otherwise why the connection ended. Its channels go on. The listen frees
     * itself after this callback. */
    void (*closed)(void *arg, const struct err *err);
};

/* Asks the server to listen; events follow later. Strings are copied. ERR_UNSUPPORTED: not with this engine.
 * ERR_EXISTS, ERR_NOMEM, ERR_LIMIT, ERR_INVAL, ERR_CLOSED (connection not up). */
int ssh_listen_open(struct ssh_listen **out, struct ssh_conn *c, const struct ssh_bind *bind,
                    const struct ssh_listen_events *events, void *arg, struct err *err);
/* The server is told to stop; synchronous and silent. Channels that came in before go on. */
void ssh_listen_close(struct ssh_listen *l);

/* Who is told of a channel that came in from now on; may be called again until it is accepted. Of its events
 * only `closed` fires before that; `opened` never does. */
void ssh_chan_take(struct ssh_chan *ch, const struct ssh_chan_events *events, void *arg);
/* The channel is open from now on, like any other. */
void ssh_chan_accept(struct ssh_chan *ch);
/* Instead: the other side is told why; silent as ssh_chan_close(). Only before ssh_chan_accept(). */
void ssh_chan_refuse(struct ssh_chan *ch, const char *why);

#endif

/*
 * l2: the inside of the libssh2 engine, shared by its files.
 *
 * What libssh2 1.10 is like, and what follows for us:
 * - It reads and writes through our callbacks (io.c): input is what feed() was given, output is always
 * accepted, so no packet is ever half sent. LIBSSH2_ERROR_EAGAIN from a call that sends then means one thing
 * only: a key exchange is under way.
 * - Nearly every call first takes in all input there is. So nothing of libssh2 that reads is called but from
 * run().
 * - A channel open keeps its state in the session: strictly one at a time, its arguments frozen (open.c).
 * - It cannot say which channel has something: after input, all are looked at (chan.c).
 * - It throws away what a server says when it refuses; the memory hooks read it on the way (memory.c).
 * - It waits for an answer at most 60 s by the wall clock, then forgets the question.
 */
#ifndef ADIT_SSH_LIBSSH2_L2_H
#define ADIT_SSH_LIBSSH2_L2_H

#include <libssh2.h>

#include "../engine.h"
#include "../ssh.h"
#include "base/list.h"

#define L2_INPUT_MAX (256u << 10)    /* input that waits while a signature is made or a person is asked */
#define L2_MEMORY_BASE (64u << 20)   /* most that libssh2 may hold for a connection, … */
#define L2_MEMORY_CHANNEL (4u << 20) /* … and for each channel of it */
#define L2_WINDOW                                                                                            \
    (SSH_RX_WINDOW - 3 * SSH_RX_READ) /* libssh2 adds a read's size to it, and two reads may be ours */
#define L2_CHANNELS_MAX (2 * SSH_CHANNELS_MAX) /* with those that are being closed */
#define L2_PACKET 32768u

/*
 *   WAITING ──its turn──▶ OPENING ──confirmed──▶ [EXEC] ──▶ OPEN ──either side──▶ CLOSING ──peer closed──▶
 * freed │                     │ let go: freed         let go: completed, then CLOSING
 */
enum l2_chan_state { L2_WAITING, L2_OPENING, L2_EXEC, L2_OPEN, L2_CLOSING };

struct l2;

struct l2_chan {
    struct ssh_echan base;
    enum l2_chan_state state;
    struct list node;   /* waiting, chans or closing */
    struct list hungry; /* on l2->hungry: may have more to read, and may be read */
    struct list unsent; /* on l2->unsent: committed bytes or an eof wait for libssh2 */
    LIBSSH2_CHANNEL *channel;
    const char *type, *command;
    uint8_t *message;
    size_t message_len;
    size_t uncredited; /* given up and not yet consumed */
    uint8_t *kept;     /* committed, not yet taken by libssh2 */
    size_t kept_len, kept_done;
    bool eof_wanted, eof_seen;
};

enum l2_phase { L2_HELLO, L2_AUTH, L2_UP, L2_DEAD };
enum l2_auth { L2_AUTH_IDLE, L2_AUTH_NONE, L2_AUTH_KEY, L2_AUTH_PASSWORD, L2_AUTH_KBDINT };
enum l2_sig { L2_SIG_NONE, L2_SIG_ASKED, L2_SIG_HAVE, L2_SIG_FAILED };

struct l2_kbdint;
struct l2_block;

struct l2 {
    struct ssh_engine base;
    LIBSSH2_SESSION *session;
    uv_loop_t *loop;
    char *user;
    enum l2_phase phase;

    /* io.c */
    const uint8_t *in; /* borrowed from the caller of feed() */
    size_t in_len;
    uint8_t *kept; /* input that could not be taken yet, before `in` */
    size_t kept_len, kept_cap;
    bool output_failed;
    bool broken; /* libssh2 has failed: it is not to be driven any further */

    /* memory.c */
    struct list blocks;
    size_t live;
    uint64_t round; /* counts the calls of feed() and step() */
    bool receiving; /* what libssh2 allocates now belongs to received packets */
    size_t born;    /* blocks of received packets of this round that still live */
    struct l2_block *newest,
        *partial; /* the newest such block, and the one that was so when the round began */
    bool told_failure, told_partial;
    char told_methods[256]; /* of the last USERAUTH_FAILURE */
    char told_reason[256];  /* of the last CHANNEL_OPEN_FAILURE */
    char told_offer[768];   /* of the last KEXINIT */

    char goodbye[256]; /* the server's SSH_MSG_DISCONNECT */
    char cipher[64], kex[64];
    uint8_t *host_key;
    size_t host_key_len;

    /* auth.c, kbdint.c */
    enum l2_auth auth;
    bool refused; /* something, before */
    enum l2_sig sig;
    uint8_t *key, *signature;
    size_t key_len, signature_len;
    char key_type[64];
    char *password;
    struct l2_kbdint *kbdint;

    /* open.c, chan.c */
    struct list waiting, chans, closing, hungry, unsent;
    struct l2_chan *opening;
    bool ping_wanted, ping_opening, ping_told;
    bool stalled; /* libssh2 takes no data: a key exchange */
    unsigned chan_count, orphans;
};

static inline struct l2 *l2_of(struct ssh_engine *e)
{
    return (struct l2 *)e;
}

/* memory.c */
void *l2_alloc(size_t n, void **abstract);
void *l2_realloc(void *p, size_t n, void **abstract);
void l2_free(void *p, void **abstract);
void l2_free_all(struct l2 *e); /* what libssh2 forgot */
void l2_round_begin(struct l2 *e);
/* True only if no packet of this round is still queued in libssh2. A queued packet is two blocks, its bytes
 * and its place in the list; one that is still coming in is one block, always the newest. So one block that
 * is left is a packet's place in the list only if the packet that was coming in when the round began still
 * lives. */
bool l2_nothing_queued(const struct l2 *e);

/* io.c */
ssize_t l2_send(libssh2_socket_t fd, const void *data, size_t n, int flags, void **abstract);
ssize_t l2_recv(libssh2_socket_t fd, void *out, size_t n, int flags, void **abstract);
bool l2_has_input(const struct l2 *e);
int l2_keep_input(struct l2 *e, struct err *err); /* the caller's buffer is about to go */

/* error.c */
int l2_error(struct l2 *e, int rc, const char *doing, struct err *err);

/* prefer.c */
void l2_init_library(void);
bool l2_knows(enum ssh_method method, const char *algorithm);
int l2_prefer(struct l2 *e, const struct ssh_engine_config *config, struct err *err);

/* engine.c */
int l2_check_host_key(struct l2 *e, struct err *err); /* still the one of the first key exchange? */

/* auth.c */
int l2_auth_run(struct l2 *e, struct err *err);
int l2_auth_none(struct ssh_engine *se, struct err *err);
int l2_auth_key(struct ssh_engine *se, const uint8_t *blob, size_t n, struct err *err);
int l2_auth_password(struct ssh_engine *se, const char *password, struct err *err);
int l2_auth_kbdint(struct ssh_engine *se, struct err *err);
int l2_auth_signature(struct ssh_engine *se, const uint8_t *sig, size_t n, struct err *err);
int l2_auth_answers(struct ssh_engine *se, const char *const *answers, unsigned count, struct err *err);
const char *l2_key_trouble(const char *type);
const char *l2_key_refusal(const char *type);
void l2_auth_done(struct l2 *e);
void l2_auth_tell(struct l2 *e, bool ok);

/* kbdint.c: libssh2 wants the answers while it asks, so it asks on a thread of its own */
int l2_kbdint_start(struct l2 *e, struct err *err);
int l2_kbdint_feed(struct l2 *e, struct err *err); /* hands input over */
void l2_kbdint_answer(struct l2 *e, const char *const *answers, unsigned count);
void l2_kbdint_stop(struct l2 *e);
ssize_t l2_kbdint_send(struct l2 *e, const void *data, size_t n);
ssize_t l2_kbdint_recv(struct l2 *e, void *out, size_t n);
bool l2_kbdint_here(const struct l2 *e); /* is this its thread? */

/* open.c */
int l2_open(struct ssh_engine *se, const struct ssh_open_req *req, struct ssh_chan *owner,
            struct ssh_echan **out, struct err *err);
int l2_ping(struct ssh_engine *se, struct err *err);
int l2_open_run(struct l2 *e, struct err *err);
void l2_open_drive(struct l2 *e); /* lets libssh2 notice that the connection is gone */

/* chan.c */
int l2_chan_run(struct l2 *e, struct err *err);
void l2_chan_close(struct ssh_echan *ec);
void l2_chan_begin_close(struct l2_chan *c);
void l2_chan_free(struct l2_chan *c);
void l2_chan_consume(struct ssh_echan *ec, size_t n);
int l2_pump(struct l2 *e, struct err *err);

/* tx.c */
bool l2_tx_reserve(struct ssh_echan *ec, uv_buf_t *room);
int l2_tx_commit(struct ssh_echan *ec, size_t n, struct err *err);
void l2_tx_eof(struct ssh_echan *ec);
int l2_tx_run(struct l2 *e, struct err *err);        /* what waited for libssh2 to take it */
int l2_tx_flush(struct l2_chan *c, struct err *err); /* 1: all is taken, 0: later */

#endif

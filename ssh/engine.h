/*
 * engine: the seam between the SSH face and the code that speaks the protocol. Private to ssh/.
 *
 * An engine does no I/O and knows no loop: bytes of the peer come in through feed(), bytes for the peer go
 * out through up->output(), everything that happened is told through the other up-calls. Up-calls come only
 * from inside feed() and step(); every other function is quiet. Inside an up-call the connection may call any
 * function of the engine but feed(), step() and free(). After a function returned an error, or said so in
 * fatal(), the engine is only to be freed.
 *
 * Channels: open() makes one; close() lets go of it (no up-call any more); up->closed() ends it from the
 * other side. After either the handle is the engine's own business. Thread: the connection's.
 */
#ifndef ADIT_SSH_ENGINE_H
#define ADIT_SSH_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "ssh.h"

struct ssh_chan;
struct ssh_engine_ops;
struct ssh_engine_up;

#define SSH_PROMPTS_MAX 16      /* of one keyboard-interactive round */
#define SSH_TX_MAX (64u << 10)  /* most that one tx_reserve offers */
#define SSH_RX_READ (64u << 10) /* most that one data up-call brings */

struct ssh_engine {
    const struct ssh_engine_ops *ops;
    const struct ssh_engine_up *up;
    void *conn; /* first argument of the connection's up-calls */
};

struct ssh_echan {
    struct ssh_engine *engine;
    struct ssh_chan *owner; /* NULL once nobody is to be told anything */
};

struct ssh_engine_config {
    uv_loop_t *loop;           /* for an engine that needs a thread to wait for a person; not for I/O */
    const char *user;          /* copied */
    const char *host_key_algs; /* known types, preferred; comma-separated, may be "" */
    struct ssh_algorithms algorithms; /* borrowed for the call */
};

struct ssh_open_req {
    const char *type;       /* RFC 4254 §5.1 channel type, static */
    const uint8_t *message; /* what follows the four fixed fields; copied */
    size_t message_len;
    const char *command; /* of a session: executed before `opened`; static or NULL */
};

/* A request about the whole connection that wants an answer (RFC 4254 §4). */
struct ssh_request {
    const char *name; /* static */
    const uint8_t *message;
    size_t message_len; /* what follows the two fixed fields; copied */
    void *owner;        /* comes back with the answer; lives until then, or as long as the engine */
};

struct ssh_answer {
    bool ok;
    const uint8_t *message; /* what came with it; borrowed */
    size_t message_len;
    const char *said; /* what the server said about it on the side (SSH_MSG_DEBUG), printable, or NULL */
};

/* A channel that the server opens. */
struct ssh_incoming {
    struct ssh_echan *chan; /* owner NULL: the up-call sets it, or refuses */
    const uint8_t *type;
    size_t type_len;
    const uint8_t *message; /* what follows the four fixed fields */
    size_t message_len;
};

/* RFC 4254 §5.1 */
enum ssh_refusal { SSH_REFUSED_PROHIBITED = 1, SSH_REFUSED_CONNECT, SSH_REFUSED_TYPE, SSH_REFUSED_SHORTAGE };

struct ssh_auth_reply {
    bool ok;
    bool partial;        /* RFC 4252 §5.1: this step was taken, more are wanted */
    bool signed_off;     /* a key: the server had accepted the public half */
    const char *methods; /* what may continue, printable, "" if unknown */
};

struct ssh_prompt {
    const char *text; /* printable */
    bool echo;
};

struct ssh_engine_info {
    const char *cipher, *kex;
};

/* What an engine tells. The first argument is engine->conn, or the channel's owner. */
struct ssh_engine_up {
    int (*output)(void *conn, const void *data, size_t n); /* copies; ERR_NOMEM, ERR_LIMIT */
    void (*soon)(void *conn);                              /* step() is wanted on a later turn */
    void (*fatal)(void *conn, const struct err *err);      /* found out where no error can be returned */
    int (*host_key)(void *conn, const uint8_t *blob, size_t n, struct err *err); /* negative: do not go on */
    void (*ready)(void *conn); /* keys agreed: auth_*() may be called */
    void (*auth_reply)(void *conn, const struct ssh_auth_reply *reply);
    /* Answer with auth_signature(). alg: RFC 4253 §6.6, RFC 8332. */
    void (*auth_sign)(void *conn, const char *alg, const uint8_t *data, size_t n);
    void (*auth_prompts)(void *conn, const char *title, const struct ssh_prompt *prompts, unsigned count);
    void (*pong)(void *conn);
    void (*opened)(struct ssh_chan *ch);
    void (*data)(struct ssh_chan *ch, const uv_buf_t *bufs, unsigned count);
    void (*eof)(struct ssh_chan *ch);
    void (*closed)(struct ssh_chan *ch, const struct err *err); /* NULL: orderly */
    void (*answered)(void *owner, const struct ssh_answer *answer);
    /* Sets the owner, or calls refuse(): one of the two before it returns. */
    void (*incoming)(void *conn, const struct ssh_incoming *in);
};

struct ssh_engine_ops {
    const char *name;
    bool (*knows)(enum ssh_method method, const char *algorithm);
    int (*create)(struct ssh_engine **out, const struct ssh_engine_config *config,
                  const struct ssh_engine_up *up, void *conn, struct err *err);
    void (*free)(struct ssh_engine *e); /* channels too, silently */

    int (*start)(struct ssh_engine *e, struct err *err); /* version exchange onwards */
    int (*feed)(struct ssh_engine *e, const uint8_t *in, size_t n, struct err *err);
    int (*step)(struct ssh_engine *e, struct err *err);
    void (*goodbye)(struct ssh_engine *e); /* SSH_MSG_DISCONNECT into the output */
    void (*info)(const struct ssh_engine *e, struct ssh_engine_info *out);

    /* One at a time, each followed by one auth_reply. */
    int (*auth_none)(struct ssh_engine *e, struct err *err);
    int (*auth_key)(struct ssh_engine *e, const uint8_t *blob, size_t n,
                    struct err *err);                                                  /* blob is copied */
    int (*auth_password)(struct ssh_engine *e, const char *password, struct err *err); /* copied, wiped */
    int (*auth_kbdint)(struct ssh_engine *e, struct err *err);
    int (*auth_signature)(struct ssh_engine *e, const uint8_t *sig, size_t n,
                          struct err *err); /* NULL: cannot sign */
    int (*auth_answers)(struct ssh_engine *e, const char *const *answers, unsigned count, struct err *err);
    /* Why a key of this type cannot be used with this engine, or NULL. Static text. */
    const char *(*key_trouble)(const char *key_type);
    /* What may be behind the refusal of a key of this type, with a remedy, or NULL. Static text. */
    const char *(*key_refusal)(const char *key_type);

    int (*open)(struct ssh_engine *e, const struct ssh_open_req *req, struct ssh_chan *owner,
                struct ssh_echan **out, struct err *err);
    bool (*tx_reserve)(struct ssh_echan *c, uv_buf_t *room);
    int (*tx_commit)(struct ssh_echan *c, size_t n, struct err *err);
    void (*rx_consume)(struct ssh_echan *c, size_t n);
    void (*eof)(struct ssh_echan *c);
    void (*close)(struct ssh_echan *c);

    /* NULL for an engine that cannot have the server listen: then these three are not called. */
    int (*request)(struct ssh_engine *e, const struct ssh_request *req, struct err *err);
    int (*accept)(struct ssh_echan *c, struct err *err); /* of a channel that came in; open from now on */
    void (*refuse)(struct ssh_echan *c, enum ssh_refusal code, const char *why); /* or this; it is gone */

    /* Asks the peer for a sign of life. 1: pong will follow; 0: something else is under way whose answer will
     * do. */
    int (*ping)(struct ssh_engine *e, struct err *err);
};

/* NULL when there is none of that name. "auto", or NULL: the best one for this host (as in ssh_hostid_want).
 */
const struct ssh_engine_ops *ssh_engine_find(const char *name, const char *host);

/* The engine `used`, found by `name`, has no algorithm in common with the host. True: another will be found
 * for it from now on. Thread: any. */
bool ssh_engine_fall_back(const char *name, const struct ssh_engine_ops *used, const char *host);

/* Tests: one more engine, found by its own name. NULL takes it away. */
void ssh_engine_set_extra(const struct ssh_engine_ops *ops);

extern const struct ssh_engine_ops ssh_engine_libssh2, ssh_engine_native;

#endif

/*
 * native: the inside of the native engine, shared by its files.
 *
 * Our own SSH 2 client for current servers: one AEAD call a packet, encrypted once on the way out and
 * decrypted once on the way in. Bytes from the server go packet.c (decrypt) → dispatch.c (whose message is
 * it) → kex.c, auth.c, global.c or chan.c. Whatever is sent goes through native_send() or, for channel data,
 * tx.c; while keys are exchanged (RFC 4253 §7.1) only messages of the exchange leave, the others wait in
 * `held`. Sources: RFC 4250–4254, 5647 as OpenSSH does it, 5656, 8308, 8332, 8709, 8731; OpenSSH's PROTOCOL
 * and PROTOCOL.chacha20poly1305 (strict key exchange: PROTOCOL §1.10).
 */
#ifndef ADIT_SSH_NATIVE_NATIVE_H
#define ADIT_SSH_NATIVE_NATIVE_H

#include "../engine.h"
#include "base/list.h"
#include "base/wire.h"
#include "cipher.h"

#define NATIVE_PACKET_MAX (128u << 10) /* packet_length that we take from a server */
#define NATIVE_DATA_MAX 32768u         /* bytes of data a packet, each way */
#define NATIVE_PADDING_MAX 32u
#define NATIVE_HELD_MAX (4u << 20)                 /* bytes that may wait for the end of a key exchange */
#define NATIVE_CHANNELS_MAX (2 * SSH_CHANNELS_MAX) /* with those that are being closed */
#define NATIVE_VERSION_MAX 255                     /* RFC 4253 §4.2 */
#define NATIVE_CLIENT_VERSION "SSH-2.0-adit_" ADIT_VERSION
#define NATIVE_SESSION_MAX 64 /* of a hash */

enum { /* RFC 4250 §4.1, 8308, and the methods' own */
       MSG_DISCONNECT = 1,
       MSG_IGNORE,
       MSG_UNIMPLEMENTED,
       MSG_DEBUG,
       MSG_SERVICE_REQUEST,
       MSG_SERVICE_ACCEPT,
       MSG_EXT_INFO,
       MSG_KEXINIT = 20,
       MSG_NEWKEYS,
       MSG_KEX_ECDH_INIT = 30,
       MSG_KEX_ECDH_REPLY,
       MSG_USERAUTH_REQUEST = 50,
       MSG_USERAUTH_FAILURE,
       MSG_USERAUTH_SUCCESS,
       MSG_USERAUTH_BANNER,
       MSG_USERAUTH_60 = 60, /* PK_OK, PASSWD_CHANGEREQ, INFO_REQUEST: as was asked */
       MSG_USERAUTH_INFO_RESPONSE,
       MSG_GLOBAL_REQUEST = 80,
       MSG_REQUEST_SUCCESS,
       MSG_REQUEST_FAILURE,
       MSG_CHANNEL_OPEN = 90,
       MSG_CHANNEL_OPEN_CONFIRMATION,
       MSG_CHANNEL_OPEN_FAILURE,
       MSG_CHANNEL_WINDOW_ADJUST,
       MSG_CHANNEL_DATA,
       MSG_CHANNEL_EXTENDED_DATA,
       MSG_CHANNEL_EOF,
       MSG_CHANNEL_CLOSE,
       MSG_CHANNEL_REQUEST,
       MSG_CHANNEL_SUCCESS,
       MSG_CHANNEL_FAILURE,
};

/*
 *   VERSION ──"SSH-2.0-…"──▶ KEYS ──both NEWKEYS──▶ SERVICE ──accepted──▶ AUTH ──success──▶ UP
 * A later key exchange shows in kex.state only.
 */
enum native_phase { NATIVE_VERSION, NATIVE_KEYS, NATIVE_SERVICE, NATIVE_AUTH, NATIVE_UP };

/*
 *   IDLE ──our KEXINIT sent──▶ OFFERED ──theirs came──▶ ASKED ──reply verified──▶ SEALED ──their NEWKEYS──▶
 * IDLE Ours are sent with the reply's verification: from then on everything may be sent again.
 */
enum kex_state { KEX_IDLE, KEX_OFFERED, KEX_ASKED, KEX_SEALED };

struct kex_method;
struct host_key_method;

struct kex {
    enum kex_state state;
    struct wire_writer ours, theirs; /* KEXINIT payloads of this exchange */
    const struct kex_method *method;
    const struct host_key_method *host_key;
    const struct cipher *cipher_out, *cipher_in;
    void *secret_key; /* EVP_PKEY of this exchange */
    struct wire_writer public_key;
    bool skip_guess;        /* the server's next packet was a wrong guess */
    struct cipher_keys *in; /* agreed, in use once their NEWKEYS came */
    uint8_t session_id[NATIVE_SESSION_MAX];
    size_t session_len; /* 0: before the first exchange */
    bool strict;
    bool no_mac;    /* the one of cipher.h is not allowed */
    char *offer[4]; /* key exchange, host key, ciphers: what we offer, comma-separated */
    char kex_name[64], cipher_name[64];
};

enum native_auth {
    AUTH_NONE_YET,
    AUTH_ASKED_NONE,
    AUTH_PROBED_KEY,
    AUTH_SIGNING,
    AUTH_SIGNED,
    AUTH_PASSWORD,
    AUTH_KBDINT,
    AUTH_ANSWERING, /* a person has its questions */
};

struct native_login {
    enum native_auth state;
    bool refused;  /* something, before */
    uint8_t *blob; /* the key that is tried */
    size_t blob_len;
    const char *alg;      /* that it signs with, as the server is told */
    const char *sign_alg; /* as the signer is told; differs for certificates */
    bool cannot_sign;     /* to be told on the next step */
    unsigned questions;   /* that a person has */
    char methods[256], sig_algs[512];
};

/*
 *   OPENING ──confirmed──▶ [COMMAND] ──▶ OPEN ──a CLOSE of either side──▶ CLOSING ──both──▶ freed
 */
enum native_chan_state { NATIVE_OPENING, NATIVE_COMMAND, NATIVE_OPEN, NATIVE_CLOSING };

struct native_chan {
    struct ssh_echan base;
    struct list node; /* of the engine's channels */
    enum native_chan_state state;
    uint32_t id, peer_id;
    const char *command;
    uint32_t tx_window, tx_packet;  /* what the server takes: in all, and a packet */
    uint32_t rx_window;             /* what the server may still send */
    uint32_t rx_target;             /* what it is let send when nothing waits here */
    size_t uncredited;              /* came, and is not consumed */
    size_t rx_grown;                /* its part of the thread's limit on grown windows */
    uint64_t rate_from, rate_bytes; /* since when (ns), and how much was consumed since */
    bool incoming;                  /* the server opened it, and nobody has accepted it yet */
    bool eof_wanted, eof_got, close_sent;
};

/* Data of one channel that came together, waiting to be told in one go. */
#define NATIVE_BATCH 16
struct rx_batch {
    struct native_chan *chan;
    uv_buf_t bufs[NATIVE_BATCH];
    unsigned count;
    size_t bytes;
};

struct native {
    struct ssh_engine base;
    char *user;
    char *known_types;
    enum native_phase phase;
    struct cipher_state out, in; /* packet protection, each way */

    uint8_t *partial; /* of a packet (or a line of the version exchange) that is not whole yet */
    size_t partial_len, partial_cap;
    unsigned lines; /* before the version */
    char server_version[NATIVE_VERSION_MAX + 1];

    struct kex kex;
    uint8_t *host_key;
    size_t host_key_len;
    struct native_login login;

    struct wire_writer held;    /* messages, each as a string, for after the key exchange */
    struct native_chan **chans; /* by id */
    uint32_t chan_cap, chan_count;
    uint32_t free_hint;
    struct list open_order; /* every channel, for the end */
    struct list requests; /* global ones of ours without an answer, oldest first: that is how answers come */
    char said[160];       /* the server's last SSH_MSG_DEBUG … */
    uint32_t said_seq;    /* … and the number of the packet right behind it */
    uint64_t rtt_ns;      /* the shortest round trip seen, 0 = none yet */
    struct rx_batch batch;
    size_t arena_len; /* bytes that packets of this feed() were decrypted to */
};

static inline struct native *native_of(struct ssh_engine *e)
{
    return (struct native *)e;
}

/* packet.c */
int native_send(struct native *n, const struct wire_writer *message,
                struct err *err); /* one message, now or held */
int native_send_now(struct native *n, const uint8_t *payload, size_t len, struct err *err);
/* The same for a payload of len bytes at body + 1, with NATIVE_PADDING_MAX bytes behind it that may be
 * overwritten. */
int native_send_body(struct native *n, uint8_t *body, size_t len, struct err *err);
int native_receive(struct native *n, const uint8_t *in, size_t len, struct err *err);
int native_send_held(struct native *n, struct err *err);
bool native_may_send(const struct native *n); /* no key exchange is under way */

/* dispatch.c: the payload of one packet, valid for the call (channel data: until the batch is told) */
int native_dispatch(struct native *n, uint8_t *payload, size_t len, struct err *err);

/* kex.c */
int kex_offer(struct native *n, struct err *err); /* sends our KEXINIT */
int kex_message(struct native *n, uint8_t type, const uint8_t *payload, size_t len, struct err *err);
void kex_done(struct kex *k);

/* algorithms.c: what is offered, and what both know */
int algorithms_offer(struct native *n, const struct ssh_engine_config *config, struct err *err);
int algorithms_write(struct native *n, struct wire_writer *w);
int algorithms_agree(struct native *n, struct wire_reader *theirs, struct err *err);
bool algorithms_know(enum ssh_method method, const char *name);

/* auth.c */
int auth_service(struct native *n, struct err *err);
int auth_message(struct native *n, uint8_t type, struct wire_reader *r, struct err *err);
int auth_step(struct native *n, struct err *err);
void auth_begin(struct native *n, struct wire_writer *w, const char *method); /* of a request's message */
/* Sends the message and writes it off. */
int auth_ask(struct native *n, struct wire_writer *w, enum native_auth state, struct err *err);
void auth_done(struct native *n);
int native_auth_none(struct ssh_engine *e, struct err *err);
int native_auth_key(struct ssh_engine *e, const uint8_t *blob, size_t len, struct err *err);
int native_auth_password(struct ssh_engine *e, const char *password, struct err *err);
int native_auth_signature(struct ssh_engine *e, const uint8_t *sig, size_t len, struct err *err);
const char *native_key_trouble(const char *type);
const char *native_key_refusal(const char *type);
void auth_ext_info(struct native *n, struct wire_reader *r);

/* kbdint.c */
int kbdint_questions(struct native *n, struct wire_reader *r, struct err *err);
int native_auth_kbdint(struct ssh_engine *e, struct err *err);
int native_auth_answers(struct ssh_engine *e, const char *const *answers, unsigned count, struct err *err);

/* chan.c */
int chan_message(struct native *n, uint8_t type, struct wire_reader *r, struct err *err);
int native_open(struct ssh_engine *e, const struct ssh_open_req *req, struct ssh_chan *owner,
                struct ssh_echan **out, struct err *err);
void native_eof(struct ssh_echan *c);
void native_close(struct ssh_echan *c);
void chan_free(struct native *n, struct native_chan *c);
struct native_chan *chan_new(struct native *n, struct err *err);
/* A message of the type and the server's number of the channel, and that is all: EOF, CLOSE, SUCCESS,
 * FAILURE. */
int chan_send_bare(struct native_chan *c, uint8_t type, struct err *err);
struct native_chan *chan_find(struct native *n, uint32_t id);

/* incoming.c: channels that the server opens */
int incoming_open(struct native *n, struct wire_reader *r, struct err *err);
int native_accept(struct ssh_echan *c, struct err *err);
void native_refuse(struct ssh_echan *c, enum ssh_refusal code, const char *why);

/* rx.c */
int rx_data(struct native *n, struct wire_reader *r, bool extended, struct err *err);
void rx_tell(struct native *n);         /* the batch */
void rx_release(struct native_chan *c); /* it is about to be freed */
void native_rx_consume(struct ssh_echan *c, size_t len);

/* tx.c */
bool native_tx_reserve(struct ssh_echan *c, uv_buf_t *room);
int native_tx_commit(struct ssh_echan *c, size_t len, struct err *err);
int tx_adjust(struct native_chan *c, struct wire_reader *r, struct err *err);

/* global.c */
int global_message(struct native *n, uint8_t type, struct wire_reader *r, struct err *err);
int native_ping(struct ssh_engine *e, struct err *err);
int native_request(struct ssh_engine *e, const struct ssh_request *req, struct err *err);
void global_said(struct native *n, struct wire_reader *r); /* SSH_MSG_DEBUG */
void global_done(struct native *n);

/* For functions that cannot return an error. */
void native_fatal(struct native *n, const struct err *err);
/* A message that the server may not send now, or a malformed one: ERR_PROTOCOL. */
int native_wrong(const char *what, struct err *err);

#endif

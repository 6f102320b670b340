/*
 * rig: the native engine between a connection that writes down what it is told and the far end.
 *
 * What the engine tells is held against its contract (ssh/engine.h) on the way; a breach traps. Thread: any,
 * one rig at a time.
 */
#ifndef ADIT_TESTS_UNIT_SSH_NATIVE_RIG_H
#define ADIT_TESTS_UNIT_SSH_NATIVE_RIG_H

#include "far.h"

#define RIG_CHANS 64

/* Like assert, in every build, and known to a fuzzer. */
#define MUST(condition) ((condition) ? (void)0 : __builtin_trap())

/* A channel as the connection sees it. */
struct ssh_chan {
    struct rig *rig;
    struct ssh_echan *ec;
    bool opened, eof, closed, let_go, eof_sent;
    bool hold;     /* gives no credit */
    bool incoming; /* and not accepted yet */
    int code;      /* of closed */
    size_t got, held;
    char text[16]; /* the first bytes */
};

enum rig_event {
    RIG_READY,
    RIG_REPLY,
    RIG_SIGN,
    RIG_PROMPTS,
    RIG_PONG,
    RIG_OPENED,
    RIG_DATA,
    RIG_EOF,
    RIG_CLOSED,
    RIG_ANSWERED,
    RIG_INCOMING,
};

struct rig {
    struct ssh_engine *e;
    struct far far;
    uint8_t *out; /* of the engine, on its way */
    size_t out_len, out_cap;
    size_t piece; /* that input is cut into; 0: as it is */
    bool inside;  /* feed() or step() */
    bool soon, is_ready, failed;
    struct err err; /* of whatever failed first */
    int host_key_answer;
    unsigned host_keys, replies, prompts, signs, pongs, answers;
    bool takes_incoming; /* channels that the server opens, for rig_accept() */
    bool logged_in;
    char sign_alg[64];
    struct ssh_chan chans[RIG_CHANS];
    unsigned chan_count;
    /* May call the engine; ch is NULL where it is no channel's. */
    void (*on)(struct rig *r, enum rig_event event, struct ssh_chan *ch);
    void *arg;
    long may_allocate; /* calls into the engine, together; negative: all */
};

void rig_init(struct rig *r, const struct far_options *o);
void rig_done(struct rig *r);
int rig_start(struct rig *r); /* both ends' first words */
/* Until neither end has anything to say. Negative: r->err says why. */
int rig_run(struct rig *r);
int rig_feed(struct rig *r, const void *data, size_t n); /* as if the far end had sent it */
int rig_up(struct rig *r); /* rig_start(), then the login by "none"; the far end has to let it in */
int rig_fail(struct rig *r, const struct err *err);
extern const struct ssh_engine_up rig_events; /* rig_events.c */

struct ssh_chan *rig_open(struct rig *r); /* NULL: r->err */
void rig_accept(struct ssh_chan *ch);     /* that came in */
int rig_request(struct rig *r);           /* about the whole connection; counts in r->answers */
void rig_let_go(struct ssh_chan *ch);
void rig_consume(struct ssh_chan *ch, size_t n);
size_t rig_commit(struct ssh_chan *ch, size_t most); /* as much as there is room for */

/* A cmocka assertion: it failed with this code, and the text is in its message. */
void rig_expect(const struct rig *r, int code, const char *text);

struct native *rig_native(struct rig *r); /* the engine's inside */

#endif

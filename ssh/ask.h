/*
 * ask: how a connection puts a question to a person (a passphrase, a password, keyboard-interactive, a new
 * host key), without knowing where.
 */
#ifndef ADIT_SSH_ASK_H
#define ADIT_SSH_ASK_H

#include <stdbool.h>

#include "base/err.h"

/* Exactly once, never inside ask(). answer is NULL when there is none (err says why); it is wiped by the
 * asker's side after the callback: copy what is needed and wipe the copy. */
typedef void (*ssh_answer_cb)(void *arg, const char *answer, const struct err *err);

enum ssh_question_kind {
    SSH_ASK_PROMPT,     /* the server's own, of keyboard-interactive */
    SSH_ASK_PASSWORD,   /* the user's on that server */
    SSH_ASK_PASSPHRASE, /* of a key file */
    SSH_ASK_HOSTKEY,    /* yes or no */
};

#define SSH_ANSWER_MAX 1024 /* bytes; a longer answer is none */
#define SSH_ASK_TRIES 3     /* a passphrase or a password that was wrong is asked for again */

const char *ssh_ask_kind_name(enum ssh_question_kind kind); /* "passphrase", …, as docs/protocol.md has it */

struct ssh_question {
    enum ssh_question_kind kind;
    const char *prompt; /* what the server or we ask, control characters already taken out; borrowed */
    bool echo;          /* may be shown while it is typed */
};

struct ssh_ask {
    /* Returns a handle for cancel, or NULL with err set. */
    void *(*ask)(void *self, const struct ssh_question *q, ssh_answer_cb cb, void *arg, struct err *err);
    void (*cancel)(void *self, void *handle); /* synchronous and silent */
    void *self;
};

/* The asker that runs $SSH_ASKPASS (ssh(1), ENVIRONMENT) on the loop, one question at a time. ERR_NOTFOUND
 * when it is not set or no program. Close it after every connection that uses it. */
struct ssh_askpass;
struct uv_loop_s;
int ssh_askpass_new(struct ssh_askpass **out, struct uv_loop_s *loop, struct err *err);
struct ssh_ask ssh_askpass_ask(struct ssh_askpass *a);
void ssh_askpass_close(struct ssh_askpass *a, void (*cb)(void *arg), void *arg);

#endif

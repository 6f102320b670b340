/*
 * auth_state: the inside of a login, shared by the files that make it up. Private to ssh/.
 */
#ifndef ADIT_SSH_AUTH_STATE_H
#define ADIT_SSH_AUTH_STATE_H

#include "auth_list.h"
#include "base/strbuf.h"
#include "conn.h"

#define ROUNDS_MAX 8  /* of keyboard-interactive questions */
#define TRIED_MAX 640 /* bytes of the list of what was tried */

enum ssh_auth_state { AUTH_GATHER, AUTH_NONE, AUTH_KEYS, AUTH_PASSWORD, AUTH_PROMPTS, AUTH_OVER };

/* A key file that is being unlocked: auth_unlock.c. */
struct ssh_unlock {
    size_t file; /* in the keyring */
    unsigned tries;
    void (*done)(struct ssh_auth *a, const struct err *err); /* NULL: it is open */
    uint8_t *data;                                           /* to be signed with it then, or NULL */
    size_t len;
};

struct ssh_auth {
    struct ssh_conn *conn;
    enum ssh_auth_state state;
    bool engine_ready;
    struct ssh_job *job;
    struct ssh_keyring *ring;
    struct ssh_agent *agent;
    bool listing;
    struct ssh_agent_keys agent_keys;
    struct ssh_candidate *list;
    size_t count, next; /* list[next - 1] is being tried */
    char alg[64];
    char methods[256];
    unsigned password_tries, prompts_tries;
    bool waiting;
    bool answered_once; /* of the prompts of this try */
    void *question;     /* handle of the asker */
    bool asking;
    char *questions[SSH_PROMPTS_MAX], *answers[SSH_PROMPTS_MAX];
    bool echo[SSH_PROMPTS_MAX];
    unsigned asked, answered, rounds;
    bool refusal_noted[2]; /* of answers, of the password */
    bool unanswered;       /* what a person would have answered was wanted */
    bool unsigned_key;     /* why the key under way is refused is noted already */
    struct ssh_unlock unlock;
    struct strbuf tried;
};

void ssh_auth_step(struct ssh_auth *a);
void ssh_auth_note(struct ssh_auth *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));                      /* for the error text */
void ssh_auth_broke(struct ssh_auth *a, const struct err *err); /* the connection cannot go on */

/* auth_keys.c */
bool ssh_auth_try_key(
    struct ssh_auth *a); /* starts with the next that can be used; false when there is none */
void ssh_auth_key_refused(struct ssh_auth *a, const struct ssh_auth_reply *reply); /* notes it */

/* auth_unlock.c: asks for the passphrase of a file of the keyring until it is open, or cannot be. done is
 * never called inside it. */
void ssh_auth_unlock(struct ssh_auth *a, size_t file,
                     void (*done)(struct ssh_auth *a, const struct err *err));
void ssh_auth_unlock_forget(struct ssh_auth *a);

/* auth_ask.c */
bool ssh_auth_ask(struct ssh_auth *a, const struct ssh_question *q, ssh_answer_cb cb, struct err *err);
void ssh_auth_answered(struct ssh_auth *a); /* to be called first by every ssh_answer_cb */
bool ssh_auth_may_ask(const struct ssh_auth *a);
bool ssh_auth_ask_password(struct ssh_auth *a); /* false: it could not be asked */
void ssh_auth_forget_answers(struct ssh_auth *a);

#endif

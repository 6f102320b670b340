/*
 * login_side: servers to log in to, one attempt at it, and a person who answers from a list.
 */
#ifndef ADIT_TESTS_FLOW_SSH_LOGIN_SIDE_H
#define ADIT_TESTS_FLOW_SSH_LOGIN_SIDE_H

#include "server.h"
#include "world.h"

struct setting {
    struct server sshd, python;
    bool have_python;
    char known[96], known_python[96];
};

/* Answers a little later; an answer NULL is a refusal, "never" is none. */
struct asker {
    struct world *w;
    const char *const *answers;
    unsigned asked, canceled;
    char prompts[4][300];
    bool echo[4];
    enum ssh_question_kind kinds[4];
    uv_timer_t *timer;
    bool armed;
    ssh_answer_cb cb;
    void *arg;
};

struct ssh_ask asker(struct asker *a);

int login_start(void **state); /* *state is a struct setting */
int login_stop(void **state);

struct link_options to_sshd(const struct setting *s);
struct link_options to_python(const struct setting *s, const char *user);

/* Tries to log in; true: it worked, and how (128 bytes) is what the connection says of it. The reason is in
 * *why otherwise. a may be NULL: nobody can be asked. */
bool login_attempt(const struct link_options *o, struct asker *a, char *how, struct err *why);

#endif

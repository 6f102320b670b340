/*
 * auth_ask: the part of a login that a person answers: a password, the questions of keyboard-interactive.
 */
#include <stdio.h>
#include <string.h>

#include "auth_state.h"
#include "base/mem.h"

bool ssh_auth_ask(struct ssh_auth *a, const struct ssh_question *q, ssh_answer_cb cb, struct err *err)
{
    const struct ssh_ask *ask = &a->conn->opt.ask;
    a->question = ask->ask(ask->self, q, cb, a, err);
    a->asking = a->question != NULL;
    return a->asking;
}

void ssh_auth_answered(struct ssh_auth *a)
{
    struct ssh_conn *c = a->conn;
    a->asking = false;
    a->question = NULL;
    if (timer_active(&c->deadline)) /* the time that the person took is not the server's */
        (void)timer_start(&c->deadline, c->opt.handshake_timeout_ms);
}

static void on_password(void *arg, const char *answer, const struct err *err)
{
    struct ssh_auth *a = arg;
    struct err trouble;
    ssh_auth_answered(a);
    if (!answer) {
        a->password_tries = SSH_ASK_TRIES;
        a->unanswered = true;
        ssh_auth_note(a, "no password: %s", err ? err->msg : "none was given");
        ssh_auth_step(a);
        return;
    }
    a->waiting = true;
    if (a->conn->engine->ops->auth_password(a->conn->engine, answer, &trouble) < 0)
        ssh_auth_broke(a, &trouble);
}

bool ssh_auth_may_ask(const struct ssh_auth *a)
{
    return a->conn->opt.may_ask_password && a->conn->opt.ask.ask;
}

bool ssh_auth_ask_password(struct ssh_auth *a)
{
    char prompt[512];
    struct err err;
    const char *label = a->conn->opt.host.label ? a->conn->opt.host.label : a->conn->opt.host.host;
    const struct ssh_question q = {.kind = SSH_ASK_PASSWORD, .prompt = prompt};
    snprintf(prompt, sizeof prompt, "%sPassword of %s for %s: ", a->password_tries ? "Refused. " : "",
             a->conn->opt.user, label);
    a->password_tries++;
    if (ssh_auth_ask(a, &q, on_password, &err))
        return true;
    a->password_tries = SSH_ASK_TRIES;
    a->unanswered = true;
    ssh_auth_note(a, "no password: %s", err.msg);
    return false;
}

void ssh_auth_forget_answers(struct ssh_auth *a)
{
    for (unsigned i = 0; i < SSH_PROMPTS_MAX; i++) {
        if (a->answers[i])
            mem_free_secret(a->answers[i], strlen(a->answers[i]));
        mem_free(a->questions[i]);
        a->answers[i] = a->questions[i] = NULL;
    }
    a->asked = a->answered = 0;
}

static void give_answers(struct ssh_auth *a, bool all)
{
    struct err err;
    int rc = a->conn->engine->ops->auth_answers(a->conn->engine, all ? (const char *const *)a->answers : NULL,
                                                a->asked, &err);
    ssh_auth_forget_answers(a);
    if (rc < 0)
        ssh_auth_broke(a, &err);
}

static void ask_next(struct ssh_auth *a);

static void on_answer(void *arg, const char *answer, const struct err *err)
{
    struct ssh_auth *a = arg;
    ssh_auth_answered(a);
    char *copy = answer ? mem_strdup(answer) : NULL;
    if (!copy) {
        a->prompts_tries = SSH_ASK_TRIES;
        a->unanswered = true;
        ssh_auth_note(a, "no answer to the server's question: %s", err ? err->msg : "none was given");
        give_answers(a, false);
        return;
    }
    a->answered_once = true;
    a->answers[a->answered++] = copy;
    ask_next(a);
}

static void ask_next(struct ssh_auth *a)
{
    struct err err;
    if (a->answered == a->asked) {
        give_answers(a, true);
        return;
    }
    const struct ssh_question q = {
        .kind = SSH_ASK_PROMPT, .prompt = a->questions[a->answered], .echo = a->echo[a->answered]};
    if (ssh_auth_ask(a, &q, on_answer, &err))
        return;
    a->prompts_tries = SSH_ASK_TRIES;
    a->unanswered = true;
    ssh_auth_note(a, "no answer to the server's question: %s", err.msg);
    give_answers(a, false);
}

void ssh_auth_prompts(struct ssh_auth *a, const char *title, const struct ssh_prompt *prompts, unsigned count)
{
    ssh_auth_forget_answers(a);
    bool ok = count <= SSH_PROMPTS_MAX && ++a->rounds <= ROUNDS_MAX;
    for (unsigned i = 0; ok && i < count; i++) {
        a->questions[i] = mem_printf("%s%s%s", title, *title ? ": " : "", prompts[i].text);
        a->echo[i] = prompts[i].echo;
        ok = a->questions[i] != NULL;
    }
    a->asked = ok ? count : 0;
    if (ok)
        ask_next(a);
    else
        give_answers(a, false);
}

bool ssh_auth_asking(const struct ssh_auth *a)
{
    return a->asking;
}

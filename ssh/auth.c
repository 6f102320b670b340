/*
 * auth: decides what to log in with, in which order, and what to say when nothing worked.
 *
 *   GATHER ──keys loaded, agent asked, engine ready──▶ NONE ──methods known──▶ KEYS ──none left──▶ PASSWORD
 * ──▶ PROMPTS ──▶ OVER Happy path: the server accepts "none" or one of the keys. Each key is tried once, what
 * a person answers three times: a refusal is noted and the next one is taken, so nothing loops. A key file
 * with a passphrase is offered by its public half, and unlocked (auth_unlock.c) when the server would take
 * it. A step that the server calls partial (RFC 4252 §5.1) goes on the same way with the methods that are
 * left. Failure modes: no key at all, a key that cannot be used (noted with its reason), an agent that does
 * not answer (the connection's deadline), nobody to ask, a server that ends the attempt: the text tells all
 * that was tried.
 */
#include "auth.h"

#include <stdio.h>
#include <string.h>

#include "auth_state.h"
#include "base/mem.h"
#include "base/wire.h"
#include "text.h"

/* ---- what is said ---- */

void ssh_auth_note(struct ssh_auth *a, const char *fmt, ...)
{
    char line[ERR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (a->tried.len + strlen(line) > TRIED_MAX) {
        if (a->tried.len <= TRIED_MAX && a->tried.len > 0 && a->tried.data[a->tried.len - 1] != ' ')
            strbuf_puts(&a->tried, "; … ");
        return;
    }
    strbuf_printf(&a->tried, "%s%s", a->tried.len ? "; " : "", line);
}

const char *ssh_auth_tried(struct ssh_auth *a)
{
    return a->tried.data && !a->tried.bad ? a->tried.data : "";
}

static void fail(struct ssh_auth *a)
{
    struct err err;
    const char *tried = ssh_auth_tried(a);
    a->state = AUTH_OVER;
    err_set(&err, ERR_AUTH, "user %s: %s", a->conn->opt.user,
            *tried ? tried : "no key and no password to log in with");
    if (a->methods[0])
        err_hint(&err, ". The server takes: %s", a->methods);
    if (!a->unanswered)
        err_hint(
            &err,
            ". Add the public half of your key to the VM's authorized keys, or name another key or user");
    strbuf_clear(&a->tried); /* it is told now */
    ssh_conn_fail(a->conn, &err);
}

void ssh_auth_broke(struct ssh_auth *a, const struct err *err)
{
    a->state = AUTH_OVER;
    ssh_conn_fail(a->conn, err);
}

/* ---- gathering ---- */

static void on_keys_loaded(void *arg, struct ssh_keyring *ring)
{
    struct ssh_auth *a = arg;
    a->job = NULL;
    a->ring = ring;
    ssh_auth_step(a);
}

static void on_keys_listed(void *arg, const struct ssh_agent_keys *keys, const struct err *err)
{
    struct ssh_auth *a = arg;
    a->listing = false;
    a->agent_keys = *keys;
    if (err)
        ssh_auth_note(a, "%s", err->msg);
    ssh_auth_step(a);
}

static int gathered(struct ssh_auth *a)
{
    bool may_unlock = a->conn->opt.ask.ask != NULL;
    if (ssh_auth_candidates(&a->list, &a->count, a->ring, &a->agent_keys, may_unlock) < 0)
        return ERR_NOMEM;
    a->count = ssh_auth_leave_out(a->list, a->count, a->ring, a->conn->opt.identities_only,
                                  a->conn->opt.key_algorithms);
    for (size_t i = 0; a->ring && i < a->ring->count; i++) {
        const struct ssh_keyfile *k = &a->ring->files[i];
        if (!k->pkey && !(k->locked && may_unlock) && !ssh_auth_agent_has(&a->agent_keys, k))
            ssh_auth_note(a, "%s", k->trouble.msg);
    }
    return 0;
}

int ssh_auth_new(struct ssh_auth **out, struct ssh_conn *c, struct err *err)
{
    struct err trouble;
    struct ssh_auth *a = mem_zalloc(sizeof *a);
    if (!a)
        return err_set(err, ERR_NOMEM, "out of memory");
    a->conn = c;
    strbuf_init(&a->tried);
    int rc = 0;
    if (c->opt.identity_count > 0)
        rc = ssh_job_load(&a->job, c->opt.loop, c->opt.identities, c->opt.identity_count, on_keys_loaded, a,
                          err);
    if (rc == 0 && c->opt.agent_socket) {
        if (ssh_agent_new(&a->agent, c->opt.loop, c->opt.agent_socket, &trouble) == 0 &&
            ssh_agent_list(a->agent, on_keys_listed, a, &trouble) == 0)
            a->listing = true;
        else
            ssh_auth_note(a, "%s", trouble.msg);
    }
    if (rc < 0) {
        ssh_auth_free(a);
        return rc;
    }
    *out = a;
    return 0;
}

void ssh_auth_begin(struct ssh_auth *a)
{
    a->engine_ready = true;
    ssh_auth_step(a);
}

static void note_refused_answer(struct ssh_auth *a, const struct ssh_auth_reply *reply)
{
    bool password = a->state == AUTH_PASSWORD;
    const char *what = password ? "password" : "answers";
    if (reply->partial)
        ssh_auth_note(a, "server accepted the %s but wants more", what);
    else if (!a->refusal_noted[password])
        ssh_auth_note(a, "server refused the %s", what);
    a->refusal_noted[password] = !reply->partial;
}

/* ---- the flow ---- */

void ssh_auth_reply(struct ssh_auth *a, const struct ssh_auth_reply *reply)
{
    struct ssh_conn *c = a->conn;
    char how[160];
    a->waiting = false;
    if (a->state == AUTH_OVER)
        return;
    if (reply->ok) {
        const struct ssh_candidate *k = a->state == AUTH_KEYS ? &a->list[a->next - 1] : NULL;
        if (k)
            snprintf(how, sizeof how, "publickey (%s%s)", k->agent ? "agent: " : "", k->name);
        else
            snprintf(how, sizeof how, "%s",
                     a->state == AUTH_NONE       ? "none"
                     : a->state == AUTH_PASSWORD ? "password"
                                                 : "keyboard-interactive");
        c->auth = NULL;
        ssh_auth_free(a);
        ssh_conn_authenticated(c, how);
        return;
    }
    if (reply->methods[0])
        ssh_text_clean(a->methods, sizeof a->methods, reply->methods, strlen(reply->methods));
    if (a->state == AUTH_NONE)
        a->state = AUTH_KEYS;
    else if (a->state == AUTH_KEYS)
        ssh_auth_key_refused(a, reply);
    else
        note_refused_answer(a, reply);
    if (reply->partial && a->state > AUTH_KEYS)
        a->state = AUTH_KEYS;
    ssh_auth_step(a);
}

void ssh_auth_step(struct ssh_auth *a)
{
    struct err err;
    const struct ssh_engine_ops *ops = a->conn->engine->ops;
    if (a->conn->failed || a->conn->silent)
        return;
    switch (a->state) {
    case AUTH_GATHER:
        if (!a->engine_ready || a->job || a->listing || a->waiting)
            return;
        a->state = AUTH_NONE;
        a->waiting = true;
        if (gathered(a) < 0) {
            err_set(&err, ERR_NOMEM, "out of memory");
            ssh_auth_broke(a, &err);
        } else if (ops->auth_none(a->conn->engine, &err) < 0) {
            ssh_auth_broke(a, &err);
        }
        return;
    case AUTH_NONE:
        return;
    case AUTH_KEYS:
        if (ssh_auth_try_key(a))
            return;
        a->state = AUTH_PASSWORD;
        /* fall through */
    case AUTH_PASSWORD:
        if (a->password_tries < SSH_ASK_TRIES && ssh_auth_may_ask(a) &&
            ssh_text_lists(a->methods, "password") && ssh_auth_ask_password(a))
            return;
        a->state = AUTH_PROMPTS;
        /* fall through */
    case AUTH_PROMPTS:
        /* A refused password is not asked for a second time in another guise. */
        if (a->prompts_tries < SSH_ASK_TRIES && (a->prompts_tries == 0 || a->answered_once) &&
            ssh_auth_may_ask(a) && ssh_text_lists(a->methods, "keyboard-interactive") &&
            (a->password_tries == 0 || !ssh_text_lists(a->methods, "password"))) {
            a->prompts_tries++;
            a->rounds = 0;
            a->answered_once = false;
            if (ops->auth_kbdint(a->conn->engine, &err) < 0)
                ssh_auth_broke(a, &err);
            return;
        }
        fail(a);
        return;
    case AUTH_OVER:
        return;
    }
}

void ssh_auth_free(struct ssh_auth *a)
{
    if (!a)
        return;
    if (a->asking)
        a->conn->opt.ask.cancel(a->conn->opt.ask.self, a->question);
    ssh_job_drop(a->job);
    ssh_keyring_unref(a->ring);
    ssh_agent_close(a->agent);
    ssh_agent_keys_done(&a->agent_keys);
    ssh_auth_forget_answers(a);
    ssh_auth_unlock_forget(a);
    mem_free(a->list);
    strbuf_done(&a->tried);
    mem_free(a);
}

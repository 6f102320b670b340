/*
 * auth_unlock: a key file's passphrase, asked for when its key is wanted, three times at most.
 *
 *   ssh_auth_unlock ─▶ looked up in the keychain: another login may have opened it meanwhile ──open──▶
 * done(NULL) │ not there ▼ asked ──answer──▶ unlocking (pool of threads) ──open──▶ done(NULL) ▲ │ none, empty
 * │ wrong passphrase │ └──▶ done(err)        │ └── fewer than 3 times ─┴─ 3 times, or another trouble ──▶
 * done(err) The answer is copied into the job and wiped there; what is kept is the key, in the keychain.
 */
#include <stdio.h>
#include <string.h>

#include "auth_state.h"
#include "base/mem.h"

static bool ask(struct ssh_auth *a, struct err *err);

static void on_unlocked(void *arg, const struct err *err)
{
    struct ssh_auth *a = arg;
    struct err why;
    a->job = NULL;
    if (!err) {
        a->unlock.done(a, NULL);
        return;
    }
    why = *err;
    bool wrong = err->code == ERR_AUTH;
    if (wrong && a->unlock.tries < SSH_ASK_TRIES) {
        if (ask(a, &why))
            return;
        a->unanswered = true;
        err_wrap(&why, "its passphrase was not given");
    } else if (wrong)
        err_set(&why, ERR_AUTH, "a wrong passphrase was given %d times", SSH_ASK_TRIES);
    a->unlock.done(a, &why);
}

static void on_passphrase(void *arg, const char *answer, const struct err *err)
{
    struct ssh_auth *a = arg;
    struct err why;
    ssh_auth_answered(a);
    a->unanswered = true;
    if (!answer || !*answer) {
        err_set(&why, ERR_AUTH, "its passphrase was not given%s%s", err ? ": " : "", err ? err->msg : "");
        a->unlock.done(a, &why);
        return;
    }
    if (ssh_job_unlock(&a->job, a->conn->opt.loop, a->ring, a->unlock.file, answer, on_unlocked, a, &why) < 0)
        ssh_auth_broke(a, &why);
}

static bool ask(struct ssh_auth *a, struct err *err)
{
    char prompt[512];
    const struct ssh_question q = {.kind = SSH_ASK_PASSPHRASE, .prompt = prompt};
    snprintf(prompt, sizeof prompt, "%sPassphrase of %s: ", a->unlock.tries ? "That was wrong. " : "",
             a->ring->paths[a->unlock.file]);
    a->unlock.tries++;
    return ssh_auth_ask(a, &q, on_passphrase, err);
}

void ssh_auth_unlock(struct ssh_auth *a, size_t file, void (*done)(struct ssh_auth *a, const struct err *err))
{
    struct err err;
    a->unlock.file = file;
    a->unlock.tries = 0;
    a->unlock.done = done;
    if (ssh_job_unlock(&a->job, a->conn->opt.loop, a->ring, file, NULL, on_unlocked, a, &err) < 0)
        ssh_auth_broke(a, &err);
}

void ssh_auth_unlock_forget(struct ssh_auth *a)
{
    if (a->unlock.data)
        mem_free_secret(a->unlock.data, a->unlock.len);
    a->unlock.data = NULL;
    a->unlock.len = 0;
}

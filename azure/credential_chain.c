/*
 * credential_chain: asks the kinds of credential in order until one is set up here.
 *
 * Happy path: the first kind that is set up gives a token. A kind that is not (ERR_NOTFOUND) is noted with
 * what it lacks, and the next one is asked; when none is left, the notes are the error. A kind that is set up
 * and fails ends the chain: its error is the one that the user has to mend.
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "credential.h"

/* In the order in which "auto" asks. */
static const struct credential_kind *const kinds[] = {
    &credential_environment,
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

struct credential {
    struct credential_env env;
    const struct credential_kind *only; /* or NULL: all of them */
    unsigned runs;
};

struct credential_run {
    struct credential *credential;
    struct credential_ask ask;
    char *tenant, *scope;
    size_t next;                           /* kind to ask after the current one */
    const struct credential_kind *current; /* NULL between two */
    void *current_run;
    struct strbuf notes;
    credential_cb cb;
    void *arg;
};

static void run_free(struct credential_run *run)
{
    if (run->current)
        run->current->cancel(run->current_run);
    run->credential->runs--;
    strbuf_done(&run->notes);
    mem_free(run->tenant);
    mem_free(run->scope);
    mem_free(run);
}

void credential_cancel(struct credential_run *run)
{
    run_free(run);
}

static void note(struct credential_run *run, const struct credential_kind *kind, const struct err *err)
{
    strbuf_printf(&run->notes, "%s%s: %s", run->notes.len ? "; " : "", kind->name, err->msg);
}

static void on_token(void *arg, struct token *token, const struct err *err);

/* Starts the next kind that is set up. Negative when none is left, or when one failed at once. */
static int ask_next(struct credential_run *run, struct err *err)
{
    struct credential *c = run->credential;
    while (run->next < KIND_COUNT) {
        const struct credential_kind *kind = kinds[run->next++];
        if (c->only && c->only != kind)
            continue;
        int rc = kind->begin(&c->env, &run->ask, on_token, run, &run->current_run, err);
        if (rc == 0) {
            run->current = kind;
            return 0;
        }
        if (rc != ERR_NOTFOUND)
            return err_wrap(err, "credential %s", kind->name);
        note(run, kind, err);
    }
    err_set(err, ERR_AUTH, "no credential to sign in to Azure with: %s",
            run->notes.data ? run->notes.data : "");
    return err_hint(
        err, "; set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET to those of a service principal "
             "that may read your VMs, where aditd is started");
}

static void on_token(void *arg, struct token *token, const struct err *err)
{
    struct credential_run *run = arg;
    const struct credential_kind *kind = run->current;
    struct err why;
    err_clear(&why);
    run->current = NULL;
    if (err && err->code == ERR_NOTFOUND) {
        note(run, kind, err);
        if (ask_next(run, &why) == 0)
            return;
    } else if (err) {
        err_copy(&why, err, ERR_AUTH);
        err_wrap(&why, "credential %s", kind->name);
    }
    credential_cb cb = run->cb;
    void *cb_arg = run->arg;
    run_free(run);
    cb(cb_arg, why.code ? NULL : token, why.code ? &why : NULL);
}

int credential_get(struct credential *c, const struct credential_ask *ask, credential_cb cb, void *arg,
                   struct credential_run **out, struct err *err)
{
    struct credential_run *run = mem_zalloc(sizeof(*run));
    if (!run)
        return err_set(err, ERR_NOMEM, "out of memory");
    run->credential = c;
    c->runs++;
    run->cb = cb;
    run->arg = arg;
    strbuf_init(&run->notes);
    run->tenant = mem_strdup(ask->tenant);
    run->scope = mem_strdup(ask->scope);
    run->ask = (struct credential_ask){run->tenant, run->scope, ask->deadline_ms};
    int rc = !run->scope || (ask->tenant && !run->tenant) ? err_set(err, ERR_NOMEM, "out of memory")
                                                          : ask_next(run, err);
    if (rc) {
        run_free(run);
        return rc;
    }
    *out = run;
    return 0;
}

int credential_new(struct credential **out, const struct credential_env *env, const char *choice,
                   struct err *err)
{
    const struct credential_kind *only = NULL;
    struct strbuf names;
    strbuf_init(&names);
    strbuf_puts(&names, "auto");
    for (size_t i = 0; i < KIND_COUNT; i++) {
        strbuf_printf(&names, ", %s", kinds[i]->name);
        if (choice && strcmp(choice, kinds[i]->name) == 0)
            only = kinds[i];
    }
    int rc = 0;
    if (choice && *choice && strcmp(choice, "auto") != 0 && !only)
        rc = err_set(err, ERR_INVAL, "azure: credential \"%s\" is not one of %s", choice,
                     names.data ? names.data : "");
    strbuf_done(&names);
    struct credential *c = rc ? NULL : mem_zalloc(sizeof(*c));
    if (!rc && !c)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (rc)
        return rc;
    c->env = *env;
    c->only = only;
    *out = c;
    return 0;
}

void credential_free(struct credential *c)
{
    if (!c)
        return;
    assert(c->runs == 0);
    mem_free(c);
}

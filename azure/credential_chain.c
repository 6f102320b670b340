/*
 * credential_chain: asks the kinds of credential in order until one gives a token.
 *
 * Happy path: the kind that gave the last token, else the first one that is set up, gives a token. A kind
 * that is not set up (ERR_NOTFOUND) is noted with what it lacks, and the next one is asked; when none is
 * left, the notes are the error. A kind that is set up and fails ends the chain: its error is the one that
 * the user has to mend. Only a developer's tool that fails is passed over like one that is not there: that
 * `az` is installed does not mean that it is what the user signs in with.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "credential.h"
#include "text.h"

#define NOTE_MAX 260 /* bytes of what one kind says, in the error; the log has all of it at debug */

enum group { PROD = 1, DEV = 2 };

/* In the order in which "auto" asks, with the names that the Azure SDKs have for them. */
static const struct row {
    const struct credential_kind *kind;
    const char *sdk_name;
    enum group group;
} kinds[] = {
    {&credential_environment, "EnvironmentCredential", PROD},
    {&credential_workload, "WorkloadIdentityCredential", PROD},
    {&credential_managed, "ManagedIdentityCredential", PROD},
    {&credential_cli, "AzureCliCredential", DEV},
    {&credential_azd, "AzureDeveloperCliCredential", DEV},
    {&credential_device, "DeviceCodeCredential", DEV},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

struct credential {
    struct credential_env env;
    unsigned asked;        /* bit i: kinds[i] belongs to the chain */
    const struct row *won; /* gave the last token, or NULL */
    unsigned runs;
};

struct credential_run {
    struct credential *credential;
    struct credential_ask ask;
    char *tenant, *scope, *claims;
    uint64_t deadline_at;
    const struct row *first;   /* asked before the others, or NULL */
    size_t next;               /* kind to ask after the current one */
    const struct row *current; /* NULL between two */
    void *current_run;
    int code; /* of the error when none is left */
    struct strbuf notes;
    credential_cb cb;
    void *arg;
};

static void run_free(struct credential_run *run)
{
    if (run->current)
        run->current->kind->cancel(run->current_run);
    run->credential->runs--;
    strbuf_done(&run->notes);
    mem_free(run->tenant);
    mem_free(run->scope);
    mem_free(run->claims);
    mem_free(run);
}

void credential_cancel(struct credential_run *run)
{
    run_free(run);
}

static bool is_alone(const struct credential *c)
{
    return (c->asked & (c->asked - 1)) == 0;
}

static void note(struct credential_run *run, const struct row *row, const struct err *err)
{
    char text[NOTE_MAX];
    text_clean(text, sizeof(text), err->msg);
    strbuf_printf(&run->notes, "%s%s: %s", run->notes.len ? "; " : "", row->kind->name, text);
    log_debug(&(struct log_ctx){.module = "azure"}, "credential %s: %s", row->kind->name, err->msg);
    if (err_is_transient(err->code))
        run->code = ERR_UNAVAILABLE;
}

/* Whether the next one is asked after this failure. */
static bool passes(const struct credential *c, const struct row *row, int code)
{
    if (code == ERR_NOTFOUND)
        return true;
    return row->group == DEV && !is_alone(c) && code != ERR_NOMEM;
}

static const struct row *row_after(struct credential_run *run)
{
    const struct row *first = run->first;
    run->first = NULL;
    if (first)
        return first;
    while (run->next < KIND_COUNT) {
        size_t i = run->next++;
        if (run->credential->asked & 1u << i)
            return &kinds[i];
    }
    return NULL;
}

static int none_left(const struct credential_run *run, struct err *err)
{
    const char *notes = run->notes.data ? run->notes.data : "";
    if (is_alone(run->credential))
        return err_set(err, run->code, "cannot sign in to Azure; tried %s", notes);
    return err_set(
        err, run->code,
        "no credential to sign in to Azure with: run adit login or az login, or set AZURE_TENANT_ID, "
        "AZURE_CLIENT_ID and AZURE_CLIENT_SECRET where aditd is started; tried %s",
        notes);
}

static void on_token(void *arg, struct token *token, const struct err *err);

/* Starts the next kind that is set up. Negative when none is left, or when one failed at once. */
static int ask_next(struct credential_run *run, struct err *err)
{
    struct credential *c = run->credential;
    const struct row *row;
    while ((row = row_after(run)) != NULL) {
        uint64_t now = clock_now(c->env.clock);
        run->ask.deadline_ms = run->deadline_at > now ? (uint32_t)(run->deadline_at - now) : 1;
        int rc = row->kind->begin(&c->env, &run->ask, on_token, run, &run->current_run, err);
        if (rc == 0) {
            run->current = row;
            return 0;
        }
        if (!passes(c, row, rc))
            return err_wrap(err, "credential %s", row->kind->name);
        note(run, row, err);
    }
    return none_left(run, err);
}

static void on_token(void *arg, struct token *token, const struct err *err)
{
    struct credential_run *run = arg;
    struct credential *c = run->credential;
    const struct row *row = run->current;
    struct err why;
    err_clear(&why);
    run->current = NULL;
    if (c->won == row || !err)
        c->won = err ? NULL : row;
    if (err && passes(c, row, err->code)) {
        note(run, row, err);
        if (ask_next(run, &why) == 0)
            return;
    } else if (err) {
        err_copy(&why, err, ERR_AUTH);
        err_wrap(&why, "credential %s", row->kind->name);
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
    run->claims = mem_strdup(ask->claims);
    run->ask = (struct credential_ask){
        .tenant = run->tenant, .scope = run->scope, .claims = run->claims, .alone = is_alone(c)};
    run->deadline_at = clock_now(c->env.clock) + ask->deadline_ms;
    run->first = c->won;
    run->code = ERR_AUTH;
    int rc = !run->scope || (ask->tenant && !run->tenant) || (ask->claims && !run->claims)
                 ? err_set(err, ERR_NOMEM, "out of memory")
                 : ask_next(run, err);
    if (rc) {
        run_free(run);
        return rc;
    }
    *out = run;
    return 0;
}

/* Kinds that `word` stands for, as bits; 0 for none. */
static unsigned kinds_of(const char *word)
{
    unsigned bits = 0;
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(word, kinds[i].kind->name) == 0 || strcasecmp(word, kinds[i].sdk_name) == 0 ||
            (strcasecmp(word, "prod") == 0 && kinds[i].group == PROD) ||
            (strcasecmp(word, "dev") == 0 && kinds[i].group == DEV))
            bits |= 1u << i;
    return bits;
}

static int unknown(const char *from, const char *word, const char *first, struct err *err)
{
    struct strbuf names;
    strbuf_init(&names);
    strbuf_puts(&names, first);
    for (size_t i = 0; i < KIND_COUNT; i++)
        strbuf_printf(&names, ", %s", kinds[i].kind->name);
    int rc = err_set(err, ERR_INVAL, "%s \"%s\" is not one of %s", from, word, names.data ? names.data : "");
    strbuf_done(&names);
    return rc;
}

static int choose(const char *choice, unsigned *out, struct err *err)
{
    const char *narrowed = credential_setting("AZURE_TOKEN_CREDENTIALS");
    *out = (1u << KIND_COUNT) - 1;
    if (choice && *choice && strcmp(choice, "auto") != 0) {
        *out = strcmp(choice, "dev") != 0 && strcmp(choice, "prod") != 0 ? kinds_of(choice) : 0;
        return *out ? 0 : unknown("azure: credential", choice, "auto", err);
    }
    if (narrowed)
        *out = kinds_of(narrowed);
    return *out ? 0 : unknown("AZURE_TOKEN_CREDENTIALS", narrowed, "dev, prod", err);
}

int credential_new(struct credential **out, const struct credential_env *env, const char *choice,
                   struct err *err)
{
    unsigned asked;
    int rc = choose(choice, &asked, err);
    if (rc)
        return rc;
    struct credential *c = mem_zalloc(sizeof(*c));
    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    c->env = *env;
    c->asked = asked;
    *out = c;
    return 0;
}

bool credential_asks(const struct credential *c, const struct credential_kind *kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].kind == kind)
            return c->asked & 1u << i;
    return false;
}

void credential_forget(struct credential *c)
{
    c->won = NULL;
}

void credential_free(struct credential *c)
{
    if (!c)
        return;
    assert(c->runs == 0);
    mem_free(c);
}

/*
 * credential_device: the login that `adit login` saved, by its refresh token.
 *
 * Entra gives a new refresh token with each answer, which takes the old one's place on disk: unless the file
 * has changed meanwhile, for then the user has signed in anew, or out.
 *
 * Source: OAuth 2.0 (RFC 6749 section 6); Azure Identity's DeviceCodeCredential.
 */
#include <string.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "credential.h"
#include "entra.h"
#include "login_file.h"
#include "text.h"

struct run {
    const struct credential_env *env;
    struct login_saved saved;
    bool at_home; /* asked in the tenant of the login: only that one's refresh token is kept */
    struct entra_req *req;
    credential_cb cb;
    void *arg;
};

static void run_free(struct run *run)
{
    login_saved_done(&run->saved);
    mem_free(run);
}

static void keep(struct run *run, struct token *token)
{
    struct login_saved now;
    struct err err;
    const char *path = run->env->login_file;
    if (!run->at_home || !token->refresh || login_file_read(&now, path, NULL))
        return;
    if (strcmp(now.refresh, run->saved.refresh) == 0 && strcmp(now.refresh, token->refresh) != 0) {
        mem_free_secret(now.refresh, strlen(now.refresh));
        now.refresh = token->refresh;
        token->refresh = NULL;
        if (login_file_write(path, &now, &err))
            log_warn(&(struct log_ctx){.module = "azure"}, "the renewed login was not saved: %s", err.msg);
    }
    login_saved_done(&now);
}

static void on_token(void *arg, struct token *token, const struct err *err)
{
    struct run *run = arg;
    credential_cb cb = run->cb;
    void *cb_arg = run->arg;
    if (!err)
        keep(run, token);
    run_free(run);
    cb(cb_arg, token, err);
}

static int form_make(struct blob *form, const struct run *run, const struct credential_ask *ask)
{
    struct strbuf scope;
    strbuf_init(&scope);
    strbuf_printf(&scope, "%s offline_access openid profile", ask->scope);
    struct credential_ask whole = *ask;
    whole.scope = scope.data;
    int rc = scope.bad ? ERR_NOMEM : credential_form(form, "refresh_token", run->saved.client, &whole);
    if (!rc)
        rc = text_form_add(form, "refresh_token", run->saved.refresh);
    strbuf_done(&scope);
    return rc;
}

static int send_now(struct run *run, const struct credential_ask *ask, struct err *err)
{
    const struct credential_env *env = run->env;
    const char *wanted = ask->tenant ? ask->tenant : env->tenant;
    const char *tenant = wanted ? wanted : run->saved.tenant;
    struct blob form = {0};
    struct entra_call call = {.http = env->http,
                              .clock = env->clock,
                              .cloud = env->cloud,
                              .tenant = tenant,
                              .form = &form,
                              .deadline_ms = ask->deadline_ms,
                              .keeps_refresh = true,
                              .tenant_from = wanted ? "azure: tenant" : "the saved login",
                              .client_from = "the saved login",
                              .proof_from = "the saved login"};
    run->at_home = strcasecmp(tenant, run->saved.tenant) == 0;
    int rc = form_make(&form, run, ask) ? err_set(err, ERR_NOMEM, "out of memory")
                                        : entra_send(&call, on_token, run, &run->req, err);
    blob_done(&form);
    return rc;
}

static int begin(const struct credential_env *env, const struct credential_ask *ask, credential_cb cb,
                 void *arg, void **out, struct err *err)
{
    if (!env->login_file)
        return err_set(err, ERR_NOTFOUND, "there is no place where a login is kept");
    struct run *run = mem_zalloc(sizeof(*run));
    if (!run)
        return err_set(err, ERR_NOMEM, "out of memory");
    run->env = env;
    run->cb = cb;
    run->arg = arg;
    int rc = login_file_read(&run->saved, env->login_file, err);
    if (!rc && strcmp(run->saved.login, env->cloud->login) != 0)
        rc = err_set(err, ERR_NOTFOUND, "the saved login is for %s; run adit login for this cloud",
                     run->saved.login);
    if (!rc)
        rc = send_now(run, ask, err);
    if (rc)
        run_free(run);
    else
        *out = run;
    return rc;
}

static void cancel(void *arg)
{
    struct run *run = arg;
    entra_cancel(run->req);
    run_free(run);
}

const struct credential_kind credential_device = {"device-code", begin, cancel};

/*
 * credential_environment: a service principal from AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.
 *
 * Source: Azure Identity's EnvironmentCredential; OAuth 2.0 client credentials (RFC 6749 section 4.4).
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "credential.h"
#include "entra.h"
#include "text.h"

struct run {
    struct entra_req *req;
    credential_cb cb;
    void *arg;
};

static void on_token(void *arg, struct token *token, const struct err *err)
{
    struct run *run = arg;
    credential_cb cb = run->cb;
    void *cb_arg = run->arg;
    mem_free(run);
    cb(cb_arg, token, err);
}

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void lacks(struct strbuf *missing, const char *name, bool present)
{
    if (present)
        return;
    if (missing->len)
        strbuf_puts(missing, ", ");
    strbuf_puts(missing, name);
}

static int not_set_up(const char *tenant, const char *client, const char *secret, struct err *err)
{
    struct strbuf missing;
    strbuf_init(&missing);
    lacks(&missing, "AZURE_TENANT_ID", tenant);
    lacks(&missing, "AZURE_CLIENT_ID", client);
    lacks(&missing, "AZURE_CLIENT_SECRET", secret);
    int rc = err_set(err, ERR_NOTFOUND, "not set: %s", missing.data ? missing.data : "its variables");
    strbuf_done(&missing);
    return rc;
}

static int begin(const struct credential_env *env, const struct credential_ask *ask, credential_cb cb,
                 void *arg, void **out, struct err *err)
{
    const char *wanted = ask->tenant ? ask->tenant : env->tenant;
    const char *tenant = wanted ? wanted : setting("AZURE_TENANT_ID");
    const char *client = setting("AZURE_CLIENT_ID"), *secret = setting("AZURE_CLIENT_SECRET");
    if (!tenant || !client || !secret)
        return not_set_up(tenant, client, secret, err);
    struct run *run = mem_zalloc(sizeof(*run));
    struct blob form = {0};
    if (!run || text_form_add(&form, "grant_type", "client_credentials") ||
        text_form_add(&form, "client_id", client) || text_form_add(&form, "client_secret", secret) ||
        text_form_add(&form, "scope", ask->scope)) {
        blob_done(&form);
        mem_free(run);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    run->cb = cb;
    run->arg = arg;
    struct entra_call call = {.http = env->http,
                              .clock = env->clock,
                              .cloud = env->cloud,
                              .tenant = tenant,
                              .form = &form,
                              .deadline_ms = ask->deadline_ms,
                              .tenant_from = wanted ? "azure: tenant" : "AZURE_TENANT_ID",
                              .client_from = "AZURE_CLIENT_ID",
                              .proof_from = "AZURE_CLIENT_SECRET"};
    int rc = entra_send(&call, on_token, run, &run->req, err);
    blob_done(&form);
    if (rc)
        mem_free(run);
    else
        *out = run;
    return rc;
}

static void cancel(void *arg)
{
    struct run *run = arg;
    entra_cancel(run->req);
    mem_free(run);
}

const struct credential_kind credential_environment = {"environment", begin, cancel};

/*
 * credential_managed: knows by the environment which service hands out this machine's tokens, and asks that
 * one.
 *
 * App Service sets IDENTITY_ENDPOINT and IDENTITY_HEADER, Arc sets IDENTITY_ENDPOINT and IMDS_ENDPOINT; on a
 * VM nothing is set. AZURE_CLIENT_ID names a user-assigned identity. The tenant of an identity cannot be
 * chosen.
 *
 * Source: Azure Identity's ManagedIdentityCredential.
 */
#include "managed.h"

struct run {
    const struct credential_kind *service;
    void *service_run;
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

static const struct credential_kind *service_here(void)
{
    if (credential_setting("IDENTITY_ENDPOINT") && credential_setting("IDENTITY_HEADER"))
        return &managed_app;
    if (credential_setting("IDENTITY_ENDPOINT") && credential_setting("IMDS_ENDPOINT"))
        return &managed_arc;
    return &managed_imds;
}

static int begin(const struct credential_env *env, const struct credential_ask *ask, credential_cb cb,
                 void *arg, void **out, struct err *err)
{
    if (credential_setting("IDENTITY_SERVER_THUMBPRINT"))
        return err_set(err, ERR_NOTFOUND, "identities of Service Fabric are not supported");
    struct run *run = mem_zalloc(sizeof(*run));
    if (!run)
        return err_set(err, ERR_NOMEM, "out of memory");
    run->service = service_here();
    run->cb = cb;
    run->arg = arg;
    int rc = run->service->begin(env, ask, on_token, run, &run->service_run, err);
    if (rc)
        mem_free(run);
    else
        *out = run;
    return rc;
}

static void cancel(void *arg)
{
    struct run *run = arg;
    run->service->cancel(run->service_run);
    mem_free(run);
}

const struct credential_kind credential_managed = {"managed-identity", begin, cancel};

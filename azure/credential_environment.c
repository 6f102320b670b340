/*
 * credential_environment: a service principal from AZURE_TENANT_ID, AZURE_CLIENT_ID and either
 * AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH.
 *
 * Happy path with a secret: send it. With a certificate: sign an assertion on a thread, then send that. A
 * secret beats a certificate, as in the Azure SDKs. What is wrong with the certificate's file ends it at
 * once.
 *
 *   SIGNING --assertion--> SENDING --token--> done
 *
 * Source: Azure Identity's EnvironmentCredential; OAuth 2.0 client credentials (RFC 6749 section 4.4).
 */
#include <string.h>

#include "assertion.h"
#include "base/strbuf.h"
#include "credential.h"
#include "entra.h"
#include "text.h"

struct run {
    struct assertion *signing; /* one of the two is there */
    struct entra_req *req;
    struct entra_call call;
    char *tenant;
    struct blob form;
    uint64_t deadline_at;
    credential_cb cb;
    void *arg;
};

static void run_free(struct run *run)
{
    blob_done(&run->form);
    mem_free(run->tenant);
    mem_free(run);
}

static void on_token(void *arg, struct token *token, const struct err *err)
{
    struct run *run = arg;
    credential_cb cb = run->cb;
    void *cb_arg = run->arg;
    run_free(run);
    cb(cb_arg, token, err);
}

static int send_now(struct run *run, struct err *err)
{
    uint64_t now = clock_now(run->call.clock);
    run->call.form = &run->form;
    run->call.deadline_ms = run->deadline_at > now ? (uint32_t)(run->deadline_at - now) : 1;
    return entra_send(&run->call, on_token, run, &run->req, err);
}

static void on_assertion(void *arg, const struct blob *jwt, const struct err *err)
{
    struct run *run = arg;
    struct err why;
    err_clear(&why);
    run->signing = NULL;
    if (err)
        err_copy(&why, err, ERR_INVAL), err_wrap(&why, "AZURE_CLIENT_CERTIFICATE_PATH");
    else if (credential_assertion_add(&run->form, jwt->data))
        err_set(&why, ERR_NOMEM, "out of memory");
    else if (send_now(run, &why) == 0)
        return;
    /* One that was named and is not there is a mistake, not a credential that is not set up. */
    if (why.code == ERR_NOTFOUND)
        why.code = ERR_INVAL;
    on_token(run, NULL, &why);
}

static void lacks(struct strbuf *missing, const char *name, bool present)
{
    if (present)
        return;
    if (missing->len)
        strbuf_puts(missing, ", ");
    strbuf_puts(missing, name);
}

static int not_set_up(const char *tenant, const char *client, bool proof, struct err *err)
{
    struct strbuf missing;
    strbuf_init(&missing);
    lacks(&missing, "AZURE_TENANT_ID", tenant);
    lacks(&missing, "AZURE_CLIENT_ID", client);
    lacks(&missing, "AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH", proof);
    int rc = err_set(err, ERR_NOTFOUND, "not set: %s", missing.data ? missing.data : "its variables");
    strbuf_done(&missing);
    return rc;
}

static bool wants_chain(void)
{
    const char *value = credential_setting("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
    return value && (strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0);
}

static int sign(struct run *run, const struct credential_env *env, const char *client, const char *path,
                struct err *err)
{
    char url[ENTRA_URL_MAX];
    int rc = entra_tenant_check(run->tenant, run->call.tenant_from, err);
    if (rc)
        return rc;
    entra_url(url, env->cloud, run->tenant, "token");
    struct assertion_ask ask = {.path = path,
                                .password = credential_setting("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
                                .client = client,
                                .audience = url,
                                .alg = strcasecmp(run->tenant, "adfs") == 0 ? JWT_RS256 : JWT_PS256,
                                .with_chain = wants_chain()};
    return assertion_start(env->loop, &ask, on_assertion, run, &run->signing, err);
}

static int begin(const struct credential_env *env, const struct credential_ask *ask, credential_cb cb,
                 void *arg, void **out, struct err *err)
{
    const char *wanted = ask->tenant ? ask->tenant : env->tenant;
    const char *tenant = wanted ? wanted : credential_setting("AZURE_TENANT_ID");
    const char *client = credential_setting("AZURE_CLIENT_ID");
    const char *secret = credential_setting("AZURE_CLIENT_SECRET");
    const char *path = credential_setting("AZURE_CLIENT_CERTIFICATE_PATH");
    if (!tenant || !client || (!secret && !path))
        return not_set_up(tenant, client, secret || path, err);
    struct run *run = mem_zalloc(sizeof(*run));
    if (!run)
        return err_set(err, ERR_NOMEM, "out of memory");
    run->tenant = mem_strdup(tenant);
    run->deadline_at = clock_now(env->clock) + ask->deadline_ms;
    run->cb = cb;
    run->arg = arg;
    run->call =
        (struct entra_call){.http = env->http,
                            .clock = env->clock,
                            .cloud = env->cloud,
                            .tenant = run->tenant,
                            .tenant_from = wanted ? "azure: tenant" : "AZURE_TENANT_ID",
                            .client_from = "AZURE_CLIENT_ID",
                            .proof_from = secret ? "AZURE_CLIENT_SECRET" : "AZURE_CLIENT_CERTIFICATE_PATH"};
    int rc;
    if (!run->tenant || credential_form(&run->form, "client_credentials", client, ask) ||
        (secret && text_form_add(&run->form, "client_secret", secret)))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    else
        rc = secret ? send_now(run, err) : sign(run, env, client, path, err);
    if (rc)
        run_free(run);
    else
        *out = run;
    return rc;
}

static void cancel(void *arg)
{
    struct run *run = arg;
    if (run->signing)
        assertion_cancel(run->signing);
    if (run->req)
        entra_cancel(run->req);
    run_free(run);
}

const struct credential_kind credential_environment = {"environment", begin, cancel};

/*
 * managed_app: a token from the endpoint that App Service, Functions and Container Apps give to what they
 * run.
 *
 * Source: "How to use managed identities for App Service and Azure Functions", REST protocol 2019-08-01.
 */
#include <string.h>

#include "managed.h"

struct run {
    struct metadata_req *req;
    credential_cb cb;
    void *arg;
};

static void on_reply(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct run *run = arg;
    struct token token = {0};
    struct err why;
    credential_cb cb = run->cb;
    void *cb_arg = run->arg;
    err_clear(&why);
    mem_free(run);
    if (err)
        err_copy(&why, err, ERR_UNAVAILABLE);
    else
        managed_reply_parse("App Service", reply, &token, &why);
    cb(cb_arg, why.code ? NULL : &token, why.code ? &why : NULL);
    token_done(&token);
}

static int send_now(struct run *run, const struct credential_env *env, const struct credential_ask *ask,
                    struct err *err)
{
    struct blob url = {0}, header = {0};
    int rc = managed_url(&url, credential_setting("IDENTITY_ENDPOINT"), "2019-08-01", ask->scope,
                         credential_setting("AZURE_CLIENT_ID"));
    if (!rc)
        rc = blob_puts(&header, "X-IDENTITY-HEADER: ");
    if (!rc)
        rc = blob_puts(&header, credential_setting("IDENTITY_HEADER"));
    if (rc) {
        err_set(err, rc, "out of memory");
    } else {
        const char *headers[] = {header.data, "Accept: application/json"};
        struct metadata_call call = {.http = env->http,
                                     .clock = env->clock,
                                     .url = url.data,
                                     .headers = headers,
                                     .header_count = 2,
                                     .deadline_ms = ask->deadline_ms};
        rc = metadata_send(&call, on_reply, run, &run->req, err);
    }
    blob_done(&url);
    blob_done(&header);
    return rc;
}

static int begin(const struct credential_env *env, const struct credential_ask *ask, credential_cb cb,
                 void *arg, void **out, struct err *err)
{
    struct run *run = mem_zalloc(sizeof(*run));
    if (!run)
        return err_set(err, ERR_NOMEM, "out of memory");
    run->cb = cb;
    run->arg = arg;
    int rc = send_now(run, env, ask, err);
    if (rc)
        mem_free(run);
    else
        *out = run;
    return rc;
}

static void cancel(void *arg)
{
    struct run *run = arg;
    metadata_cancel(run->req);
    mem_free(run);
}

const struct credential_kind managed_app = {"app-service", begin, cancel};

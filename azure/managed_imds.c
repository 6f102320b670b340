/*
 * managed_imds: the flow of a token from the instance metadata service of an Azure VM.
 *
 * Happy path: a probe without the header that the service insists on is refused with 400, which proves that
 * it is there; then the question itself, asked again while the service recovers. Nobody there, or somebody
 * else (other clouds answer at the same address): not set up. When no other kind will be asked, there is no
 * probe.
 *
 *   PROBING --400--> ASKING --token--> done
 *      |                |
 *      +--> not set up  +--> no such identity: not set up
 *
 * Source: "How to use managed identities on a VM to acquire a token"; AZURE_POD_IDENTITY_AUTHORITY_HOST
 * stands for the service's address as in the Azure SDKs.
 */
#include <string.h>

#include "managed.h"

#define IMDS "http://169.254.169.254"
#define IMDS_PATH "/metadata/identity/oauth2/token"
#define IMDS_VERSION "2018-02-01"

struct run {
    const struct credential_env *env;
    struct blob url;
    bool probing;
    uint64_t deadline_at;
    struct metadata_req *req;
    credential_cb cb;
    void *arg;
};

static void run_free(struct run *run)
{
    if (run->req)
        metadata_cancel(run->req);
    blob_done(&run->url);
    mem_free(run);
}

static void finish(struct run *run, struct token *token, const struct err *err)
{
    credential_cb cb = run->cb;
    void *arg = run->arg;
    run_free(run);
    cb(arg, token, err);
}

static void on_reply(void *arg, const struct http_reply *reply, const struct err *err);

static int ask_service(struct run *run, struct err *err)
{
    static const char *const headers[] = {"Metadata: true", "Accept: application/json"};
    uint64_t now = clock_now(run->env->clock);
    struct metadata_call call = {.http = run->env->http,
                                 .clock = run->env->clock,
                                 .url = run->url.data,
                                 .headers = headers + (run->probing ? 1 : 0),
                                 .header_count = run->probing ? 1 : 2,
                                 .deadline_ms =
                                     run->deadline_at > now ? (uint32_t)(run->deadline_at - now) : 1,
                                 .probe = run->probing};
    return metadata_send(&call, on_reply, run, &run->req, err);
}

static void on_reply(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct run *run = arg;
    struct token token = {0};
    struct err why;
    err_clear(&why);
    run->req = NULL;
    if (err) {
        err_copy(&why, err, ERR_UNAVAILABLE);
    } else if (run->probing && reply->status != 400) {
        err_set(&why, ERR_NOTFOUND, "what answers at %.*s is not Azure's metadata service",
                (int)strcspn(run->url.data, "?"), run->url.data);
    } else if (run->probing) {
        run->probing = false;
        if (ask_service(run, &why) == 0)
            return;
    } else {
        managed_reply_parse("IMDS", reply, &token, &why);
    }
    finish(run, why.code ? NULL : &token, why.code ? &why : NULL);
    token_done(&token);
}

static int url_make(struct blob *out, const struct credential_ask *ask)
{
    const char *host = credential_setting("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    struct blob endpoint = {0};
    int rc = blob_puts(&endpoint, host ? host : IMDS);
    while (!rc && endpoint.len && endpoint.data[endpoint.len - 1] == '/')
        endpoint.data[--endpoint.len] = 0;
    if (!rc)
        rc = blob_puts(&endpoint, IMDS_PATH);
    if (!rc)
        rc = managed_url(out, endpoint.data, IMDS_VERSION, ask->scope, credential_setting("AZURE_CLIENT_ID"));
    blob_done(&endpoint);
    return rc;
}

static int begin(const struct credential_env *env, const struct credential_ask *ask, credential_cb cb,
                 void *arg, void **out, struct err *err)
{
    struct run *run = mem_zalloc(sizeof(*run));
    if (!run)
        return err_set(err, ERR_NOMEM, "out of memory");
    run->env = env;
    run->probing = !ask->alone;
    run->deadline_at = clock_now(env->clock) + ask->deadline_ms;
    run->cb = cb;
    run->arg = arg;
    int rc = url_make(&run->url, ask) ? err_set(err, ERR_NOMEM, "out of memory") : ask_service(run, err);
    if (rc)
        run_free(run);
    else
        *out = run;
    return rc;
}

static void cancel(void *arg)
{
    run_free(arg);
}

const struct credential_kind managed_imds = {"imds", begin, cancel};

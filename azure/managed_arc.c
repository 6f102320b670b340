/*
 * managed_arc: the flow of a token from the agent of Azure Arc.
 *
 * Happy path: the agent answers the first question with 401 and the name of a file that only those may read
 * who may have the token; the second question carries what the file holds. A file that Arc cannot have
 * written is not opened: else whoever answers at the agent's port could have any file of the user's sent to
 * it.
 *
 *   ASKING --401, file--> PROVING --token--> done
 *
 * Source: "Authenticate against Azure resources with Azure Arc-enabled servers", api-version 2020-06-01.
 */
#include <string.h>

#include "managed.h"

#define ARC_DIR "/var/opt/azcmagent/tokens"
#define PATH_LONGEST 512

struct run {
    const struct credential_env *env;
    struct blob url;
    bool proving;
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

static void on_reply(void *arg, const struct http_reply *reply, const struct err *err);

/* proof: "Authorization: Basic …", or NULL for the first question. */
static int ask_agent(struct run *run, const char *proof, struct err *err)
{
    const char *headers[] = {"Metadata: true", "Accept: application/json", proof};
    uint64_t now = clock_now(run->env->clock);
    struct metadata_call call = {.http = run->env->http,
                                 .clock = run->env->clock,
                                 .url = run->url.data,
                                 .headers = headers,
                                 .header_count = proof ? 3 : 2,
                                 .deadline_ms =
                                     run->deadline_at > now ? (uint32_t)(run->deadline_at - now) : 1};
    return metadata_send(&call, on_reply, run, &run->req, err);
}

static int prove(struct run *run, const struct http_reply *reply, struct err *err)
{
    char path[PATH_LONGEST];
    const char *header = http_reply_header(reply, "WWW-Authenticate");
    if (!header || !managed_arc_realm(header, path, sizeof(path)))
        return err_set(err, ERR_PROTOCOL, "Azure Arc: its challenge names no file");
    struct blob key = {0}, proof = {0};
    int rc = managed_arc_key_read(&key, run->env->arc_keys ? run->env->arc_keys : ARC_DIR, path, err);
    if (!rc && (blob_puts(&proof, "Authorization: Basic ") || blob_add(&proof, key.data, key.len)))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc) {
        run->proving = true;
        rc = ask_agent(run, proof.data, err);
    }
    blob_done(&key);
    blob_done(&proof);
    return rc;
}

static void on_reply(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct run *run = arg;
    struct token token = {0};
    struct err why;
    err_clear(&why);
    run->req = NULL;
    if (err)
        err_copy(&why, err, ERR_UNAVAILABLE);
    else if (!run->proving && reply->status == 401 && prove(run, reply, &why) == 0)
        return;
    else if (!why.code)
        managed_reply_parse("Azure Arc", reply, &token, &why);
    credential_cb cb = run->cb;
    void *cb_arg = run->arg;
    run_free(run);
    cb(cb_arg, why.code ? NULL : &token, why.code ? &why : NULL);
    token_done(&token);
}

static int begin(const struct credential_env *env, const struct credential_ask *ask, credential_cb cb,
                 void *arg, void **out, struct err *err)
{
    if (credential_setting("AZURE_CLIENT_ID"))
        return err_set(
            err, ERR_NOTFOUND,
            "Azure Arc has no identities of the user's choice; unset AZURE_CLIENT_ID to use the machine's");
    struct run *run = mem_zalloc(sizeof(*run));
    if (!run)
        return err_set(err, ERR_NOMEM, "out of memory");
    run->env = env;
    run->deadline_at = clock_now(env->clock) + ask->deadline_ms;
    run->cb = cb;
    run->arg = arg;
    int rc = managed_url(&run->url, credential_setting("IDENTITY_ENDPOINT"), "2020-06-01", ask->scope, NULL)
                 ? err_set(err, ERR_NOMEM, "out of memory")
                 : ask_agent(run, NULL, err);
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

const struct credential_kind managed_arc = {"arc", begin, cancel};

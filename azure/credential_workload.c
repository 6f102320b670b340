/*
 * credential_workload: a federated token that Kubernetes (or another issuer that Entra trusts) keeps in a
 * file.
 *
 * The file is read anew each time, because its issuer replaces it. It is a few KiB, on a memory file system
 * where Kubernetes puts it, and read about once an hour: not worth a thread.
 *
 * Source: Azure Identity's WorkloadIdentityCredential.
 */
#include <string.h>

#include "base/fs.h"
#include "credential.h"
#include "entra.h"
#include "text.h"

#define FILE_MAX (32u << 10)

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

static bool looks_like_jwt(const char *text, size_t n)
{
    unsigned dots = 0;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
            return false;
        dots += text[i] == '.';
    }
    return n > 0 && dots == 2;
}

/* Adds what the file holds to the form. */
static int assertion_read(struct blob *form, const char *path, struct err *err)
{
    char *data;
    size_t size;
    int rc = fs_read(path, FILE_MAX, &data, &size, err);
    if (rc) {
        err_wrap(err, "AZURE_FEDERATED_TOKEN_FILE");
        err->code = ERR_INVAL; /* it was named, so it should be there */
        return ERR_INVAL;
    }
    size_t n = size;
    while (n && strchr("\r\n \t", data[n - 1]))
        data[--n] = 0;
    if (!looks_like_jwt(data, n))
        rc = err_set(err, ERR_INVAL, "AZURE_FEDERATED_TOKEN_FILE: %s: what it holds is no JWT", path);
    else if (credential_assertion_add(form, data))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    mem_free_secret(data, size);
    return rc;
}

static int begin(const struct credential_env *env, const struct credential_ask *ask, credential_cb cb,
                 void *arg, void **out, struct err *err)
{
    const char *wanted = ask->tenant ? ask->tenant : env->tenant;
    const char *tenant = wanted ? wanted : credential_setting("AZURE_TENANT_ID");
    const char *client = credential_setting("AZURE_CLIENT_ID");
    const char *path = credential_setting("AZURE_FEDERATED_TOKEN_FILE");
    if (!tenant || !client || !path)
        return err_set(err, ERR_NOTFOUND, "not set: %s",
                       !path     ? "AZURE_FEDERATED_TOKEN_FILE"
                       : !client ? "AZURE_CLIENT_ID"
                                 : "AZURE_TENANT_ID");
    struct blob form = {0};
    struct run *run = mem_zalloc(sizeof(*run));
    int rc = 0;
    if (!run)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (credential_form(&form, "client_credentials", client, ask))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = assertion_read(&form, path, err);
    if (!rc) {
        struct entra_call call = {.http = env->http,
                                  .clock = env->clock,
                                  .cloud = env->cloud,
                                  .tenant = tenant,
                                  .form = &form,
                                  .deadline_ms = ask->deadline_ms,
                                  .tenant_from = wanted ? "azure: tenant" : "AZURE_TENANT_ID",
                                  .client_from = "AZURE_CLIENT_ID",
                                  .proof_from = "AZURE_FEDERATED_TOKEN_FILE"};
        run->cb = cb;
        run->arg = arg;
        rc = entra_send(&call, on_token, run, &run->req, err);
    }
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

const struct credential_kind credential_workload = {"workload-identity", begin, cancel};

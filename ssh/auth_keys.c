/*
 * auth_keys: the part of a login that keys do: offering one after the other, and signing with that which the
 * server would take, in the agent, on the pool of threads, or once its file has been unlocked.
 */
#include <stdio.h>
#include <string.h>

#include "auth_state.h"
#include "base/mem.h"
#include "base/wire.h"
#include "text.h"

static void name_of(const struct ssh_candidate *k, char *out, size_t size)
{
    char fp[128];
    ssh_hostid_fingerprint(k->blob, k->blob_len, fp, sizeof fp);
    if (k->agent)
        snprintf(out, size, "agent key %s (%s)", k->name, fp);
    else
        snprintf(out, size, "key %s", k->name);
}

static bool offered(const struct ssh_auth *a, const char *method)
{
    return !a->methods[0] || ssh_text_lists(a->methods, method);
}

/* A file that keeps its public half to itself is open now, or not to be had. */
static void on_opened(struct ssh_auth *a, const struct err *err)
{
    struct ssh_candidate *k = &a->list[a->next - 1];
    const struct ssh_keyfile *file = &a->ring->files[k->index];
    if (err) {
        ssh_auth_note(a, "%s", err->msg);
    } else {
        k->blob = file->blob;
        k->blob_len = file->blob_len;
        memcpy(k->type, file->type, sizeof k->type);
        a->next--;
    }
    ssh_auth_step(a);
}

bool ssh_auth_try_key(struct ssh_auth *a)
{
    const struct ssh_engine_ops *ops = a->conn->engine->ops;
    char name[256];
    struct err err;
    if (!offered(a, "publickey")) {
        if (a->next < a->count)
            ssh_auth_note(a, "the server takes no keys");
        a->next = a->count;
        return false;
    }
    while (a->next < a->count) {
        const struct ssh_candidate *k = &a->list[a->next++];
        if (!k->blob) {
            ssh_auth_unlock(a, k->index, on_opened);
            return true;
        }
        const char *trouble = ops->key_trouble(k->type);
        if (trouble) {
            name_of(k, name, sizeof name);
            ssh_auth_note(a, "%s: %s", name, trouble);
            continue;
        }
        a->waiting = true;
        if (ops->auth_key(a->conn->engine, k->blob, k->blob_len, &err) < 0)
            ssh_auth_broke(a, &err);
        return true;
    }
    return false;
}

static void give_signature(struct ssh_auth *a, const uint8_t *sig, size_t n, const struct err *why)
{
    struct err err;
    char name[256];
    if (a->state == AUTH_OVER)
        return;
    if (!sig) {
        name_of(&a->list[a->next - 1], name, sizeof name);
        ssh_auth_note(a, "%s cannot sign: %s", name, why->msg);
        a->unsigned_key = true;
    }
    if (a->conn->engine->ops->auth_signature(a->conn->engine, sig, n, &err) < 0)
        ssh_auth_broke(a, &err);
}

static void on_signed(void *arg, const uint8_t *sig, size_t n, const struct err *err)
{
    struct ssh_auth *a = arg;
    a->job = NULL;
    give_signature(a, sig, n, err);
}

static void on_agent_signed(void *arg, const uint8_t *sig, size_t n, const struct err *err)
{
    struct ssh_auth *a = arg;
    struct err wrong;
    if (!sig) {
        give_signature(a, NULL, 0, err);
        return;
    }
    struct wire_reader r;
    wire_read_init(&r, sig, n);
    struct wire_str alg = wire_get_str(&r), inner = wire_get_str(&r);
    if (!wire_end(&r) || inner.len == 0 || !wire_str_is(alg, a->alg)) {
        err_set(&wrong, ERR_UNSUPPORTED, "the agent does not sign as %s", a->alg);
        give_signature(a, NULL, 0, &wrong);
        return;
    }
    give_signature(a, inner.data, inner.len, NULL);
}

static void sign_with_file(struct ssh_auth *a, size_t file, const uint8_t *data, size_t n)
{
    struct err err;
    if (ssh_job_sign(&a->job, a->conn->opt.loop, a->ring, file, a->alg, data, n, on_signed, a, &err) < 0)
        ssh_auth_broke(a, &err);
}

static void on_unlocked(struct ssh_auth *a, const struct err *err)
{
    if (err)
        give_signature(a, NULL, 0, err);
    else
        sign_with_file(a, a->list[a->next - 1].index, a->unlock.data, a->unlock.len);
    ssh_auth_unlock_forget(a);
}

void ssh_auth_sign(struct ssh_auth *a, const char *alg, const uint8_t *data, size_t n)
{
    struct err err;
    const struct ssh_candidate *k = &a->list[a->next - 1];
    uint32_t flags = strcmp(alg, "rsa-sha2-256") == 0 ? 2 : strcmp(alg, "rsa-sha2-512") == 0 ? 4 : 0;
    snprintf(a->alg, sizeof a->alg, "%s", alg);
    if (k->agent) {
        if (ssh_agent_sign(a->agent, k->blob, k->blob_len, data, n, flags, on_agent_signed, a, &err) < 0)
            ssh_auth_broke(a, &err);
    } else if (a->ring->files[k->index].pkey) {
        sign_with_file(a, k->index, data, n);
    } else if ((a->unlock.data = mem_alloc(n + 1)) != NULL) {
        memcpy(a->unlock.data, data, n);
        a->unlock.len = n;
        ssh_auth_unlock(a, k->index, on_unlocked);
    } else {
        err_set(&err, ERR_NOMEM, "out of memory");
        ssh_auth_broke(a, &err);
    }
}

void ssh_auth_key_refused(struct ssh_auth *a, const struct ssh_auth_reply *reply)
{
    const struct ssh_candidate *k = &a->list[a->next - 1];
    const char *reason = a->conn->engine->ops->key_refusal(k->type);
    char name[256];
    name_of(k, name, sizeof name);
    bool told = a->unsigned_key;
    a->unsigned_key = false;
    if (reply->partial)
        ssh_auth_note(a, "server accepted %s but wants more", name);
    else if (told)
        return;
    else if (reason)
        ssh_auth_note(a, "server refused %s (%s)", name, reason);
    else
        ssh_auth_note(a, "server refused %s", name);
}

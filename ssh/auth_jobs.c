/*
 * auth_jobs: what authentication does on the pool of threads: loading key files, unlocking them, signing with
 * them.
 */
#include "auth_jobs.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "keychain.h"

struct ssh_job {
    uv_work_t work;
    struct ssh_keyring *ring;
    bool dropped;
    ssh_loaded_cb loaded_cb;
    ssh_signed_cb signed_cb;
    ssh_unlocked_cb unlocked_cb;
    void *arg;
    size_t index;
    char alg[64];
    uint8_t *data;
    size_t n;
    uint8_t *sig;
    size_t sig_len;
    char *passphrase;
    struct ssh_keyfile opened; /* becomes the ring's on the loop, where others may look at it */
    struct err err;
};

void ssh_keyring_unref(struct ssh_keyring *ring)
{
    if (!ring || --ring->refs > 0)
        return;
    for (size_t i = 0; i < ring->count; i++) {
        ssh_keyfile_done(&ring->files[i]);
        mem_free(ring->paths[i]);
    }
    mem_free(ring->files);
    mem_free(ring->paths);
    mem_free(ring);
}

static void job_free(struct ssh_job *job)
{
    mem_free(job->sig);
    mem_free_secret(job->data, job->n);
    if (job->passphrase)
        mem_free_secret(job->passphrase, strlen(job->passphrase));
    ssh_keyfile_done(&job->opened);
    mem_free(job);
}

void ssh_job_drop(struct ssh_job *job)
{
    if (!job)
        return;
    job->dropped = true;
    (void)uv_cancel((uv_req_t *)&job->work);
}

static void load(uv_work_t *work)
{
    struct ssh_job *job = work->data;
    for (size_t i = 0; i < job->ring->count; i++)
        ssh_keyfile_load(&job->ring->files[i], job->ring->paths[i]);
}

static void on_loaded(uv_work_t *work, int status)
{
    struct ssh_job *job = work->data;
    if (job->dropped)
        ssh_keyring_unref(job->ring);
    else
        job->loaded_cb(job->arg, job->ring);
    job_free(job);
}

int ssh_job_load(struct ssh_job **out, uv_loop_t *loop, const char *const *paths, size_t count,
                 ssh_loaded_cb cb, void *arg, struct err *err)
{
    struct ssh_job *job = mem_zalloc(sizeof *job);
    struct ssh_keyring *ring = mem_zalloc(sizeof *ring);
    bool ok = job && ring;
    if (ring) {
        ring->refs = 1;
        ring->paths = mem_calloc(count + 1, sizeof *ring->paths);
        ring->files = mem_calloc(count + 1, sizeof *ring->files);
        ok = ok && ring->paths && ring->files;
        if (ring->paths && ring->files)
            ring->count = count;
        for (size_t i = 0; ok && i < count; i++)
            ok = (ring->paths[i] = mem_strdup(paths[i])) != NULL;
    }
    int rc = ok ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    if (ok) {
        job->ring = ring;
        job->loaded_cb = cb;
        job->arg = arg;
        job->work.data = job;
        rc = uv_queue_work(loop, &job->work, load, on_loaded);
        if (rc < 0)
            rc = err_uv(err, rc, "loading keys");
    }
    if (rc < 0) {
        mem_free(job);
        ssh_keyring_unref(ring);
        return rc;
    }
    *out = job;
    return 0;
}

static void sign(uv_work_t *work)
{
    struct ssh_job *job = work->data;
    (void)ssh_keyfile_sign(&job->ring->files[job->index], job->alg, job->data, job->n, &job->sig,
                           &job->sig_len, &job->err);
}

static void on_signed(uv_work_t *work, int status)
{
    struct ssh_job *job = work->data;
    if (!job->dropped)
        job->signed_cb(job->arg, job->sig, job->sig_len, job->sig ? NULL : &job->err);
    ssh_keyring_unref(job->ring);
    job_free(job);
}

int ssh_job_sign(struct ssh_job **out, uv_loop_t *loop, struct ssh_keyring *ring, size_t index,
                 const char *alg, const uint8_t *data, size_t n, ssh_signed_cb cb, void *arg, struct err *err)
{
    struct ssh_job *job = mem_zalloc(sizeof *job);
    uint8_t *copy = mem_alloc(n + 1);
    if (!job || !copy || strlen(alg) >= sizeof job->alg) {
        mem_free(job);
        mem_free(copy);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    memcpy(copy, data, n);
    memcpy(job->alg, alg, strlen(alg) + 1);
    job->data = copy;
    job->n = n;
    job->ring = ring;
    job->index = index;
    job->signed_cb = cb;
    job->arg = arg;
    job->work.data = job;
    int rc = uv_queue_work(loop, &job->work, sign, on_signed);
    if (rc < 0) {
        job_free(job);
        return err_uv(err, rc, "signing");
    }
    ring->refs++;
    *out = job;
    return 0;
}

static void unlock(uv_work_t *work)
{
    struct ssh_job *job = work->data;
    const struct ssh_keyfile *k = &job->ring->files[job->index];
    struct ssh_keyfile *opened = &job->opened;
    if (!job->passphrase) {
        ssh_keychain_wait(k->path);
        ssh_keyfile_load(opened, k->path);
        err_copy(&job->err, &opened->trouble, ERR_AUTH);
        if (opened->pkey && k->blob &&
            (k->blob_len != opened->blob_len || memcmp(k->blob, opened->blob, k->blob_len) != 0)) {
            err_set(&job->err, ERR_INVAL, "%s holds another key now", k->path);
            ssh_keyfile_done(opened);
        }
        return;
    }
    struct ssh_keychain_opening opening;
    ssh_keychain_open_begin(&opening, k->path);
    (void)ssh_keyfile_unlock(opened, k->path, job->passphrase, k->blob, k->blob_len, &job->err);
    ssh_keychain_open_end(&opening);
}

static void on_unlocked(uv_work_t *work, int status)
{
    struct ssh_job *job = work->data;
    struct ssh_keyfile *k = &job->ring->files[job->index];
    bool opened = job->opened.pkey != NULL;
    if (opened && !k->pkey) {
        struct ssh_keyfile locked = *k;
        *k = job->opened;
        job->opened = locked;
        if (locked.blob) { /* the same bytes; the list of candidates points at these */
            mem_free(k->blob);
            k->blob = locked.blob;
            job->opened.blob = NULL;
        }
    }
    if (!job->dropped)
        job->unlocked_cb(job->arg, opened ? NULL : &job->err);
    ssh_keyring_unref(job->ring);
    job_free(job);
}

int ssh_job_unlock(struct ssh_job **out, uv_loop_t *loop, struct ssh_keyring *ring, size_t index,
                   const char *passphrase, ssh_unlocked_cb cb, void *arg, struct err *err)
{
    struct ssh_job *job = mem_zalloc(sizeof *job);
    if (job)
        job->passphrase = mem_strdup(passphrase);
    if (!job || (passphrase && !job->passphrase)) {
        mem_free(job);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    job->ring = ring;
    job->index = index;
    job->unlocked_cb = cb;
    job->arg = arg;
    job->work.data = job;
    int rc = uv_queue_work(loop, &job->work, unlock, on_unlocked);
    if (rc < 0) {
        job_free(job);
        return err_uv(err, rc, "unlocking a key");
    }
    ring->refs++;
    *out = job;
    return 0;
}

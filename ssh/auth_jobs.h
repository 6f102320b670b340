/*
 * auth_jobs: what authentication does on the pool of threads: loading key files, unlocking them, signing with
 * them. Private to ssh/.
 *
 * A keyring is shared by the login that loads it and the jobs that use it; the last one to let go frees it. A
 * job that is dropped runs to its end unheard. Thread: the loop's (references are counted there only).
 */
#ifndef ADIT_SSH_AUTH_JOBS_H
#define ADIT_SSH_AUTH_JOBS_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "keyfile.h"

struct ssh_keyring {
    unsigned refs;
    size_t count;
    char **paths;
    struct ssh_keyfile *files;
};

struct ssh_job;

typedef void (*ssh_loaded_cb)(void *arg, struct ssh_keyring *ring); /* the receiver's reference */
typedef void (*ssh_signed_cb)(void *arg, const uint8_t *sig, size_t n,
                              const struct err *err); /* sig NULL with err */

/* ERR_NOMEM, ERR_SYSTEM. */
int ssh_job_load(struct ssh_job **out, uv_loop_t *loop, const char *const *paths, size_t count,
                 ssh_loaded_cb cb, void *arg, struct err *err);
int ssh_job_sign(struct ssh_job **out, uv_loop_t *loop, struct ssh_keyring *ring, size_t index,
                 const char *alg, const uint8_t *data, size_t n, ssh_signed_cb cb, void *arg,
                 struct err *err);
typedef void (*ssh_unlocked_cb)(void *arg, const struct err *err); /* NULL: the key is in the ring */
/* passphrase is copied, the copy wiped; NULL: only the keychain is looked into (then ERR_AUTH, too). */
int ssh_job_unlock(struct ssh_job **out, uv_loop_t *loop, struct ssh_keyring *ring, size_t index,
                   const char *passphrase, ssh_unlocked_cb cb, void *arg, struct err *err);
void ssh_job_drop(struct ssh_job *job); /* its callback does not fire; NULL is fine */
void ssh_keyring_unref(struct ssh_keyring *ring);

#endif

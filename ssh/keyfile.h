/*
 * keyfile: private key files: reading them, their public half, signing with them. Private to ssh/.
 *
 * PEM and PKCS#8 are read by OpenSSL, OpenSSH's own format (PROTOCOL.key) by a parser of ours. A file that a
 * passphrase protects is loaded without it, as far as that goes, and unlocked when its key is wanted. Thread:
 * any, one at a time for one key; loading, unlocking and signing block, so they belong on the pool of
 * threads.
 */
#ifndef ADIT_SSH_KEYFILE_H
#define ADIT_SSH_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SSH_KEYFILE_MAX 65536 /* bytes of a file */

struct evp_pkey_st;

struct ssh_keyfile {
    const char *path; /* borrowed */
    char type[64];    /* "ssh-ed25519", …; "" when not even that is known */
    uint8_t *blob;    /* the public key, or NULL when it is not known */
    size_t blob_len;
    struct evp_pkey_st *pkey; /* NULL: it cannot sign, `trouble` says why */
    struct err trouble;
    bool locked; /* by a passphrase that ssh_keyfile_unlock() takes; blob may be known all the same */
};

/* Never fails as a call: what is wrong is told in k->trouble. A locked file whose key is in the keychain
 * comes with its key. */
void ssh_keyfile_load(struct ssh_keyfile *k, const char *path);
/* Loads it anew with the passphrase; what it opens goes into the keychain. The same file as before must be
 * there: known (the blob of an earlier load, or NULL) is compared. ERR_AUTH: the passphrase is wrong. */
int ssh_keyfile_unlock(struct ssh_keyfile *k, const char *path, const char *passphrase, const uint8_t *known,
                       size_t known_len, struct err *err);
void ssh_keyfile_parse(struct ssh_keyfile *k, const char *path, const char *text,
                       size_t n); /* the same, from memory */
void ssh_keyfile_done(struct ssh_keyfile *k);

/* The signature's inner part: what follows the algorithm's name in RFC 4253 §6.6. alg is the key's type, or
 * for RSA "rsa-sha2-256", "rsa-sha2-512". *sig: mem_free() it. ERR_UNSUPPORTED, ERR_NOMEM, ERR_SYSTEM. */
int ssh_keyfile_sign(const struct ssh_keyfile *k, const char *alg, const uint8_t *data, size_t n,
                     uint8_t **sig, size_t *sig_len, struct err *err);

/* keyfile_openssh.c: text between the BEGIN and END lines. Sets blob and pkey, or trouble. passphrase may be
 * NULL. */
void ssh_keyfile_openssh(struct ssh_keyfile *k, const char *text, size_t n, const char *passphrase);

/* keyfile_public.c: blob and type from pkey. ERR_UNSUPPORTED, ERR_NOMEM. */
int ssh_keyfile_public(struct ssh_keyfile *k, struct err *err);

#define SSH_KEYFILE_LOCKED "%s is protected by a passphrase and no agent has it: ssh-add %s"
#define SSH_KEYFILE_WRONG "that is not the passphrase of %s"

#endif

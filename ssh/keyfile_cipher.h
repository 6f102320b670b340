/*
 * keyfile_cipher: what encrypts the private part of OpenSSH's own key files (PROTOCOL.key). Private to ssh/.
 *
 * Thread: any; decrypting takes tens of milliseconds.
 */
#ifndef ADIT_SSH_KEYFILE_CIPHER_H
#define ADIT_SSH_KEYFILE_CIPHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wire.h"

#define SSH_KEYFILE_CIPHER_BLOCK 16 /* the private part is padded to this */

struct ssh_keyfile_lock {
    struct wire_str cipher, kdf, kdf_options; /* as the file names them */
    struct wire_str section;                  /* encrypted */
    struct wire_str tag;                      /* what follows it, of a cipher that authenticates */
};

bool ssh_keyfile_cipher_known(const struct ssh_keyfile_lock *lock);

/* out: as long as the section; the caller wipes it. ERR_AUTH: the passphrase is wrong (most ciphers cannot
 * tell: then the two check numbers differ). ERR_INVAL: malformed, or beyond a limit. ERR_NOMEM. */
int ssh_keyfile_decrypt(const struct ssh_keyfile_lock *lock, const char *passphrase, uint8_t *out);

#endif

/*
 * keyfile_bcrypt: the key derivation of OpenSSH's own key files, bcrypt_pbkdf. Private to ssh/.
 *
 * Source: Provos and Mazières, "A Future-Adaptable Password Scheme" (1999), for the expensive key schedule;
 * bcrypt_pbkdf(3) of OpenBSD for what is made of it. Thread: any; it takes tens of milliseconds by design, so
 * it belongs on the pool of threads.
 */
#ifndef ADIT_SSH_KEYFILE_BCRYPT_H
#define ADIT_SSH_KEYFILE_BCRYPT_H

#include <stddef.h>
#include <stdint.h>

#define SSH_BCRYPT_ROUNDS_MAX 2048 /* of a file; ssh-keygen writes 16 or 24 */
#define SSH_BCRYPT_SALT_MAX 256    /* bytes */
#define SSH_BCRYPT_KEY_MAX 128     /* bytes */

/* Fills key[key_len]. rounds 1 to SSH_BCRYPT_ROUNDS_MAX. ERR_INVAL: one of the limits; ERR_NOMEM. */
int ssh_bcrypt_pbkdf(const char *passphrase, const uint8_t *salt, size_t salt_len, uint32_t rounds,
                     uint8_t *key, size_t key_len);

/* blowfish_pi.c */
#define SSH_BLOWFISH_P 18
#define SSH_BLOWFISH_PI_WORDS (SSH_BLOWFISH_P + 4 * 256)
extern const uint32_t ssh_blowfish_pi[SSH_BLOWFISH_PI_WORDS];

#endif

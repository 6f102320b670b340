/*
 * exchange: the cryptography of a key exchange: an ephemeral key pair, the shared secret, the host's
 * signature.
 *
 * Thread: any. Sources: RFC 8731, 5656 (exchanges); 8709, 8332, 5656 (host keys).
 */
#ifndef ADIT_SSH_NATIVE_EXCHANGE_H
#define ADIT_SSH_NATIVE_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wire.h"

struct kex_method {
    const char *name;
    const char *group; /* as OpenSSL calls it */
    const char *hash;
};

struct host_key_method {
    const char *name;     /* of the signature */
    const char *key_type; /* of the key that makes it */
    const char *hash;     /* NULL: the algorithm has its own */
    const char *group;    /* of an elliptic curve, else NULL */
};

extern const struct kex_method KEX_METHODS[];           /* best first; ends with a NULL name */
extern const struct host_key_method HOST_KEY_METHODS[]; /* likewise */

/* A new key pair (an EVP_PKEY for exchange_key_free()); its public half is appended to `public_key`.
 * ERR_NOMEM. */
int exchange_key_new(void **key, const struct kex_method *m, struct wire_writer *public_key, struct err *err);
void exchange_key_free(void *key); /* NULL is fine */

/* The secret as RFC 4253's mpint K, appended to `secret`. ERR_PROTOCOL: theirs is no public key of this
 * group. */
int exchange_secret(void *key, const void *theirs, size_t len, struct wire_writer *secret, struct err *err);

#define EXCHANGE_HASH_MAX 64
/* The method's hash of all parts, as many as `count`. Returns its length, negative on failure. */
int exchange_hash(const struct kex_method *m, const struct wire_str *parts, size_t count,
                  uint8_t out[EXCHANGE_HASH_MAX]);

/* Is signature (RFC 4253 §6.6) that of `blob`'s owner over data? ERR_PROTOCOL: it is not, or one is
 * malformed. */
int exchange_verify(const struct host_key_method *m, struct wire_str blob, struct wire_str signature,
                    const uint8_t *data, size_t len, struct err *err);

#endif

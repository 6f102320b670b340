/*
 * jwt: signed tokens with RSA keys: those that the sandbox gives out, and those by which a client proves who
 * it is.
 *
 * Sources: RFC 7515, 7518 (RS256, PS256), Entra's "certificate credentials" for the thumbprints in the
 * header.
 */
#ifndef ADIT_SANDBOX_JWT_H
#define ADIT_SANDBOX_JWT_H

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "base/err.h"

struct jwt_key {
    EVP_PKEY *key;
    X509 *cert; /* of its own signature */
};

int jwt_key_new(struct jwt_key *out, const char *name, struct err *err); /* takes some 100 ms */
void jwt_key_done(struct jwt_key *k);

/* RS256. claims are stolen. mem_free it; NULL: out of memory. */
char *jwt_sign(const struct jwt_key *k, json_t *claims);

/* Checks header, thumbprint (when by_cert) and signature; not what the claims say. NULL and *claims, to be
 * json_decref'd, or what is wrong. */
const char *jwt_verify(const struct jwt_key *k, const char *text, bool by_cert, json_t **claims);

#endif

/*
 * jwt: the signed statement by which an application proves that it holds its certificate.
 *
 * Sources: RFC 7523 section 3 (claims), RFC 7515 (JWS), RFC 7518 sections 3.3 and 3.5 (RS256, PS256); the
 * Microsoft identity platform's certificate credentials (x5t, x5t#S256, x5c). Thread: any.
 */
#ifndef ADIT_AZURE_JWT_H
#define ADIT_AZURE_JWT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "blob.h"
#include "cert_file.h"

#define JWT_LIVES_S 600

enum jwt_alg {
    JWT_PS256, /* with x5t#S256: what Entra prefers */
    JWT_RS256, /* with x5t: what AD FS knows */
};

struct jwt_claims {
    const char *client;   /* iss and sub */
    const char *audience; /* the token endpoint's URL */
    uint64_t now_s;       /* since the epoch: nbf; exp is JWT_LIVES_S later */
    bool with_chain;      /* x5c: for applications that trust a subject name and its issuer */
};

/* Appends "header.claims.signature" to out. ERR_NOMEM, ERR_SYSTEM (OpenSSL refuses to sign). */
int jwt_sign(struct blob *out, const struct cert_file *cert, enum jwt_alg alg,
             const struct jwt_claims *claims, struct err *err);

#endif

/*
 * tls: the certificate authority of this Azure, and the server certificate that it signs; new at every start.
 */
#ifndef ADIT_SANDBOX_TLS_H
#define ADIT_SANDBOX_TLS_H

#include <openssl/x509.h>

#include "base/err.h"

struct tls_files {
    char *ca_pem;    /* to be trusted by clients */
    char *chain_pem; /* the server's certificate, then the authority's */
    char *key_pem;   /* the server's private key */
};

/* For localhost, 127.0.0.1 and ::1. ERR_NOMEM, ERR_SYSTEM. */
int tls_files_new(struct tls_files *out, struct err *err);
/* A certificate that `key` signs itself; NULL when libcrypto fails. */
X509 *tls_certificate_of(EVP_PKEY *key, const char *name);
void tls_files_done(struct tls_files *f);

#endif

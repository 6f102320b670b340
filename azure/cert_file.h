/*
 * cert_file: a certificate, its private key and its chain out of a PEM or a PKCS#12 file.
 *
 * Sources: RFC 7468 (PEM), RFC 7292 (PKCS#12, *.pfx). Thread: any; unlocking a key may take a while, so not
 * the loop's.
 */
#ifndef ADIT_AZURE_CERT_FILE_H
#define ADIT_AZURE_CERT_FILE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/err.h"

#define CERT_FILE_MAX (256u << 10) /* bytes */
#define CERT_CHAIN_MAX 16          /* certificates beside the first */

struct cert_file {
    EVP_PKEY *key;          /* RSA: Entra takes no other */
    X509 *cert;             /* the one that the key belongs to */
    STACK_OF(X509) * chain; /* the others of the file, in its order; may be NULL */
};

/* password may be NULL. ERR_NOTFOUND, ERR_DENIED, ERR_LIMIT, ERR_SYSTEM (of the file), ERR_INVAL (what is in
 * it, a wrong password), ERR_NOMEM. Messages name the file. */
int cert_file_read(struct cert_file *out, const char *path, const char *password, struct err *err);
void cert_file_done(struct cert_file *c);

#endif

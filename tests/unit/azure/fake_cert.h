/*
 * fake_cert: a certificate for 127.0.0.1 that nobody trusts who does not have its file.
 */
#ifndef ADIT_TESTS_FAKE_CERT_H
#define ADIT_TESTS_FAKE_CERT_H

#include <openssl/evp.h>
#include <openssl/x509.h>

/* Writes it to a file of its own, whose path is put into `path`. */
void fake_cert_make(EVP_PKEY **key, X509 **cert, char *path, size_t size);

#endif

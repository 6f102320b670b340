/*
 * tls: makes two P-256 keys and two certificates with libcrypto.
 */
#include "tls.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define DAYS 30

static bool extension_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = e && X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

static bool subject_set(X509 *cert, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"adit sandbox", -1,
                                      -1, 0) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
}

/* issuer NULL: signs itself, as an authority. */
static X509 *certificate_new(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *cert = X509_new();
    uint64_t serial = 0;
    if (!cert || RAND_bytes((unsigned char *)&serial, sizeof serial) != 1)
        return cert;
    bool ok =
        X509_set_version(cert, 2) && ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) &&
        X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
        X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * DAYS) && X509_set_pubkey(cert, key) &&
        subject_set(cert, name) && X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert));
    ok = ok && extension_add(cert, issuer ? issuer : cert, NID_subject_key_identifier, "hash");
    if (issuer)
        ok = ok && extension_add(cert, issuer, NID_authority_key_identifier, "keyid:always") &&
             extension_add(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
             extension_add(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
             extension_add(cert, issuer, NID_ext_key_usage, "serverAuth") &&
             extension_add(cert, issuer, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
    else
        ok = ok && extension_add(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
             extension_add(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (ok && X509_sign(cert, issuer_key ? issuer_key : key, EVP_sha256()))
        return cert;
    X509_free(cert);
    return NULL;
}

X509 *tls_certificate_of(EVP_PKEY *key, const char *name)
{
    return certificate_new(key, name, NULL, NULL);
}

static char *text_take(BIO *bio)
{
    char *data = NULL;
    long n = BIO_get_mem_data(bio, &data);
    char *copy = mem_strndup(data, (size_t)n);
    BIO_free(bio);
    return copy;
}

static char *certificates_pem(X509 *first, X509 *second)
{
    BIO *b = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(b, first);
    if (second)
        PEM_write_bio_X509(b, second);
    return text_take(b);
}

static char *key_pem(EVP_PKEY *key)
{
    BIO *b = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
    return text_take(b);
}

int tls_files_new(struct tls_files *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *ca = ca_key ? certificate_new(ca_key, "adit sandbox CA", NULL, NULL) : NULL;
    X509 *cert = ca && key ? certificate_new(key, "localhost", ca, ca_key) : NULL;
    if (cert) {
        out->ca_pem = certificates_pem(ca, NULL);
        out->chain_pem = certificates_pem(cert, ca);
        out->key_pem = key_pem(key);
    }
    X509_free(cert);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    if (out->ca_pem && out->chain_pem && out->key_pem)
        return 0;
    tls_files_done(out);
    return err_set(err, ERR_SYSTEM, "libcrypto could not make the certificates");
}

void tls_files_done(struct tls_files *f)
{
    mem_free(f->ca_pem);
    mem_free(f->chain_pem);
    if (f->key_pem)
        mem_free_secret(f->key_pem, strlen(f->key_pem));
    memset(f, 0, sizeof *f);
}

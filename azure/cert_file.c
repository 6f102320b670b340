/*
 * cert_file: tells PEM from PKCS#12 by its first bytes and takes the pair that belongs together out of it.
 */
#include "cert_file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdbool.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

void cert_file_done(struct cert_file *c)
{
    EVP_PKEY_free(c->key);
    X509_free(c->cert);
    sk_X509_pop_free(c->chain, X509_free);
    memset(c, 0, sizeof(*c));
}

struct password {
    const char *text;
    bool asked;
};

/* pem_password_cb: never the terminal, which is OpenSSL's own idea. */
static int on_password(char *buf, int size, int writing, void *arg)
{
    struct password *p = arg;
    size_t n = p->text ? strlen(p->text) : 0;
    (void)writing;
    p->asked = true;
    if (n == 0 || n > (size_t)size)
        return -1;
    memcpy(buf, p->text, n);
    return (int)n;
}

static int locked(const char *path, const char *password, struct err *err)
{
    if (password && *password)
        return err_set(err, ERR_INVAL, "%s: AZURE_CLIENT_CERTIFICATE_PASSWORD does not open it", path);
    return err_set(err, ERR_INVAL, "%s: it is encrypted; set AZURE_CLIENT_CERTIFICATE_PASSWORD", path);
}

static BIO *bio_of(const char *data, size_t n)
{
    return BIO_new_mem_buf(data, (int)n);
}

static int read_pem_key(struct cert_file *out, const char *data, size_t n, const char *path,
                        const char *password, struct err *err)
{
    struct password p = {password, false};
    BIO *bio = bio_of(data, n);
    out->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, on_password, &p) : NULL;
    BIO_free(bio);
    if (out->key)
        return 0;
    return p.asked
               ? locked(path, password, err)
               : err_set(
                     err, ERR_INVAL,
                     "%s: it holds no private key that can be read; the key and the certificate must both "
                     "be in it",
                     path);
}

static bool chain_add(struct cert_file *out, X509 *cert)
{
    if (!out->chain)
        out->chain = sk_X509_new_null();
    return out->chain && sk_X509_num(out->chain) < CERT_CHAIN_MAX && sk_X509_push(out->chain, cert) > 0;
}

static int read_pem(struct cert_file *out, const char *data, size_t n, const char *path, const char *password,
                    struct err *err)
{
    int rc = read_pem_key(out, data, n, path, password, err);
    BIO *bio = rc ? NULL : bio_of(data, n);
    if (rc || !bio)
        return rc ? rc : err_set(err, ERR_NOMEM, "out of memory");
    X509 *cert;
    while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        if (!out->cert && X509_check_private_key(cert, out->key) == 1)
            out->cert = cert;
        else if (!chain_add(out, cert)) {
            X509_free(cert);
            rc = err_set(err, ERR_LIMIT, "%s: more than %d certificates", path, CERT_CHAIN_MAX + 1);
            break;
        }
    }
    BIO_free(bio);
    return rc;
}

static int read_pkcs12(struct cert_file *out, const char *data, size_t n, const char *path,
                       const char *password, struct err *err)
{
    BIO *bio = bio_of(data, n);
    PKCS12 *p12 = bio ? d2i_PKCS12_bio(bio, NULL) : NULL;
    BIO_free(bio);
    if (!p12)
        return err_set(err, ERR_INVAL, "%s: it is neither PEM nor PKCS#12 (*.pfx)", path);
    /* Without a password both the empty one and none at all are in use; the MAC tells which. */
    const char *secret = password ? password : "";
    bool opens = PKCS12_verify_mac(p12, secret, -1) == 1;
    if (!opens && !*secret && PKCS12_verify_mac(p12, NULL, 0) == 1) {
        secret = NULL;
        opens = true;
    }
    int rc = 0;
    if (!opens)
        rc = locked(path, password, err);
    else if (PKCS12_parse(p12, secret, &out->key, &out->cert, &out->chain) != 1)
        rc = err_set(
            err, ERR_INVAL,
            "%s: its encryption is not supported by this OpenSSL; write it anew: openssl pkcs12 -legacy -in "
            "OLD -nodes | openssl pkcs12 -export -out NEW",
            path);
    else if (sk_X509_num(out->chain) > CERT_CHAIN_MAX)
        rc = err_set(err, ERR_LIMIT, "%s: more than %d certificates", path, CERT_CHAIN_MAX + 1);
    PKCS12_free(p12);
    return rc;
}

static int check(const struct cert_file *c, const char *path, struct err *err)
{
    if (!c->key)
        return err_set(err, ERR_INVAL, "%s: it holds no private key", path);
    if (!c->cert)
        return err_set(err, ERR_INVAL, "%s: it holds no certificate that belongs to its private key", path);
    if (EVP_PKEY_get_base_id(c->key) != EVP_PKEY_RSA)
        return err_set(err, ERR_INVAL, "%s: its key is not RSA, and Entra takes no other", path);
    if (EVP_PKEY_get_bits(c->key) < 2048)
        return err_set(err, ERR_INVAL, "%s: its key has less than 2048 bits, and Entra takes no smaller one",
                       path);
    if (X509_cmp_current_time(X509_get0_notAfter(c->cert)) < 0)
        return err_set(err, ERR_INVAL, "%s: the certificate has expired; make a new one for the application",
                       path);
    return 0;
}

int cert_file_read(struct cert_file *out, const char *path, const char *password, struct err *err)
{
    char *data;
    size_t n;
    memset(out, 0, sizeof(*out));
    int rc = fs_read(path, CERT_FILE_MAX, &data, &n, err);
    if (rc)
        return rc;
    ERR_clear_error();
    if (memmem(data, n, "-----BEGIN ", 11))
        rc = read_pem(out, data, n, path, password, err);
    else
        rc = read_pkcs12(out, data, n, path, password, err);
    if (!rc)
        rc = check(out, path, err);
    if (rc)
        cert_file_done(out);
    ERR_clear_error();
    mem_free_secret(data, n);
    return rc;
}

/*
 * jwt: header and claims by jansson, the signature by OpenSSL's EVP.
 */
#include "jwt.h"

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/mem.h"
#include "base64.h"
#include "text.h"

static int part_add(struct blob *out, const json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    int rc = text ? base64url_add(out, text, strlen(text)) : ERR_NOMEM;
    free(text);
    return rc;
}

/* The certificate's fingerprint, as the header names it. */
static int thumbprint_set(json_t *header, const X509 *cert, enum jwt_alg alg)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct blob text = {0};
    int rc =
        X509_digest(cert, alg == JWT_PS256 ? EVP_sha256() : EVP_sha1(), digest, &n) == 1 ? 0 : ERR_SYSTEM;
    if (!rc)
        rc = base64url_add(&text, digest, n);
    if (!rc && json_object_set_new(header, alg == JWT_PS256 ? "x5t#S256" : "x5t", json_string(text.data)))
        rc = ERR_NOMEM;
    blob_done(&text);
    return rc;
}

static int chain_add(json_t *list, X509 *cert)
{
    unsigned char *der = NULL;
    struct blob text = {0};
    int n = i2d_X509(cert, &der), rc = n > 0 ? base64_add(&text, der, (size_t)n) : ERR_SYSTEM;
    if (!rc && json_array_append_new(list, json_string(text.data)))
        rc = ERR_NOMEM;
    OPENSSL_free(der);
    blob_done(&text);
    return rc;
}

static int chain_set(json_t *header, const struct cert_file *cert)
{
    json_t *list = json_array();
    int rc = list ? chain_add(list, cert->cert) : ERR_NOMEM;
    for (int i = 0; !rc && i < sk_X509_num(cert->chain); i++)
        rc = chain_add(list, sk_X509_value(cert->chain, i));
    if (!rc && json_object_set(header, "x5c", list))
        rc = ERR_NOMEM;
    json_decref(list);
    return rc;
}

static int header_add(struct blob *out, const struct cert_file *cert, enum jwt_alg alg, bool with_chain)
{
    json_t *header = json_pack("{s:s, s:s}", "alg", alg == JWT_PS256 ? "PS256" : "RS256", "typ", "JWT");
    int rc = header ? thumbprint_set(header, cert->cert, alg) : ERR_NOMEM;
    if (!rc && with_chain)
        rc = chain_set(header, cert);
    if (!rc)
        rc = part_add(out, header);
    json_decref(header);
    return rc;
}

static int claims_add(struct blob *out, const struct jwt_claims *c)
{
    char id[TEXT_GUID_SIZE];
    text_guid(id);
    json_t *claims = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "aud", c->audience, "iss", c->client,
                               "sub", c->client, "jti", id, "iat", (json_int_t)c->now_s, "nbf",
                               (json_int_t)c->now_s, "exp", (json_int_t)c->now_s + JWT_LIVES_S);
    int rc = part_add(out, claims);
    json_decref(claims);
    return rc;
}

static bool padding_set(EVP_PKEY_CTX *ctx, enum jwt_alg alg)
{
    if (alg == JWT_RS256)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static int signature_add(struct blob *out, EVP_PKEY *key, enum jwt_alg alg)
{
    EVP_PKEY_CTX *ctx = NULL;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    const unsigned char *data = (const unsigned char *)out->data;
    size_t n = 0;
    unsigned char *sig = NULL;
    int rc = ERR_SYSTEM;
    if (md && EVP_DigestSignInit(md, &ctx, EVP_sha256(), NULL, key) == 1 && padding_set(ctx, alg) &&
        EVP_DigestSign(md, NULL, &n, data, out->len) == 1) {
        sig = mem_alloc(n);
        rc = !sig ? ERR_NOMEM : EVP_DigestSign(md, sig, &n, data, out->len) == 1 ? 0 : ERR_SYSTEM;
    }
    if (!rc)
        rc = blob_puts(out, ".");
    if (!rc)
        rc = base64url_add(out, sig, n);
    mem_free(sig);
    EVP_MD_CTX_free(md);
    ERR_clear_error();
    return rc;
}

int jwt_sign(struct blob *out, const struct cert_file *cert, enum jwt_alg alg,
             const struct jwt_claims *claims, struct err *err)
{
    int rc = header_add(out, cert, alg, claims->with_chain);
    if (!rc)
        rc = blob_puts(out, ".");
    if (!rc)
        rc = claims_add(out, claims);
    if (!rc)
        rc = signature_add(out, cert->key, alg);
    if (rc == 0)
        return 0;
    blob_done(out);
    return err_set(err, rc,
                   rc == ERR_NOMEM ? "out of memory" : "OpenSSL could not sign with the certificate's key");
}

/*
 * keyfile_public: the public half of a key as SSH writes it (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4), and
 * signing.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "keyfile.h"

#define NUMBER_MAX 2050 /* bytes: RSA of 16384 bits, and a little */

struct curve {
    const char *group, *type, *name;
};

static const struct curve curves[] = {
    {"prime256v1", "ecdsa-sha2-nistp256", "nistp256"},
    {"secp384r1", "ecdsa-sha2-nistp384", "nistp384"},
    {"secp521r1", "ecdsa-sha2-nistp521", "nistp521"},
};

static bool put_number(struct wire_writer *w, const BIGNUM *n)
{
    uint8_t bytes[NUMBER_MAX];
    int len = BN_num_bytes(n);
    if (len < 0 || (size_t)len > sizeof bytes)
        return false;
    BN_bn2bin(n, bytes);
    wire_put_mpint(w, bytes, (size_t)len);
    mem_wipe(bytes, sizeof bytes);
    return true;
}

static bool put_param(struct wire_writer *w, const EVP_PKEY *pkey, const char *name)
{
    BIGNUM *n = NULL;
    bool ok = EVP_PKEY_get_bn_param(pkey, name, &n) == 1 && put_number(w, n);
    BN_free(n);
    return ok;
}

static bool put_ec(struct wire_writer *w, const EVP_PKEY *pkey, const char **type)
{
    char group[64];
    uint8_t point[160];
    size_t len = 0;
    if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL) != 1 ||
        EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len) != 1 ||
        len == 0 || point[0] != 4)
        return false;
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        if (strcmp(group, curves[i].group) == 0) {
            *type = curves[i].type;
            wire_put_cstr(w, curves[i].type);
            wire_put_cstr(w, curves[i].name);
            wire_put_str(w, point, len);
            return true;
        }
    }
    return false;
}

static bool put_ed25519(struct wire_writer *w, const EVP_PKEY *pkey)
{
    uint8_t point[32];
    size_t len = sizeof point;
    if (EVP_PKEY_get_raw_public_key(pkey, point, &len) != 1)
        return false;
    wire_put_cstr(w, "ssh-ed25519");
    wire_put_str(w, point, len);
    return true;
}

int ssh_keyfile_public(struct ssh_keyfile *k, struct err *err)
{
    struct wire_writer w;
    const char *type = NULL;
    bool ok = false;
    wire_write_init(&w);
    switch (EVP_PKEY_get_base_id(k->pkey)) {
    case EVP_PKEY_ED25519:
        type = "ssh-ed25519";
        ok = put_ed25519(&w, k->pkey);
        break;
    case EVP_PKEY_RSA:
        type = "ssh-rsa";
        wire_put_cstr(&w, type);
        ok = put_param(&w, k->pkey, OSSL_PKEY_PARAM_RSA_E) && put_param(&w, k->pkey, OSSL_PKEY_PARAM_RSA_N);
        break;
    case EVP_PKEY_EC:
        ok = put_ec(&w, k->pkey, &type);
        break;
    default:
        break;
    }
    ERR_clear_error();
    int rc = 0;
    if (!ok) {
        rc = err_set(err, ERR_UNSUPPORTED, "%s is a kind of key that SSH does not use", k->path);
    } else {
        mem_free(k->blob);
        k->blob_len = w.len;
        k->blob = mem_alloc(w.len ? w.len : 1);
        if (!wire_write_ok(&w) || !k->blob) {
            rc = err_set(err, ERR_NOMEM, "out of memory");
        } else {
            memcpy(k->blob, w.data, w.len);
            memcpy(k->type, type, strlen(type) + 1);
        }
    }
    wire_write_done(&w);
    return rc;
}

static const EVP_MD *digest_for(const char *alg)
{
    if (strcmp(alg, "ssh-rsa") == 0)
        return EVP_sha1();
    if (strcmp(alg, "rsa-sha2-256") == 0 || strcmp(alg, "ecdsa-sha2-nistp256") == 0)
        return EVP_sha256();
    if (strcmp(alg, "ecdsa-sha2-nistp384") == 0)
        return EVP_sha384();
    if (strcmp(alg, "rsa-sha2-512") == 0 || strcmp(alg, "ecdsa-sha2-nistp521") == 0)
        return EVP_sha512();
    return NULL;
}

/* DER to the two numbers of RFC 5656 §3.1.2. */
static int ecdsa_inner(const uint8_t *der, size_t n, uint8_t **sig, size_t *sig_len)
{
    struct wire_writer w;
    ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
    if (!s)
        return ERR_NOMEM;
    wire_write_init(&w);
    bool ok = put_number(&w, ECDSA_SIG_get0_r(s)) && put_number(&w, ECDSA_SIG_get0_s(s)) && wire_write_ok(&w);
    ECDSA_SIG_free(s);
    *sig = ok ? mem_alloc(w.len) : NULL;
    if (*sig) {
        memcpy(*sig, w.data, w.len);
        *sig_len = w.len;
    }
    wire_write_done(&w);
    return *sig ? 0 : ERR_NOMEM;
}

int ssh_keyfile_sign(const struct ssh_keyfile *k, const char *alg, const uint8_t *data, size_t n,
                     uint8_t **sig, size_t *sig_len, struct err *err)
{
    int id = EVP_PKEY_get_base_id(k->pkey);
    const EVP_MD *md = digest_for(alg);
    bool sha2 = id == EVP_PKEY_RSA && (strcmp(alg, "rsa-sha2-256") == 0 || strcmp(alg, "rsa-sha2-512") == 0);
    if (!sha2 && strcmp(alg, k->type) != 0)
        return err_set(err, ERR_UNSUPPORTED, "%s cannot make signatures of type %s", k->path, alg);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t *raw = NULL;
    size_t raw_len = 0;
    int rc = ERR_NOMEM;
    if (ctx && EVP_DigestSignInit(ctx, NULL, md, NULL, k->pkey) == 1 &&
        EVP_DigestSign(ctx, NULL, &raw_len, data, n) == 1 && (raw = mem_alloc(raw_len)) != NULL &&
        EVP_DigestSign(ctx, raw, &raw_len, data, n) == 1)
        rc = 0;
    EVP_MD_CTX_free(ctx);
    if (rc == 0 && id == EVP_PKEY_EC) {
        rc = ecdsa_inner(raw, raw_len, sig, sig_len);
        mem_free(raw);
    } else if (rc == 0) {
        *sig = raw;
        *sig_len = raw_len;
    } else {
        mem_free(raw);
    }
    ERR_clear_error();
    return rc == 0 ? 0 : err_set(err, ERR_SYSTEM, "signing with %s failed", k->path);
}

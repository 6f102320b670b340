/*
 * host_key: is this signature one of this host key? (RFC 8709, 8332, 5656)
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "exchange.h"

const struct host_key_method HOST_KEY_METHODS[] = {
    {"ssh-ed25519", "ssh-ed25519", NULL, NULL},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "SHA256", "P-256"},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "SHA384", "P-384"},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "SHA512", "P-521"},
    {"rsa-sha2-512", "ssh-rsa", "SHA512", NULL},
    {"rsa-sha2-256", "ssh-rsa", "SHA256", NULL},
    {NULL, NULL, NULL, NULL},
};

#define RSA_BITS_MIN 1024 /* as OpenSSH's RequiredRSASize */
#define RSA_BITS_MAX 16384
#define DER_MAX 256

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *read_ed25519(struct wire_reader *r)
{
    struct wire_str point = wire_get_str(r);
    return wire_end(r) ? EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, point.data, point.len) : NULL;
}

static EVP_PKEY *read_ec(struct wire_reader *r, const struct host_key_method *m)
{
    OSSL_PARAM *params = NULL;
    struct wire_str curve = wire_get_str(r), point = wire_get_str(r);
    if (!wire_end(r) || !wire_str_is(curve, m->key_type + sizeof "ecdsa-sha2-" - 1))
        return NULL;
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    if (b && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, m->group, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len) == 1)
        params = OSSL_PARAM_BLD_to_param(b);
    OSSL_PARAM_BLD_free(b);
    return from_params("EC", params);
}

static EVP_PKEY *read_rsa(struct wire_reader *r)
{
    OSSL_PARAM *params = NULL;
    struct wire_str e = wire_get_mpint(r), n = wire_get_mpint(r);
    if (!wire_end(r) || n.len < RSA_BITS_MIN / 8 || n.len > RSA_BITS_MAX / 8 || e.len > 8)
        return NULL;
    BIGNUM *be = BN_bin2bn(e.data, (int)e.len, NULL), *bn = BN_bin2bn(n.data, (int)n.len, NULL);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    if (be && bn && b && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be) == 1 &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) == 1)
        params = OSSL_PARAM_BLD_to_param(b);
    OSSL_PARAM_BLD_free(b);
    BN_free(be);
    BN_free(bn);
    return from_params("RSA", params);
}

/* RFC 5656 §3.1.2's two numbers as the DER that OpenSSL takes; its length, 0 when they make no sense. */
static int ecdsa_der(struct wire_str sig, unsigned char der[DER_MAX])
{
    struct wire_reader r;
    unsigned char *p = der;
    wire_read_init(&r, sig.data, sig.len);
    struct wire_str a = wire_get_mpint(&r), b = wire_get_mpint(&r);
    if (!wire_end(&r) || a.len > 66 || b.len > 66)
        return 0;
    ECDSA_SIG *s = ECDSA_SIG_new();
    BIGNUM *ra = BN_bin2bn(a.data, (int)a.len, NULL), *rb = BN_bin2bn(b.data, (int)b.len, NULL);
    int n = 0;
    if (s && ra && rb && ECDSA_SIG_set0(s, ra, rb) == 1) {
        ra = rb = NULL;
        n = i2d_ECDSA_SIG(s, NULL) <= DER_MAX ? i2d_ECDSA_SIG(s, &p) : 0;
    }
    BN_free(ra);
    BN_free(rb);
    ECDSA_SIG_free(s);
    return n > 0 ? n : 0;
}

static bool signed_by(EVP_PKEY *key, const struct host_key_method *m, struct wire_str sig,
                      const uint8_t *data, size_t len)
{
    unsigned char der[DER_MAX];
    if (m->group) {
        int n = ecdsa_der(sig, der);
        sig = (struct wire_str){der, (size_t)n};
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = sig.len > 0 && ctx && EVP_DigestVerifyInit_ex(ctx, NULL, m->hash, NULL, NULL, key, NULL) == 1 &&
              EVP_DigestVerify(ctx, sig.data, sig.len, data, len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

int exchange_verify(const struct host_key_method *m, struct wire_str blob, struct wire_str signature,
                    const uint8_t *data, size_t len, struct err *err)
{
    struct wire_reader kr, sr;
    EVP_PKEY *key = NULL;
    wire_read_init(&kr, blob.data, blob.len);
    wire_read_init(&sr, signature.data, signature.len);
    struct wire_str type = wire_get_str(&kr), alg = wire_get_str(&sr), sig = wire_get_str(&sr);
    if (wire_ok(&kr) && wire_end(&sr) && wire_str_is(type, m->key_type) && wire_str_is(alg, m->name))
        key = m->group ? read_ec(&kr, m) : m->hash ? read_rsa(&kr) : read_ed25519(&kr);
    bool ok = key && signed_by(key, m, sig, data, len);
    EVP_PKEY_free(key);
    if (ok)
        return 0;
    return err_set(err, ERR_PROTOCOL, "the server could not prove that it has its host key (%s)", m->name);
}

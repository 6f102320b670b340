/*
 * keyfile_openssh: private keys in OpenSSH's own format (PROTOCOL.key).
 *
 * "openssh-key-v1\0", cipher, kdf, kdf options, number of keys, the public key, then a string with the
 * private part, which a passphrase may encrypt: two equal check numbers, the key's fields, a comment, padding
 * 1, 2, 3, …
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdbool.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/wire.h"
#include "keyfile.h"
#include "keyfile_cipher.h"

#define BLOCK 8 /* padding goes up to this where there is no cipher */

static EVP_PKEY *from_params(const char *kind, OSSL_PARAM_BLD *bld)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

static BIGNUM *number(struct wire_str s)
{
    BIGNUM *n = BN_secure_new();
    if (n && !BN_bin2bn(s.data, (int)s.len, n)) {
        BN_clear_free(n);
        n = NULL;
    }
    if (n)
        BN_set_flags(n, BN_FLG_CONSTTIME);
    return n;
}

static EVP_PKEY *read_ed25519(struct wire_reader *r)
{
    struct wire_str pub = wire_get_str(r), priv = wire_get_str(r);
    if (!wire_ok(r) || pub.len != 32 || priv.len != 64 || memcmp(priv.data + 32, pub.data, 32) != 0)
        return NULL;
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, priv.data, 32);
}

static EVP_PKEY *read_ecdsa(struct wire_reader *r)
{
    struct wire_str curve = wire_get_str(r), point = wire_get_str(r), secret = wire_get_mpint(r);
    const char *group = wire_str_is(curve, "nistp256")   ? "prime256v1"
                        : wire_str_is(curve, "nistp384") ? "secp384r1"
                        : wire_str_is(curve, "nistp521") ? "secp521r1"
                                                         : NULL;
    if (!wire_ok(r) || !group || point.len == 0)
        return NULL;
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    BIGNUM *d = number(secret);
    if (bld && d && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len) == 1 &&
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1)
        pkey = from_params("EC", bld);
    OSSL_PARAM_BLD_free(bld);
    BN_clear_free(d);
    return pkey;
}

/* d mod (p − 1), which the file leaves out. */
static BIGNUM *remainder_of(const BIGNUM *d, const BIGNUM *p, BN_CTX *ctx)
{
    BIGNUM *p1 = BN_dup(p), *out = BN_secure_new();
    bool ok = p1 && out && BN_sub_word(p1, 1) == 1 && !BN_is_zero(p1);
    if (ok) {
        BN_set_flags(p1, BN_FLG_CONSTTIME);
        ok = BN_mod(out, d, p1, ctx) == 1;
    }
    BN_clear_free(p1);
    if (!ok) {
        BN_clear_free(out);
        out = NULL;
    }
    return out;
}

static EVP_PKEY *read_rsa(struct wire_reader *r)
{
    enum { N, E, D, IQMP, P, Q, DMP1, DMQ1, COUNT };
    static const char *const names[COUNT] = {OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
                                             OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
                                             OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,
                                             OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2};
    BIGNUM *v[COUNT] = {0};
    for (int i = N; i <= Q; i++)
        v[i] = number(wire_get_mpint(r));
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    BN_CTX *ctx = BN_CTX_secure_new();
    bool ok = wire_ok(r) && bld && ctx;
    for (int i = N; i <= Q; i++)
        ok = ok && v[i] && !BN_is_zero(v[i]);
    if (ok) {
        v[DMP1] = remainder_of(v[D], v[P], ctx);
        v[DMQ1] = remainder_of(v[D], v[Q], ctx);
    }
    for (int i = 0; i < COUNT && ok; i++)
        ok = v[i] && OSSL_PARAM_BLD_push_BN(bld, names[i], v[i]) == 1;
    if (ok)
        pkey = from_params("RSA", bld);
    for (int i = 0; i < COUNT; i++)
        BN_clear_free(v[i]);
    BN_CTX_free(ctx);
    OSSL_PARAM_BLD_free(bld);
    return pkey;
}

static bool padding_ok(struct wire_reader *r, size_t block)
{
    size_t left = (size_t)(r->end - r->p);
    if (left >= block)
        return false;
    for (size_t i = 1; i <= left; i++) {
        if (wire_get_u8(r) != i)
            return false;
    }
    return true;
}

static void read_private(struct ssh_keyfile *k, const uint8_t *section, size_t section_len, size_t block)
{
    struct wire_reader r;
    struct err err;
    wire_read_init(&r, section, section_len);
    uint32_t check1 = wire_get_u32(&r), check2 = wire_get_u32(&r);
    struct wire_str type = wire_get_str(&r);
    if (!wire_ok(&r) || check1 != check2) {
        if (k->locked)
            err_set(&k->trouble, ERR_AUTH, SSH_KEYFILE_WRONG, k->path);
        else
            err_set(&k->trouble, ERR_INVAL, "%s is damaged", k->path);
        return;
    }
    if (wire_str_is(type, "ssh-ed25519")) {
        k->pkey = read_ed25519(&r);
    } else if (wire_str_is(type, "ssh-rsa")) {
        k->pkey = read_rsa(&r);
    } else if (type.len > 6 && memcmp(type.data, "ecdsa-", 6) == 0) {
        k->pkey = read_ecdsa(&r);
    } else {
        err_set(&k->trouble, ERR_UNSUPPORTED,
                "%s holds a key of type %s, which is used through an agent only", k->path, k->type);
        return;
    }
    (void)wire_get_str(&r); /* comment */
    ERR_clear_error();
    uint8_t *told = k->blob; /* what the file says in the clear must be this key's public half */
    size_t told_len = k->blob_len;
    k->blob = NULL;
    bool ok = k->pkey && wire_ok(&r) && padding_ok(&r, block) && ssh_keyfile_public(k, &err) == 0 &&
              k->blob_len == told_len && memcmp(k->blob, told, told_len) == 0;
    mem_free(told);
    if (ok)
        return;
    EVP_PKEY_free(k->pkey);
    k->pkey = NULL;
    err_set(&k->trouble, ERR_INVAL, "%s is damaged", k->path);
}

static void read_locked(struct ssh_keyfile *k, const struct ssh_keyfile_lock *lock, const char *passphrase)
{
    k->locked = ssh_keyfile_cipher_known(lock);
    if (!k->locked) {
        err_set(&k->trouble, ERR_UNSUPPORTED,
                "%s is encrypted in a way that adit does not read: `ssh-keygen -p -Z aes256-ctr -f %s` "
                "changes it, or "
                "ssh-add %s",
                k->path, k->path, k->path);
        return;
    }
    if (!passphrase || !*passphrase) {
        err_set(&k->trouble, ERR_AUTH, SSH_KEYFILE_LOCKED, k->path, k->path);
        return;
    }
    size_t n = lock->section.len;
    uint8_t *section = mem_alloc(n + 1);
    int rc = section ? ssh_keyfile_decrypt(lock, passphrase, section) : ERR_NOMEM;
    if (rc == 0)
        read_private(k, section, n, SSH_KEYFILE_CIPHER_BLOCK);
    else if (rc == ERR_AUTH)
        err_set(&k->trouble, rc, SSH_KEYFILE_WRONG, k->path);
    else if (rc == ERR_NOMEM)
        err_set(&k->trouble, rc, "out of memory");
    else
        err_set(&k->trouble, rc, "%s is no OpenSSH private key that can be read", k->path);
    mem_free_secret(section, n);
}

void ssh_keyfile_openssh(struct ssh_keyfile *k, const char *text, size_t n, const char *passphrase)
{
    static const char magic[] = "openssh-key-v1";
    uint8_t *raw = mem_alloc(n + 1);
    if (!raw) {
        err_set(&k->trouble, ERR_NOMEM, "out of memory");
        return;
    }
    long len = base64_decode(raw, text, n);
    struct wire_reader r;
    struct ssh_keyfile_lock lock = {0};
    wire_read_init(&r, raw, len > 0 ? (size_t)len : 0);
    struct wire_str head = wire_get_bytes(&r, sizeof magic);
    lock.cipher = wire_get_str(&r);
    lock.kdf = wire_get_str(&r);
    lock.kdf_options = wire_get_str(&r);
    uint32_t count = wire_get_u32(&r);
    struct wire_str pub = wire_get_str(&r);
    lock.section = wire_get_str(&r);
    lock.tag = wire_get_bytes(&r, (size_t)(r.end - r.p));
    struct wire_reader in;
    wire_read_init(&in, pub.data, pub.len);
    struct wire_str type = wire_get_str(&in);
    if (!wire_ok(&r) || !wire_ok(&in) || memcmp(head.data, magic, sizeof magic) != 0 || count != 1 ||
        type.len == 0 || type.len >= sizeof k->type) {
        err_set(&k->trouble, ERR_INVAL, "%s is no OpenSSH private key that can be read", k->path);
    } else {
        memcpy(k->type, type.data, type.len);
        k->type[type.len] = '\0';
        k->blob = mem_alloc(pub.len);
        k->blob_len = pub.len;
        if (k->blob)
            memcpy(k->blob, pub.data, pub.len);
        if (!k->blob)
            err_set(&k->trouble, ERR_NOMEM, "out of memory");
        else if (wire_str_is(lock.cipher, "none") && wire_str_is(lock.kdf, "none"))
            read_private(k, lock.section.data, lock.section.len, BLOCK);
        else
            read_locked(k, &lock, passphrase);
    }
    mem_free_secret(raw, n + 1);
}

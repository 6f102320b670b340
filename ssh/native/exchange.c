/*
 * exchange: ephemeral keys, shared secrets and hashes of a key exchange, by OpenSSL.
 */
#include "exchange.h"

#include <openssl/evp.h>

#include "base/mem.h"

const struct kex_method KEX_METHODS[] = {
    {"curve25519-sha256", "X25519", "SHA256"}, {"curve25519-sha256@libssh.org", "X25519", "SHA256"},
    {"ecdh-sha2-nistp256", "P-256", "SHA256"}, {"ecdh-sha2-nistp384", "P-384", "SHA384"},
    {"ecdh-sha2-nistp521", "P-521", "SHA512"}, {NULL, NULL, NULL},
};

#define SECRET_MAX 128

int exchange_key_new(void **key, const struct kex_method *m, struct wire_writer *public_key, struct err *err)
{
    unsigned char *text = NULL;
    EVP_PKEY *k = m->group[0] == 'X' ? EVP_PKEY_Q_keygen(NULL, NULL, m->group)
                                     : EVP_PKEY_Q_keygen(NULL, NULL, "EC", m->group);
    size_t n = k ? EVP_PKEY_get1_encoded_public_key(k, &text) : 0;
    wire_put_bytes(public_key, text, n);
    OPENSSL_free(text);
    if (n == 0 || !wire_write_ok(public_key)) {
        EVP_PKEY_free(k);
        return err_set(err, ERR_NOMEM, "no key pair could be made for %s", m->name);
    }
    *key = k;
    return 0;
}

void exchange_key_free(void *key)
{
    EVP_PKEY_free(key);
}

int exchange_secret(void *key, const void *theirs, size_t len, struct wire_writer *secret, struct err *err)
{
    uint8_t raw[SECRET_MAX];
    size_t n = sizeof raw;
    EVP_PKEY *peer = EVP_PKEY_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool ok = peer && ctx && EVP_PKEY_copy_parameters(peer, key) == 1 &&
              EVP_PKEY_set1_encoded_public_key(peer, theirs, len) == 1 && EVP_PKEY_derive_init(ctx) == 1 &&
              EVP_PKEY_derive_set_peer(ctx, peer) == 1 && EVP_PKEY_derive(ctx, raw, &n) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    if (ok)
        wire_put_mpint(secret, raw, n);
    mem_wipe(raw, sizeof raw);
    if (!ok)
        return err_set(err, ERR_PROTOCOL,
                       "the server broke the protocol: its half of the key exchange is no public key");
    return wire_write_ok(secret) ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

int exchange_hash(const struct kex_method *m, const struct wire_str *parts, size_t count,
                  uint8_t out[EXCHANGE_HASH_MAX])
{
    unsigned n = 0;
    EVP_MD *md = EVP_MD_fetch(NULL, m->hash, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = md && ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1;
    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) == 1;
    ok = ok && EVP_DigestFinal_ex(ctx, out, &n) == 1;
    EVP_MD_CTX_free(ctx); /* wipes */
    EVP_MD_free(md);
    return ok ? (int)n : -1;
}

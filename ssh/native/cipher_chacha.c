/*
 * cipher_chacha: chacha20-poly1305@openssh.com.
 *
 * PROTOCOL.chacha20poly1305: two keys; the first of the 64 bytes is for the body, the second for the length
 * alone. The nonce is the packet's number. Block 0 of the body's key stream is the key of Poly1305, over
 * length and body as they are sent.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "cipher.h"

#define KEY 32
#define BODY_BLOCK 1 /* of the key stream, where the body begins */

static int chacha_init(struct cipher_keys *k, const uint8_t *key, const uint8_t *iv, bool encrypt)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    k->body = EVP_CIPHER_CTX_new();
    k->head = EVP_CIPHER_CTX_new();
    k->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    return k->body && k->head && k->mac &&
                   EVP_EncryptInit_ex(k->body, EVP_chacha20(), NULL, key, NULL) == 1 &&
                   EVP_EncryptInit_ex(k->head, EVP_chacha20(), NULL, key + KEY, NULL) == 1
               ? 0
               : -1;
}

/* OpenSSL's 16 bytes: the block counter, little-endian in eight, then the nonce in eight. */
static int seek(EVP_CIPHER_CTX *c, uint32_t seq, uint8_t block)
{
    const uint8_t iv[16] = {[0] = block,
                            [12] = (uint8_t)(seq >> 24),
                            [13] = (uint8_t)(seq >> 16),
                            [14] = (uint8_t)(seq >> 8),
                            [15] = (uint8_t)seq};
    return EVP_EncryptInit_ex(c, NULL, NULL, NULL, iv) == 1 ? 0 : -1;
}

static int stream(EVP_CIPHER_CTX *c, uint8_t *out, const uint8_t *in, uint32_t len)
{
    int n;
    return EVP_EncryptUpdate(c, out, &n, in, (int)len) == 1 ? 0 : -1;
}

static int tag_of(struct cipher_keys *k, uint32_t seq, const uint8_t *data, size_t len,
                  uint8_t tag[CIPHER_AEAD_TAG])
{
    static const uint8_t zeros[KEY];
    uint8_t key[KEY];
    size_t n;
    int rc = seek(k->body, seq, 0) == 0 && stream(k->body, key, zeros, KEY) == 0 &&
                     EVP_MAC_init(k->mac, key, sizeof key, NULL) == 1 &&
                     EVP_MAC_update(k->mac, data, len) == 1 &&
                     EVP_MAC_final(k->mac, tag, &n, CIPHER_AEAD_TAG) == 1
                 ? 0
                 : -1;
    OPENSSL_cleanse(key, sizeof key);
    return rc;
}

static int chacha_length(struct cipher_keys *k, uint32_t seq, const uint8_t in[4], uint32_t *len)
{
    uint8_t head[4];
    if (seek(k->head, seq, 0) < 0 || stream(k->head, head, in, 4) < 0)
        return -1;
    *len = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    return 0;
}

static int chacha_seal(struct cipher_keys *k, uint32_t seq, uint8_t *out, const uint8_t *body, uint32_t len)
{
    const uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    if (seek(k->head, seq, 0) < 0 || stream(k->head, out, head, 4) < 0 ||
        seek(k->body, seq, BODY_BLOCK) < 0 || stream(k->body, out + 4, body, len) < 0)
        return -1;
    return tag_of(k, seq, out, 4 + len, out + 4 + len);
}

static int chacha_open(struct cipher_keys *k, uint32_t seq, uint8_t *out, const uint8_t *in, uint32_t len)
{
    uint8_t tag[CIPHER_AEAD_TAG];
    if (tag_of(k, seq, in, 4 + len, tag) < 0 || CRYPTO_memcmp(tag, in + 4 + len, sizeof tag) != 0)
        return -1;
    return seek(k->body, seq, BODY_BLOCK) < 0 ? -1 : stream(k->body, out, in + 4, len);
}

const struct cipher cipher_chacha = {"chacha20-poly1305@openssh.com",
                                     64,
                                     0,
                                     0,
                                     8,
                                     CIPHER_AEAD_TAG,
                                     chacha_init,
                                     chacha_length,
                                     chacha_seal,
                                     chacha_open};

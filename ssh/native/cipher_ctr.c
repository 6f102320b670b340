/*
 * cipher_ctr: aes*-ctr with hmac-sha2-256-etm@openssh.com, for servers that have no AEAD cipher.
 *
 * RFC 4344 §4: one counter runs through all packets. OpenSSH's PROTOCOL §1.6: the length is in the clear, and
 * the MAC is over the packet's number, the length and what was encrypted, so that nothing is decrypted that
 * was changed.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "cipher.h"

#define MAC 32

static int ctr_init(struct cipher_keys *k, const EVP_CIPHER *evp, const uint8_t *key, const uint8_t *iv)
{
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    k->body = EVP_CIPHER_CTX_new();
    k->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    return k->body && k->mac && EVP_EncryptInit_ex(k->body, evp, NULL, key, iv) == 1 &&
                   EVP_MAC_init(k->mac, key + k->cipher->key_len, MAC, params) == 1
               ? 0
               : -1;
}

static int init128(struct cipher_keys *k, const uint8_t *key, const uint8_t *iv, bool encrypt)
{
    return ctr_init(k, EVP_aes_128_ctr(), key, iv);
}

static int init256(struct cipher_keys *k, const uint8_t *key, const uint8_t *iv, bool encrypt)
{
    return ctr_init(k, EVP_aes_256_ctr(), key, iv);
}

static int mac_of(struct cipher_keys *k, uint32_t seq, const uint8_t *data, size_t len, uint8_t mac[MAC])
{
    size_t n;
    const uint8_t number[4] = {(uint8_t)(seq >> 24), (uint8_t)(seq >> 16), (uint8_t)(seq >> 8), (uint8_t)seq};
    return EVP_MAC_init(k->mac, NULL, 0, NULL) == 1 && EVP_MAC_update(k->mac, number, sizeof number) == 1 &&
                   EVP_MAC_update(k->mac, data, len) == 1 && EVP_MAC_final(k->mac, mac, &n, MAC) == 1
               ? 0
               : -1;
}

static int ctr_seal(struct cipher_keys *k, uint32_t seq, uint8_t *out, const uint8_t *body, uint32_t len)
{
    int n;
    const uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    if (EVP_EncryptUpdate(k->body, out + 4, &n, body, (int)len) != 1)
        return -1;
    memcpy(out, head, sizeof head);
    return mac_of(k, seq, out, 4 + len, out + 4 + len);
}

static int ctr_open(struct cipher_keys *k, uint32_t seq, uint8_t *out, const uint8_t *in, uint32_t len)
{
    int n;
    uint8_t mac[MAC];
    if (mac_of(k, seq, in, 4 + len, mac) < 0 || CRYPTO_memcmp(mac, in + 4 + len, MAC) != 0)
        return -1;
    return EVP_EncryptUpdate(k->body, out, &n, in + 4, (int)len) == 1 ? 0 : -1;
}

const struct cipher cipher_aes128_ctr = {"aes128-ctr",        16,       16,      MAC, 16, MAC, init128,
                                         cipher_length_clear, ctr_seal, ctr_open};
const struct cipher cipher_aes256_ctr = {"aes256-ctr",        32,       16,      MAC, 16, MAC, init256,
                                         cipher_length_clear, ctr_seal, ctr_open};

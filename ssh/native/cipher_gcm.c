/*
 * cipher_gcm: aes128-gcm@openssh.com and aes256-gcm@openssh.com.
 *
 * RFC 5647 §7.1: the nonce is four fixed bytes and a counter of eight, one up for each packet.
 */
#include <openssl/evp.h>
#include <string.h>

#include "cipher.h"

#define FIXED 4
#define NONCE 12

static int gcm_init(struct cipher_keys *k, const EVP_CIPHER *evp, const uint8_t *key, const uint8_t *iv,
                    bool encrypt)
{
    memcpy(k->iv, iv, NONCE);
    k->body = EVP_CIPHER_CTX_new();
    return k->body && EVP_CipherInit_ex(k->body, evp, NULL, key, NULL, encrypt) == 1 ? 0 : -1;
}

static int init128(struct cipher_keys *k, const uint8_t *key, const uint8_t *iv, bool encrypt)
{
    return gcm_init(k, EVP_aes_128_gcm(), key, iv, encrypt);
}

static int init256(struct cipher_keys *k, const uint8_t *key, const uint8_t *iv, bool encrypt)
{
    return gcm_init(k, EVP_aes_256_gcm(), key, iv, encrypt);
}

static void count(struct cipher_keys *k)
{
    for (size_t i = NONCE; i-- > FIXED && ++k->iv[i] == 0;)
        ;
}

static int gcm_seal(struct cipher_keys *k, uint32_t seq, uint8_t *out, const uint8_t *body, uint32_t len)
{
    int n;
    const uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    if (EVP_EncryptInit_ex(k->body, NULL, NULL, NULL, k->iv) != 1 ||
        EVP_EncryptUpdate(k->body, NULL, &n, head, sizeof head) != 1 ||
        EVP_EncryptUpdate(k->body, out + 4, &n, body, (int)len) != 1 ||
        EVP_EncryptFinal_ex(k->body, out + 4 + len, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(k->body, EVP_CTRL_AEAD_GET_TAG, CIPHER_AEAD_TAG, out + 4 + len) != 1)
        return -1;
    memcpy(out, head, sizeof head);
    count(k);
    return 0;
}

static int gcm_open(struct cipher_keys *k, uint32_t seq, uint8_t *out, const uint8_t *in, uint32_t len)
{
    int n;
    if (EVP_DecryptInit_ex(k->body, NULL, NULL, NULL, k->iv) != 1 ||
        EVP_DecryptUpdate(k->body, NULL, &n, in, 4) != 1 ||
        EVP_DecryptUpdate(k->body, out, &n, in + 4, (int)len) != 1 ||
        EVP_CIPHER_CTX_ctrl(k->body, EVP_CTRL_AEAD_SET_TAG, CIPHER_AEAD_TAG, (void *)(in + 4 + len)) != 1 ||
        EVP_DecryptFinal_ex(k->body, out + len, &n) != 1)
        return -1;
    count(k);
    return 0;
}

const struct cipher cipher_aes128_gcm = {
    "aes128-gcm@openssh.com", 16,       NONCE,   0, 16, CIPHER_AEAD_TAG, init128,
    cipher_length_clear,      gcm_seal, gcm_open};
const struct cipher cipher_aes256_gcm = {
    "aes256-gcm@openssh.com", 32,       NONCE,   0, 16, CIPHER_AEAD_TAG, init256,
    cipher_length_clear,      gcm_seal, gcm_open};

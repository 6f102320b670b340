/*
 * cipher: packet protection: one table row a cipher, one call a packet. Private to ssh/native/.
 *
 * A protected packet is its length (4 bytes), the body (padding length, payload, padding) and a tag. Thread:
 * any, one at a time. Sources: RFC 5647 with OpenSSH's names (aes*-gcm@openssh.com: the length is additional
 * data, in the clear); OpenSSH's PROTOCOL.chacha20poly1305.
 */
#ifndef ADIT_SSH_NATIVE_CIPHER_H
#define ADIT_SSH_NATIVE_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CIPHER_TAG_MAX 32
#define CIPHER_AEAD_TAG 16
#define CIPHER_KEY_MAX 64 /* with the MAC's */
#define CIPHER_IV_MAX 16
#define CIPHER_MAC "hmac-sha2-256-etm@openssh.com" /* of those that need one */

struct cipher_keys;

struct cipher {
    const char *name;
    size_t key_len, iv_len, mac_key_len, block, tag;
    int (*init)(struct cipher_keys *k, const uint8_t *key, const uint8_t *iv, bool encrypt);
    /* The length field at `in` as a number; the packet is number seq of its direction. */
    int (*length)(struct cipher_keys *k, uint32_t seq, const uint8_t in[4], uint32_t *len);
    /* out: 4 + len + tag bytes; body: len bytes (a multiple of block), may be where it goes to. */
    int (*seal)(struct cipher_keys *k, uint32_t seq, uint8_t *out, const uint8_t *body, uint32_t len);
    /* in: 4 + len + tag bytes; out: len bytes. Negative: the tag is wrong, out is worthless. */
    int (*open)(struct cipher_keys *k, uint32_t seq, uint8_t *out, const uint8_t *in, uint32_t len);
};

extern const struct cipher cipher_aes128_gcm, cipher_aes256_gcm, cipher_chacha, cipher_aes128_ctr,
    cipher_aes256_ctr;

/* NULL when out of memory. key: cipher->key_len bytes, then mac_key_len; iv: iv_len. */
struct cipher_keys *cipher_keys_new(const struct cipher *c, const uint8_t *key, const uint8_t *iv,
                                    bool encrypt);
void cipher_keys_free(struct cipher_keys *k); /* wipes; NULL is fine */

/* One direction of a connection. keys NULL: nothing is protected yet. */
struct cipher_state {
    const struct cipher *cipher;
    struct cipher_keys *keys;
    uint32_t seq;
    uint64_t packets, bytes; /* since these keys */
};

void cipher_state_take(struct cipher_state *s, struct cipher_keys *keys); /* owned from now on */

/* Shared by the ciphers' files. */
struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;
int cipher_length_clear(struct cipher_keys *k, uint32_t seq, const uint8_t in[4], uint32_t *len);
struct cipher_keys {
    const struct cipher *cipher;
    struct evp_cipher_ctx_st *body, *head; /* head: chacha's lengths */
    struct evp_mac_ctx_st *mac;
    uint8_t iv[CIPHER_IV_MAX];
};

#endif

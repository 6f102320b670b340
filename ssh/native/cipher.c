/*
 * cipher: the table of ciphers, and the keys of one direction.
 */
#include "cipher.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"

void cipher_keys_free(struct cipher_keys *k)
{
    if (!k)
        return;
    EVP_CIPHER_CTX_free(k->body); /* each wipes its key */
    EVP_CIPHER_CTX_free(k->head);
    EVP_MAC_CTX_free(k->mac);
    mem_free_secret(k, sizeof *k);
}

struct cipher_keys *cipher_keys_new(const struct cipher *c, const uint8_t *key, const uint8_t *iv,
                                    bool encrypt)
{
    struct cipher_keys *k = mem_zalloc(sizeof *k);
    if (!k)
        return NULL;
    k->cipher = c;
    if (c->init(k, key, iv, encrypt) < 0) {
        cipher_keys_free(k);
        return NULL;
    }
    return k;
}

int cipher_length_clear(struct cipher_keys *k, uint32_t seq, const uint8_t in[4], uint32_t *len)
{
    *len = (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
    return 0;
}

void cipher_state_take(struct cipher_state *s, struct cipher_keys *keys)
{
    cipher_keys_free(s->keys);
    s->keys = keys;
    s->cipher = keys->cipher;
    s->packets = s->bytes = 0;
}

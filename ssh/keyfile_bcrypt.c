/*
 * keyfile_bcrypt: the key derivation of OpenSSH's own key files, bcrypt_pbkdf.
 *
 * One block of 32 bytes is a text of bcrypt's own, enciphered 64 times by a Blowfish whose key schedule was
 * run 129 times over the hashed passphrase and salt; `rounds` such blocks, each salted with the one before,
 * are added without carry. The blocks' bytes lie interleaved in the key.
 */
#include "keyfile_bcrypt.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define BLOCK 32
#define WORDS (BLOCK / 4)
#define HASH 64 /* SHA-512 */
#define COST 64

struct blowfish {
    uint32_t p[SSH_BLOWFISH_P];
    uint32_t s[4][256];
};

static void encipher(const struct blowfish *b, uint32_t *left, uint32_t *right)
{
    uint32_t l = *left, r = *right;
    for (int i = 0; i < 16; i += 2) {
        l ^= b->p[i];
        r ^= ((b->s[0][l >> 24] + b->s[1][l >> 16 & 0xFF]) ^ b->s[2][l >> 8 & 0xFF]) + b->s[3][l & 0xFF];
        r ^= b->p[i + 1];
        l ^= ((b->s[0][r >> 24] + b->s[1][r >> 16 & 0xFF]) ^ b->s[2][r >> 8 & 0xFF]) + b->s[3][r & 0xFF];
    }
    *left = r ^ b->p[17];
    *right = l ^ b->p[16];
}

/* The next word of a text that goes round. */
static uint32_t word(const uint8_t *text, size_t n, size_t *at)
{
    uint32_t w = 0;
    for (int i = 0; i < 4; i++) {
        w = w << 8 | text[*at];
        *at = (*at + 1) % n;
    }
    return w;
}

/* salt NULL: nothing is mixed in but the key. */
static void expand(struct blowfish *b, const uint8_t *key, const uint8_t *salt)
{
    size_t at = 0, salt_at = 0;
    uint32_t l = 0, r = 0, *boxes = &b->s[0][0];
    for (int i = 0; i < SSH_BLOWFISH_P; i++)
        b->p[i] ^= word(key, HASH, &at);
    for (size_t i = 0; i < SSH_BLOWFISH_PI_WORDS; i += 2) {
        if (salt) {
            l ^= word(salt, HASH, &salt_at);
            r ^= word(salt, HASH, &salt_at);
        }
        encipher(b, &l, &r);
        uint32_t *to = i < SSH_BLOWFISH_P ? &b->p[i] : &boxes[i - SSH_BLOWFISH_P];
        to[0] = l;
        to[1] = r;
    }
}

static void block(struct blowfish *b, const uint8_t pass[HASH], const uint8_t salt[HASH], uint8_t out[BLOCK])
{
    static const uint8_t text[] = "OxychromaticBlowfishSwatDynamite";
    uint32_t w[WORDS];
    size_t at = 0;
    memcpy(b->p, ssh_blowfish_pi, sizeof b->p);
    memcpy(b->s, ssh_blowfish_pi + SSH_BLOWFISH_P, sizeof b->s);
    expand(b, pass, salt);
    for (int i = 0; i < COST; i++) {
        expand(b, salt, NULL);
        expand(b, pass, NULL);
    }
    for (int i = 0; i < WORDS; i++)
        w[i] = word(text, BLOCK, &at);
    for (int i = 0; i < COST; i++)
        for (int k = 0; k < WORDS; k += 2)
            encipher(b, &w[k], &w[k + 1]);
    for (int i = 0; i < WORDS; i++)
        for (int k = 0; k < 4; k++)
            *out++ = (uint8_t)(w[i] >> (8 * k));
    mem_wipe(w, sizeof w);
}

struct work {
    struct blowfish cipher;
    uint8_t pass[HASH], salt[HASH], salted[SSH_BCRYPT_SALT_MAX + 4];
    uint8_t last[BLOCK], sum[BLOCK];
};

static int hash(uint8_t out[HASH], const void *data, size_t n)
{
    return EVP_Digest(data, n, out, NULL, EVP_sha512(), NULL) == 1 ? 0 : ERR_NOMEM;
}

static int sum_rounds(struct work *w, size_t salt_len, uint32_t number, uint32_t rounds)
{
    for (int i = 0; i < 4; i++)
        w->salted[salt_len + (size_t)i] = (uint8_t)(number >> (24 - 8 * i));
    int rc = hash(w->salt, w->salted, salt_len + 4);
    memset(w->sum, 0, sizeof w->sum);
    for (uint32_t r = 0; rc == 0 && r < rounds; r++) {
        block(&w->cipher, w->pass, w->salt, w->last);
        for (int i = 0; i < BLOCK; i++)
            w->sum[i] ^= w->last[i];
        rc = hash(w->salt, w->last, sizeof w->last);
    }
    return rc;
}

int ssh_bcrypt_pbkdf(const char *passphrase, const uint8_t *salt, size_t salt_len, uint32_t rounds,
                     uint8_t *key, size_t key_len)
{
    size_t blocks = (key_len + BLOCK - 1) / BLOCK;
    if (rounds == 0 || rounds > SSH_BCRYPT_ROUNDS_MAX || !*passphrase || salt_len == 0 ||
        salt_len > SSH_BCRYPT_SALT_MAX || key_len == 0 || key_len > SSH_BCRYPT_KEY_MAX)
        return ERR_INVAL;
    struct work *w = mem_zalloc(sizeof *w);
    if (!w)
        return ERR_NOMEM;
    memcpy(w->salted, salt, salt_len);
    int rc = hash(w->pass, passphrase, strlen(passphrase));
    for (size_t number = 1; rc == 0 && number <= blocks; number++) {
        rc = sum_rounds(w, salt_len, (uint32_t)number, rounds);
        for (size_t i = 0; rc == 0 && i < BLOCK && i * blocks + number - 1 < key_len; i++)
            key[i * blocks + number - 1] = w->sum[i];
    }
    mem_free_secret(w, sizeof *w);
    return rc;
}

/*
 * siphash: SipHash-2-4 of a piece of memory.
 */
#include "siphash.h"

static void add(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    siphash_round(v);
    siphash_round(v);
    v[0] ^= word;
}

uint64_t siphash(const uint64_t key[2], const void *data, size_t n)
{
    const unsigned char *p = data;
    uint64_t v[4], word = 0;
    siphash_begin(v, key);
    for (size_t i = 0; i < n; i++) {
        word |= (uint64_t)p[i] << (i % 8 * 8);
        if (i % 8 == 7) {
            add(v, word);
            word = 0;
        }
    }
    add(v, word | (uint64_t)n << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        siphash_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

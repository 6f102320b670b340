/*
 * siphash: SipHash (Aumasson, Bernstein 2012): a short sum under a key, from which nobody learns the text.
 *
 * Not for signatures: 64 bits. Thread: any.
 */
#ifndef ADIT_BASE_SIPHASH_H
#define ADIT_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4. */
uint64_t siphash(const uint64_t key[2], const void *data, size_t n);

static inline uint64_t siphash_rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void siphash_begin(uint64_t v[4], const uint64_t key[2])
{
    v[0] = key[0] ^ 0x736f6d6570736575u;
    v[1] = key[1] ^ 0x646f72616e646f6du;
    v[2] = key[0] ^ 0x6c7967656e657261u;
    v[3] = key[1] ^ 0x7465646279746573u;
}

static inline void siphash_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = siphash_rotl(v[1], 13) ^ v[0];
    v[0] = siphash_rotl(v[0], 32);
    v[2] += v[3];
    v[3] = siphash_rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = siphash_rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = siphash_rotl(v[1], 17) ^ v[2];
    v[2] = siphash_rotl(v[2], 32);
}

#endif

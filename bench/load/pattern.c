/*
 * pattern: filling and checking, a word at a time.
 */
#include "pattern.h"

#include <string.h>

#define STEP 0x9e3779b97f4a7c15u

static uint64_t word_at(uint64_t seed, uint64_t offset)
{
    return seed + (offset / 8) * STEP;
}

static uint8_t byte_at(uint64_t seed, uint64_t offset)
{
    uint64_t w = word_at(seed, offset);
    uint8_t bytes[8];
    memcpy(bytes, &w, 8);
    return bytes[offset % 8];
}

void pattern_fill(uint8_t *out, size_t n, uint64_t seed, uint64_t offset)
{
    size_t i = 0;
    for (; i < n && (offset + i) % 8; i++)
        out[i] = byte_at(seed, offset + i);

    uint64_t w = word_at(seed, offset + i);
    size_t words = (n - i) / 8;
    for (size_t k = 0; k < words; k++, w += STEP)
        memcpy(out + i + 8 * k, &w, 8);

    for (i += 8 * words; i < n; i++)
        out[i] = byte_at(seed, offset + i);
}

static size_t check_bytes(const uint8_t *in, size_t n, uint64_t seed, uint64_t offset)
{
    size_t i = 0;
    while (i < n && in[i] == byte_at(seed, offset + i))
        i++;
    return i;
}

size_t pattern_check(const uint8_t *in, size_t n, uint64_t seed, uint64_t offset)
{
    size_t head = (8 - offset % 8) % 8;
    if (head > n)
        head = n;
    size_t good = check_bytes(in, head, seed, offset);
    if (good < head)
        return good;

    const uint8_t *p = in + head;
    size_t words = (n - head) / 8;
    uint64_t w = word_at(seed, offset + head);
    uint64_t wrong = 0;
    for (size_t k = 0; k < words; k++, w += STEP) {
        uint64_t have;
        memcpy(&have, p + 8 * k, 8);
        wrong |= have ^ w;
    }
    size_t done = wrong ? head : head + 8 * words;
    return done + check_bytes(in + done, n - done, seed, offset + done);
}

uint64_t pattern_seed(uint64_t base, uint64_t i)
{
    uint64_t z = base + (i + 1) * STEP;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

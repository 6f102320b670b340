/*
 * pattern: the content of a stream: each byte follows from the stream's seed and its offset.
 *
 * Every 8 bytes hold seed + index * an odd constant, so no two places of a stream look alike and no stream
 * looks like a shifted other one: lost, doubled, moved and mixed-up bytes all show. Additions only, so that
 * neither filling nor checking limits a measurement. Thread: any.
 */
#ifndef ADIT_BENCH_PATTERN_H
#define ADIT_BENCH_PATTERN_H

#include <stddef.h>
#include <stdint.h>

void pattern_fill(uint8_t *out, size_t n, uint64_t seed, uint64_t offset);

/* How many of the n bytes are right before the first wrong one; n when all are. */
size_t pattern_check(const uint8_t *in, size_t n, uint64_t seed, uint64_t offset);

/* The i-th of many unrelated seeds (splitmix64). */
uint64_t pattern_seed(uint64_t base, uint64_t i);

#endif

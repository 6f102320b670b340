/*
 * micro: the pieces that are measured on their own: each a fixed piece of work that can be repeated.
 *
 * Operations are alike, so that twice as many take twice the instructions: the regression guard counts on it.
 * Thread: one.
 */
#ifndef ADIT_BENCH_MICRO_H
#define ADIT_BENCH_MICRO_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct micro {
    const char *name;
    const char *what;                          /* one operation, in words */
    size_t bytes;                              /* that one operation moves; 0 when that is not the point */
    uint32_t guard_ops;                        /* how many the regression guard counts */
    int (*setup)(void **ctx, struct err *err); /* not measured */
    int (*run)(void *ctx, uint32_t ops);       /* 0, or -1 when something came out wrong */
    void (*done)(void *ctx);
};

extern const struct micro micro_chunk, micro_wire, micro_mailbox, micro_config, micro_arm;
extern const struct micro micro_packet_aes128_gcm, micro_packet_aes256_gcm, micro_packet_chacha,
    micro_packet_aes128_ctr, micro_packet_aes256_ctr;

#endif

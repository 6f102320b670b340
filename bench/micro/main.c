/*
 * main: adit-micro: times each piece, or runs one a fixed number of times for a tool that counts
 * instructions.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "measure.h"
#include "micro.h"

#define ROUNDS 5
#define ROUND_NS (100ull * NS_PER_MS)

static const struct micro *const PIECES[] = {&micro_chunk,
                                             &micro_wire,
                                             &micro_mailbox,
                                             &micro_config,
                                             &micro_arm,
                                             &micro_packet_aes128_gcm,
                                             &micro_packet_aes256_gcm,
                                             &micro_packet_chacha,
                                             &micro_packet_aes128_ctr,
                                             &micro_packet_aes256_ctr};
#define PIECE_COUNT (sizeof PIECES / sizeof *PIECES)

static const char USAGE[] =
    "usage: adit-micro [--guard] [PIECE]\n"
    "\n"
    "Times pieces of adit on their own, one line of JSON each.\n"
    "\n"
    "  --guard   run each piece its fixed number of times, inside micro_guarded(), untimed\n"
    "  PIECE     only this one\n";

/* A function of its own: the regression guard counts what happens inside it. */
int __attribute__((noinline)) micro_guarded(const struct micro *m, void *ctx);

int micro_guarded(const struct micro *m, void *ctx)
{
    return m->run(ctx, m->guard_ops);
}

/* The shortest of the rounds: what disturbs a piece only ever makes it slower. */
static int time_piece(const struct micro *m, void *ctx, double *ns)
{
    uint32_t ops = 1;
    *ns = 0;
    for (int round = 0; round < ROUNDS;) {
        uint64_t began = measure_now();
        if (m->run(ctx, ops) < 0)
            return -1;
        uint64_t took = measure_now() - began;
        if (took < ROUND_NS / 2 && ops < UINT32_MAX / 4) {
            ops *= took < ROUND_NS / 8 ? 4 : 2;
            continue;
        }
        double each = (double)took / ops;
        if (*ns <= 0 || each < *ns)
            *ns = each;
        round++;
    }
    return 0;
}

static int run_piece(const struct micro *m, bool guard)
{
    struct err err = {0};
    void *ctx;
    double ns = 0;
    if (m->setup(&ctx, &err) < 0) {
        fprintf(stderr, "adit-micro: %s: %s\n", m->name, err.msg);
        return -1;
    }
    int rc = micro_guarded(m, ctx); /* warms up, too */
    if (rc == 0 && !guard)
        rc = time_piece(m, ctx, &ns);
    m->done(ctx);
    if (rc < 0)
        fprintf(stderr, "adit-micro: %s: came out wrong\n", m->name);
    else if (guard)
        printf("{\"piece\":\"%s\",\"ops\":%u}\n", m->name, m->guard_ops);
    else if (m->bytes)
        printf("{\"piece\":\"%s\",\"what\":\"%s\",\"ns\":%.1f,\"mb_per_s\":%.1f}\n", m->name, m->what, ns,
               (double)m->bytes / ns * 1e3);
    else
        printf("{\"piece\":\"%s\",\"what\":\"%s\",\"ns\":%.1f}\n", m->name, m->what, ns);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct option LONG[] = {{"guard", no_argument, NULL, 'g'}, {NULL, 0, NULL, 0}};
    bool guard = false, found = false;
    int rc = 0;
    for (int c; (c = getopt_long(argc, argv, "", LONG, NULL)) != -1;) {
        if (c != 'g') {
            fputs(USAGE, stderr);
            return EX_USAGE;
        }
        guard = true;
    }
    for (size_t i = 0; i < PIECE_COUNT; i++) {
        if (optind < argc && strcmp(argv[optind], PIECES[i]->name) != 0)
            continue;
        found = true;
        rc |= run_piece(PIECES[i], guard);
    }
    if (found && optind >= argc - 1)
        return rc == 0 ? 0 : EX_SOFTWARE;
    fputs(USAGE, stderr);
    return EX_USAGE;
}

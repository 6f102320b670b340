/*
 * measure: the clock, what other processes have used so far, and percentiles.
 *
 * Thread: any; a struct samples belongs to one at a time.
 */
#ifndef ADIT_BENCH_MEASURE_H
#define ADIT_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define USAGE_PIDS_MAX 16
#define SAMPLES_MAX (1u << 22)

uint64_t measure_now(void); /* nanoseconds, CLOCK_MONOTONIC */

/* A process's user and system time in nanoseconds, threads that are gone included (its CPU clock, which is
 * exact where /proc/PID/stat counts ticks). ERR_NOTFOUND when there is no such process. */
int measure_cpu(pid_t pid, uint64_t *ns, struct err *err);
int measure_rss(pid_t pid, uint64_t *kib, struct err *err); /* VmRSS of /proc/PID/status */

/* The same, added up over several processes. */
struct usage {
    uint64_t cpu_ns, rss_kib;
};
int measure_usage(const pid_t *pids, size_t count, struct usage *out, struct err *err);

/* Durations in nanoseconds. Zero-initialise; past SAMPLES_MAX they are refused with ERR_LIMIT. */
struct samples {
    uint64_t *ns;
    size_t count, cap;
};
int samples_add(struct samples *s, uint64_t ns); /* ERR_NOMEM, ERR_LIMIT */
void samples_sort(struct samples *s);
double samples_us(const struct samples *s, double part); /* sorted; part of 1, nearest rank; 0 when empty */
void samples_done(struct samples *s);

#endif

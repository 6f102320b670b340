/*
 * measure: reading clocks, /proc, and sorted samples.
 */
#include "measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

static uint64_t ns_of(const struct timespec *t)
{
    return (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_nsec;
}

uint64_t measure_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return ns_of(&t);
}

int measure_cpu(pid_t pid, uint64_t *ns, struct err *err)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return err_set(err, ERR_NOTFOUND, "no process %d to measure", (int)pid);
    *ns = ns_of(&t);
    return 0;
}

int measure_rss(pid_t pid, uint64_t *kib, struct err *err)
{
    char path[64], line[256];
    unsigned long long value = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return err_set(err, ERR_NOTFOUND, "no process %d to measure", (int)pid);
    while (fgets(line, sizeof line, f) && sscanf(line, "VmRSS: %llu kB", &value) != 1)
        ;
    fclose(f);
    *kib = value;
    return 0;
}

int measure_usage(const pid_t *pids, size_t count, struct usage *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++) {
        uint64_t ns, kib;
        int rc = measure_cpu(pids[i], &ns, err);
        if (rc == 0)
            rc = measure_rss(pids[i], &kib, err);
        if (rc < 0)
            return rc;
        out->cpu_ns += ns;
        out->rss_kib += kib;
    }
    return 0;
}

int samples_add(struct samples *s, uint64_t ns)
{
    if (s->count == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 4096;
        if (cap > SAMPLES_MAX)
            return ERR_LIMIT;
        uint64_t *bigger = mem_realloc(s->ns, cap * sizeof *bigger);
        if (!bigger)
            return ERR_NOMEM;
        s->ns = bigger;
        s->cap = cap;
    }
    s->ns[s->count++] = ns;
    return 0;
}

static int ascending(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

void samples_sort(struct samples *s)
{
    if (s->count)
        qsort(s->ns, s->count, sizeof *s->ns, ascending);
}

double samples_us(const struct samples *s, double part)
{
    if (!s->count)
        return 0;
    size_t rank = (size_t)ceil(part * (double)s->count);
    rank = rank < 1 ? 1 : rank > s->count ? s->count : rank;
    return (double)s->ns[rank - 1] / 1000.0;
}

void samples_done(struct samples *s)
{
    mem_free(s->ns);
    memset(s, 0, sizeof *s);
}

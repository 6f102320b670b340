/*
 * backoff: how long to pause before the next attempt, and whether the machine slept meanwhile.
 *
 * Pure functions but for the randomness of the jitter. Thread: any.
 */
#ifndef ADIT_PROXY_BACKOFF_H
#define ADIT_PROXY_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_FIRST_MS 500 /* the first attempt after a loss starts within this */
#define BACKOFF_MIN_MS 1000  /* pause after the first failure */
#define BACKOFF_MAX_MS 60000

/* Without jitter: 0 for no failure, then 1 s, 2 s, 4 s … 60 s. */
uint64_t backoff_base(uint32_t failures);

/* What to wait: 0 – 500 ms when nothing failed yet, else the base ± 25 %. */
uint64_t backoff_pause(uint32_t failures);

/* Two clocks read together: the wall clock runs on while the machine sleeps, the monotonic one does not. */
struct backoff_nap {
    uint64_t wall_ms, mono_ms; /* at the last check; both 0 before the first */
};

/* To be called every `period_ms`. True when the machine was asleep, or this process stood still, since the
 * last call. */
bool backoff_nap_check(struct backoff_nap *n, uint64_t wall_ms, uint64_t mono_ms, uint64_t period_ms);

#endif

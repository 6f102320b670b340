/*
 * backoff: exponential pauses with jitter, and noticing a sleep.
 */
#include "backoff.h"

#include "base/clock.h"

#define NAP_MS 10000 /* shorter gaps are a busy machine, not a sleeping one */

uint64_t backoff_base(uint32_t failures)
{
    if (failures == 0)
        return 0;
    if (failures > 6)
        return BACKOFF_MAX_MS;
    uint64_t ms = (uint64_t)BACKOFF_MIN_MS << (failures - 1);
    return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

uint64_t backoff_pause(uint32_t failures)
{
    if (failures == 0)
        return clock_jitter(BACKOFF_FIRST_MS / 2, 100);
    uint64_t ms = clock_jitter(backoff_base(failures), 25);
    return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

bool backoff_nap_check(struct backoff_nap *n, uint64_t wall_ms, uint64_t mono_ms, uint64_t period_ms)
{
    bool first = n->wall_ms == 0 && n->mono_ms == 0;
    uint64_t mono = mono_ms - n->mono_ms;
    /* The wall clock may have been set back: that is no sleep. */
    uint64_t wall = wall_ms > n->wall_ms ? wall_ms - n->wall_ms : 0;
    n->wall_ms = wall_ms;
    n->mono_ms = mono_ms;
    if (first)
        return false;
    return mono > period_ms + NAP_MS || wall > mono + NAP_MS;
}

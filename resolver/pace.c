/*
 * pace: one virtual clock a subscription (the generic cell rate algorithm): it runs ahead of the real one by
 * what has been taken, and may be PACE_BURST reads ahead.
 */
#include "pace.h"

#include "base/map.h"
#include "base/mem.h"

struct pace {
    struct clock *clock;
    struct map *ahead; /* subscription → uint64_t: until when what was taken lasts, clock_now() */
};

int pace_new(struct pace **out, struct clock *clock, struct err *err)
{
    struct pace *p = mem_zalloc(sizeof(*p));
    struct map *ahead = map_new(true);
    if (!p || !ahead) {
        mem_free(p);
        map_free(ahead, NULL);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    p->clock = clock;
    p->ahead = ahead;
    *out = p;
    return 0;
}

void pace_free(struct pace *p)
{
    if (!p)
        return;
    map_free(p->ahead, mem_free);
    mem_free(p);
}

uint64_t pace_take(struct pace *p, const char *subscription, unsigned reads, uint64_t max_ms)
{
    uint64_t now = clock_now(p->clock), burst = (uint64_t)PACE_BURST * PACE_EVERY_MS;
    uint64_t *until = map_get(p->ahead, subscription);
    if (!until) {
        until = mem_zalloc(sizeof(*until));
        if (!until)
            return 0;
        if (map_set(p->ahead, subscription, until, NULL)) {
            mem_free(until);
            return 0;
        }
    }
    uint64_t next = (*until > now ? *until : now) + (uint64_t)reads * PACE_EVERY_MS;
    uint64_t wait = next > now + burst ? next - now - burst : 0;
    if (wait <= max_ms)
        *until = next;
    return wait;
}

/*
 * pool_policy: the decisions of a pool, apart from its mechanics.
 *
 * While the pool may grow, nothing but bulk joins bulk, bulk joins nothing interactive, and a stuck
 * connection gets nothing new. When it may not, the least bad connection is shared: a stuck one last, then
 * one of the other kind, then by number of flows.
 */
#include "pool_policy.h"

#define BEHIND_US 2000000

static bool clashes(const struct pool_load *c, enum pool_class cls)
{
    /* What says nothing of itself may be somebody's prompt: it does not start behind a transfer. */
    return (cls != POOL_BULK && c->flows[POOL_BULK] > 0) ||
           (cls == POOL_BULK && c->flows[POOL_INTERACTIVE] > 0);
}

/* How little it suits: 0 is best. What is unknown may yet turn out to be bulk, so it keeps off interactive
 * flows. */
static unsigned misfit(const struct pool_load *c, enum pool_class cls)
{
    if (c->stuck)
        return 3;
    if (clashes(c, cls))
        return 2;
    if (cls == POOL_UNKNOWN)
        return c->flows[POOL_INTERACTIVE] > 0 ? 1 : 0;
    return c->flows[POOL_UNKNOWN] > 0 ? 1 : 0;
}

static unsigned flow_count(const struct pool_load *c)
{
    return c->flows[POOL_INTERACTIVE] + c->flows[POOL_UNKNOWN] + c->flows[POOL_BULK];
}

struct pool_choice pool_policy_pick(const struct pool_load *conns, size_t count, enum pool_class cls,
                                    enum pool_growth growth)
{
    struct pool_choice choice = {POOL_WAIT, 0};
    bool busy = false;
    for (size_t i = 0; i < count; i++) {
        const struct pool_load *c = &conns[i];
        if (c->full)
            continue;
        if (growth != POOL_GROWTH_NONE && (c->stuck || clashes(c, cls)))
            continue;
        if (c->opening >= POOL_OPENING_MAX) {
            busy = true;
            continue;
        }
        if (choice.action == POOL_PICK) {
            const struct pool_load *best = &conns[choice.index];
            unsigned mine = misfit(c, cls), its = misfit(best, cls);
            if (mine > its || (mine == its && flow_count(c) >= flow_count(best)))
                continue;
        }
        choice = (struct pool_choice){POOL_PICK, i};
    }
    /* A connection that is merely busy with opens is soon free again. The first connection is the VM's
     * business. */
    if (choice.action == POOL_WAIT && !busy && count > 0 && growth == POOL_GROWTH_MAY)
        choice.action = POOL_GROW;
    return choice;
}

bool pool_policy_stuck(uint64_t oldest_open_ms, uint32_t rtt_us)
{
    return oldest_open_ms > POOL_STUCK_MS && oldest_open_ms > (uint64_t)rtt_us * 4 / 1000;
}

bool pool_policy_behind(unsigned opening, uint32_t rtt_us)
{
    return (uint64_t)opening * rtt_us > BEHIND_US;
}

bool pool_policy_retire(uint64_t idle_ms, size_t others, uint32_t idle_timeout_ms)
{
    return others > 0 &&
           (idle_ms >= POOL_SPARE_IDLE_MS || (idle_timeout_ms > 0 && idle_ms >= idle_timeout_ms));
}

enum pool_class pool_policy_class(uint16_t listen_port, uint16_t target_port, bool said_bulk)
{
    static const uint16_t interactive[] = {22, 3389, 5900};
    if (said_bulk)
        return POOL_BULK;
    for (size_t i = 0; i < sizeof interactive / sizeof interactive[0]; i++)
        if (listen_port == interactive[i] || target_port == interactive[i])
            return POOL_INTERACTIVE;
    return POOL_UNKNOWN;
}

/*
 * pool_policy: which connection a new flow gets, when the pool opens another one, and when it closes one.
 *
 * Pure functions of counts; any thread.
 */
#ifndef ADIT_PROXY_POOL_POLICY_H
#define ADIT_PROXY_POOL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What a flow is like. UNKNOWN ones become BULK by their traffic. */
enum pool_class { POOL_INTERACTIVE, POOL_UNKNOWN, POOL_BULK, POOL_CLASSES };

#define POOL_OPENING_MAX 128 /* opens under way on one connection; more wait in the pool's own line */
#define POOL_STUCK_MS                                                                                        \
    300 /* an open that takes longer, and longer than 4 round trips, holds up those behind it */
#define POOL_SPARE_IDLE_MS 60000 /* a second connection without a flow is closed after so long */

/* One connection that is up. */
struct pool_load {
    unsigned flows[POOL_CLASSES]; /* opening ones included */
    unsigned opening;
    bool stuck;  /* see POOL_STUCK_MS */
    bool full;   /* no further channel */
    bool behind; /* see pool_policy_behind() */
};

/* Whether the pool may have one connection more. */
enum pool_growth {
    POOL_GROWTH_NONE,      /* at its limit, or the last try failed a moment ago */
    POOL_GROWTH_UNDER_WAY, /* one is being opened: worth waiting for */
    POOL_GROWTH_MAY,
};

enum pool_action { POOL_PICK, POOL_GROW, POOL_WAIT };

struct pool_choice {
    enum pool_action action;
    size_t index; /* of the connection, for POOL_PICK */
};

struct pool_choice pool_policy_pick(const struct pool_load *conns, size_t count, enum pool_class cls,
                                    enum pool_growth growth);

/* An open that waits is slow beyond what the round trip explains. */
bool pool_policy_stuck(uint64_t oldest_open_ms, uint32_t rtt_us);

/* So many opens stand in line that, one after the other, they take longer than a user waits gladly: another
 * connection helps, though this one still takes them. */
bool pool_policy_behind(unsigned opening, uint32_t rtt_us);

/* Whether a connection without a flow for idle_ms is to be closed while `others` more are up. idle_timeout_ms
 * 0: none. The last one is the VM's business. */
bool pool_policy_retire(uint64_t idle_ms, size_t others, uint32_t idle_timeout_ms);

/* The class that ports suggest: 22, 3389 and 5900 on either side are interactive. */
enum pool_class pool_policy_class(uint16_t listen_port, uint16_t target_port, bool said_bulk);

#endif

/*
 * batch: look-ups that come together become one Resource Graph query.
 *
 * Those that arrive within a few milliseconds are gathered. Bare names are always asked of the Resource
 * Graph; qualified ones only when BATCH_MIN of them come together, else they are better asked directly. At
 * most LOOKUP_GRAPH_NAMES_MAX names a query, BATCH_FLYING_MAX queries at once, and BATCH_RATE_MAX within
 * BATCH_RATE_MS, which keeps clear of the 15 in 5 s that Azure grants; what comes meanwhile is gathered.
 * Thread: the loop's.
 */
#ifndef ADIT_RESOLVER_BATCH_H
#define ADIT_RESOLVER_BATCH_H

#include "base/list.h"
#include "lookup.h"

#define BATCH_QUIET_MS 5u  /* without a new one ends the gathering … */
#define BATCH_WAIT_MS 100u /* … and so does this time */
#define BATCH_MIN 4
#define BATCH_FLYING_MAX 2
#define BATCH_RATE_MAX 10
#define BATCH_RATE_MS 5000u

struct batch;

int batch_new(struct batch **out, struct azure *a, struct clock *clock, struct err *err); /* ERR_NOMEM */
void batch_free(struct batch *b); /* those who wait hear nothing; NULL is fine */

/* Where bare names are searched; count 0: every visible subscription. Copied. ERR_NOMEM. */
int batch_scope(struct batch *b, const char *const *guids, size_t count);

/* Someone who waits. The texts are borrowed until it is over. */
struct batch_wait {
    struct list node;         /* private, and so are the next three */
    struct batch_wait *same;  /* the next one of this name */
    size_t first, count;      /* of the VMs that fit */
    const char *subscription; /* GUID, with a group */
    const char *group;        /* "" for a bare name */
    const char *name;
    uint64_t deadline_at; /* clock_now() */
    /* Once. ask_directly: nobody asked the Resource Graph. Otherwise as lookup_graph_cb, with the VMs that
     * fit. */
    void (*cb)(struct batch_wait *w, bool ask_directly, struct resolver_facts *const *vms, size_t count,
               bool answered, const struct err *err);
};
void batch_wait_init(struct batch_wait *w);
int batch_join(struct batch *b, struct batch_wait *w); /* ERR_NOMEM */
void batch_leave(struct batch_wait *w);                /* silent; an idle one may be given */

#endif

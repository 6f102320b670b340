/*
 * forward: one forward of a VM: where it listens, the flows that came in there, and what they carried.
 *
 * Thread: the plane's loop, for every function here.
 */
#ifndef ADIT_PROXY_FORWARD_H
#define ADIT_PROXY_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "config/forward_spec.h"
#include "flow.h"
#include "listener.h"

struct forward {
    struct list node; /* vm.forwards */
    struct vm *vm;
    struct forward_spec spec;
    bool runtime; /* added by a request, not by the configuration */
    bool bulk;
    struct listener *listener; /* NULL: does not listen */
    struct list flows;         /* struct forward_flow.node */
    uint32_t flow_count;
    uint64_t flows_total, flows_failed;
    struct flow_counters bytes;
    struct err err; /* why it does not listen, or the last flow's failure; code 0 = none */
};

int forward_new(struct forward **out, struct vm *vm, const struct forward_spec *spec, bool runtime,
                struct err *err);
void forward_free(struct forward *f); /* stops listening, closes its flows; silent */

/* Binds; what listens already stays. The error is kept in f->err too. */
int forward_listen(struct forward *f, struct err *err);
void forward_mute(struct forward *f); /* no listening any more; flows go on */
void forward_stop(struct forward *f); /* no listening and no flows any more; counters stay */

/* Whether a and b are the same forward, however written. */
bool forward_is(const struct forward *f, const struct forward_spec *spec);

#endif

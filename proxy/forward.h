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

struct remote;

/* A flow and the forward that it belongs to. */
struct forward_flow {
    struct list node; /* forward.flows */
    struct forward *forward;
    struct flow *flow;
};

struct forward {
    struct list node; /* vm.forwards */
    struct vm *vm;
    struct forward_spec spec;
    bool runtime; /* added by a request, not by the configuration */
    bool bulk;
    struct listener *listener; /* NULL: does not listen here */
    struct remote *remote;     /* FORWARD_REMOTE: listens at the VM; else NULL */
    struct list flows;         /* struct forward_flow.node */
    uint32_t flow_count;
    uint64_t flows_total, flows_failed;
    struct flow_counters bytes;
    struct err err; /* why it does not listen, or the last flow's failure; code 0 = none */
};

int forward_new(struct forward **out, struct vm *vm, const struct forward_spec *spec, bool runtime,
                struct err *err);
void forward_free(struct forward *f); /* stops listening, closes its flows; silent */

/* Binds; what listens already stays. The error is kept in f->err too. A remote one begins to ask the VM. */
int forward_listen(struct forward *f, struct err *err);
void forward_mute(struct forward *f); /* no listening any more; flows go on */
void forward_stop(struct forward *f); /* no listening and no flows any more; counters stay */

const char *forward_listening(const struct forward *f); /* where, or NULL */
bool forward_pending(const struct forward *f);          /* the VM has not yet said whether it listens */

/* For remote.c: the options of a flow of it, whose `arg` is ff, and what its failure does. */
struct flow_options forward_flow_options(struct forward *f, struct forward_flow *ff);
void forward_flow_begun(struct forward *f, struct forward_flow *ff, struct flow *flow);
void forward_flow_failed(struct forward *f, const struct err *err, bool told);
enum pool_class forward_class(const struct forward *f);

/* Whether a and b are the same forward, however written. */
bool forward_is(const struct forward *f, const struct forward_spec *spec);

#endif

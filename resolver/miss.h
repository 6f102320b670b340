/*
 * miss: what a name that fits no VM may have been meant to be: from what is remembered, else by a query.
 */
#ifndef ADIT_RESOLVER_MISS_H
#define ADIT_RESOLVER_MISS_H

#include "nearest.h"
#include "resolver_private.h"

struct miss;

struct miss_options {
    struct resolver *resolver;
    const char *group, *name; /* borrowed until it is over */
    const char *subscription; /* the only one to look in; NULL: those that are searched for bare names */
    bool ask;                 /* the Resource Graph may be asked */
};

/* Exactly once, never inside miss_start(). nearest is borrowed and may be empty. */
typedef void (*miss_cb)(void *arg, const struct nearest *nearest);

int miss_start(struct miss **out, const struct miss_options *o, miss_cb cb, void *arg,
               struct err *err); /* ERR_NOMEM */
void miss_cancel(struct miss *m);

#endif

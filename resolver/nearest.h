/*
 * nearest: which VMs a name that fits none was perhaps meant to be.
 */
#ifndef ADIT_RESOLVER_NEAREST_H
#define ADIT_RESOLVER_NEAREST_H

#include "arm_id.h"
#include "base/err.h"

#define NEAREST_MAX 3

struct nearest {
    const char *group;                  /* "" for a bare name; borrowed */
    const char *name;                   /* borrowed */
    struct arm_vm_id best[NEAREST_MAX]; /* the nearest first */
    unsigned distance[NEAREST_MAX];
    size_t count;
};

void nearest_init(struct nearest *n, const char *group, const char *name);
void nearest_offer(struct nearest *n, const struct arm_vm_id *vm);

/* Adds "; did you mean rg-web/web1 or rg-lab/web2?" when there is any. */
void nearest_hint(const struct nearest *n, struct err *err);

#endif

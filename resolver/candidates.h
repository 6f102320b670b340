/*
 * candidates: what to say when a bare name fits no VM or several.
 */
#ifndef ADIT_RESOLVER_CANDIDATES_H
#define ADIT_RESOLVER_CANDIDATES_H

#include "arm_id.h"
#include "facts.h"

/* count 0: ERR_NOTFOUND with what to check. count > 1: ERR_AMBIGUOUS with the candidates in order, each as it
 * may be written: group/name, or subscription/group/name where they lie in several subscriptions. Returns the
 * code. */
int candidates_of_facts(struct err *err, const char *name, struct resolver_facts *const *vms, size_t count);
int candidates_of_ids(struct err *err, const char *name, const struct arm_vm_id *vms, size_t count);

#endif

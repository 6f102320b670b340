/*
 * status: a worker's VMs as values for the main loop.
 */
#ifndef ADIT_PROXY_STATUS_H
#define ADIT_PROXY_STATUS_H

#include <stddef.h>

#include "proxy.h"

struct plane;

/* One record a VM, in the plane's order; the ids go into ids[] in the same order. *out and *ids are the
 * caller's. Thread: the plane's loop. ERR_NOMEM. */
int status_take(const struct plane *plane, struct proxy_vm_status **out, uint64_t **ids, size_t *count);

void status_free(struct proxy_vm_status *vms, size_t count); /* NULL is fine */
void status_done(struct proxy_vm_status *vm);                /* what one record holds */

#endif

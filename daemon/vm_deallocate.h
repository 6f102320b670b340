/*
 * vm_deallocate: sees to it that a VM is deallocated, so that it costs no computing any more.
 *
 * Thread: the main loop's.
 */
#ifndef ADIT_DAEMON_VM_DEALLOCATE_H
#define ADIT_DAEMON_VM_DEALLOCATE_H

#include "daemon_private.h"

struct vm_deallocate;

/* Exactly once, never inside vm_deallocate_begin(). err NULL: it is deallocated; `changed` tells whether it
 * was not. */
typedef void (*vm_deallocate_cb)(void *arg, bool changed, const struct err *err);

/* vm (copied) must be known by a name; ERR_INVAL for one with an address only. ERR_NOMEM, and as
 * resolver_lookup(). deadline_ms is for all of it; what ARM has begun goes on. */
int vm_deallocate_begin(struct vm_deallocate **out, struct daemon *d, const struct config_vm *vm,
                        uint32_t deadline_ms, vm_deallocate_cb cb, void *arg, struct err *err);
void vm_deallocate_cancel(struct vm_deallocate *s); /* synchronous and silent */

/* What it is doing, for people: "deallocating". */
const char *vm_deallocate_text(const struct vm_deallocate *s);

#endif

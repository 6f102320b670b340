/*
 * vm_start: sees to it that a VM runs: looks at its power state, and starts it through ARM when it is off.
 *
 * Thread: the main loop's.
 */
#ifndef ADIT_DAEMON_VM_START_H
#define ADIT_DAEMON_VM_START_H

#include "daemon_private.h"

struct vm_start;

/* Exactly once, never inside vm_start_begin(). err NULL: it runs, or is on its way to; `started` tells
 * whether it was off. */
typedef void (*vm_start_cb)(void *arg, bool started, const struct err *err);

/* vm (copied) must be known by a name; ERR_INVAL for one with an address only. ERR_NOMEM, and as
 * resolver_lookup(). deadline_ms is for all of it; what ARM has begun goes on. */
int vm_start_begin(struct vm_start **out, struct daemon *d, const struct config_vm *vm, uint32_t deadline_ms,
                   vm_start_cb cb, void *arg, struct err *err);
void vm_start_cancel(struct vm_start *s); /* synchronous and silent */

/* What it is doing, for people: "starting". */
const char *vm_start_text(const struct vm_start *s);

#endif

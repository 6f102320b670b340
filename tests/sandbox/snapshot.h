/*
 * snapshot: the state of the world as ARM and the VMs have it, in a form that two moments can be compared by.
 */
#ifndef ADIT_SANDBOX_SNAPSHOT_H
#define ADIT_SANDBOX_SNAPSHOT_H

#include "base/err.h"

struct sandbox;

/* Canonical JSON: members sorted, no times, no etags. free() it; NULL: out of memory. */
char *snapshot_text(struct sandbox *sb);

#endif

/*
 * overlay_private: one VM's gaps filled, as the files of the overlay share it.
 *
 * Private to config/. Thread: none of its own.
 */
#ifndef ADIT_CONFIG_OVERLAY_PRIVATE_H
#define ADIT_CONFIG_OVERLAY_PRIVATE_H

#include "overlay.h"

/* Settings and note; not `via`. ERR_NOMEM. */
int overlay_fill(struct config_vm *vm, const struct ssh_truth *t, const char *trouble);

/* Adds to the note of a VM what of its ssh_config does not hold. ERR_NOMEM. */
int overlay_note(struct config_vm *vm, const char *text);

/* The VM of `c` that a jump means as it is: nobody else's user, no other port. NULL for none. */
const struct config_vm *overlay_jump_vm(const struct config *c, const struct overlay_jump *j);

#endif

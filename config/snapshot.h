/*
 * snapshot: builds the immutable configuration from what libcyaml read, and counts its references.
 *
 * Private to config/. Thread: building has none of its own; references are atomic.
 */
#ifndef ADIT_CONFIG_SNAPSHOT_H
#define ADIT_CONFIG_SNAPSHOT_H

#include "config.h"
#include "schema.h"

struct map;

/* `path` (absolute) may be NULL: the built-in configuration. The file was checked before; what is wrong in
 * spite of that gives ERR_CONFIG. ERR_NOMEM. *out has one reference. */
int snapshot_build(const struct config **out, const struct raw_config *raw, const char *path,
                   struct err *err);

/* A snapshot like `base`, of which it holds a reference, with no VM yet and room for `room` of them; the
 * caller adds them to config->vms (up to vm_count, which it counts) and to the map. ERR_NOMEM. */
int snapshot_derive(struct config **out, struct map **by_alias, const struct config *base, size_t room);

/* Frees what a VM owns, not the struct. */
void snapshot_vm_done(struct config_vm *vm);

#endif

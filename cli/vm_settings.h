/*
 * vm_settings: the settings in force for one VM, and where each comes from.
 */
#ifndef ADIT_CLI_VM_SETTINGS_H
#define ADIT_CLI_VM_SETTINGS_H

#include <jansson.h>

#include "base/err.h"

/* vm: an entry of the configuration in use. ERR_NOMEM. */
int vm_settings_print(const json_t *vm, struct err *err);

/* The entry of this name in `config`; NULL for none. Borrowed. */
const json_t *vm_settings_find(const json_t *config, const char *name);

#endif

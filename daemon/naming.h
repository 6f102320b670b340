/*
 * naming: which VM a user means.
 */
#ifndef ADIT_DAEMON_NAMING_H
#define ADIT_DAEMON_NAMING_H

#include "daemon_private.h"

struct named_vm {
    struct config_vm *vm; /* owned: config_vm_free() */
    bool adhoc;           /* the configuration does not have it (or not with this user) */
};

/* typed: an alias, a VM's name in any form, an address, "user@" in front perhaps. A name that the
 * configuration has under an alias is that VM: it shares its connections. user: NULL or who to log in as, as
 * with "user@". ERR_INVAL, ERR_NOMEM. */
int naming_find(const struct daemon *d, const char *typed, const char *user, struct named_vm *out,
                struct err *err);

#endif

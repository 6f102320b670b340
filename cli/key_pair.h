/*
 * key_pair: the public key that a user names, and a new key pair for one who has none.
 */
#ifndef ADIT_CLI_KEY_PAIR_H
#define ADIT_CLI_KEY_PAIR_H

#include <stdbool.h>

#include "base/err.h"

/* The line of a .pub file; mem_free() it. NULL with err: ERR_NOTFOUND, ERR_DENIED, ERR_INVAL (it is the
 * private half, or holds no line), ERR_LIMIT. What the line says is checked by the daemon. */
char *key_pair_read(const char *path, struct err *err);

/* Runs ssh-keygen for `path` and path.pub. quiet: no passphrase and no questions, else it asks on the
 * terminal. ERR_EXISTS (path is there already), ERR_NOTFOUND (no ssh-keygen), ERR_SYSTEM. */
int key_pair_make(const char *path, bool quiet, struct err *err);

#endif

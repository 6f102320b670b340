/*
 * ssh_settings: the settings that `defaults:` and a VM share, and how one overrides the other.
 *
 * Private to config/. Thread: none of its own.
 */
#ifndef ADIT_CONFIG_SSH_SETTINGS_H
#define ADIT_CONFIG_SSH_SETTINGS_H

#include "config.h"
#include "schema.h"

/* What holds when the file says nothing: the user who runs us, the usual key files of ~/.ssh that exist.
 * ERR_NOMEM. */
int ssh_settings_builtin(struct config_ssh *out, struct err *err);

/* `out` is what was set in raw on top of `base`; paths are taken from base_dir. ERR_NOMEM, ERR_CONFIG. */
int ssh_settings_apply(struct config_ssh *out, const struct config_ssh *base, const struct raw_ssh *raw,
                       const char *base_dir, struct err *err);

/* Takes over from ssh what `to` was not given: the members whose bits `set` has. ERR_NOMEM. */
int ssh_settings_fill(struct config_ssh *to, const struct config_ssh *ssh, uint32_t set);

int ssh_settings_copy(struct config_ssh *out, const struct config_ssh *in); /* ERR_NOMEM */
void ssh_settings_done(struct config_ssh *s);
bool ssh_settings_equal(const struct config_ssh *a, const struct config_ssh *b);
bool ssh_settings_same_identities(const struct config_ssh *a, const struct config_ssh *b);

#endif

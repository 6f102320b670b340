/*
 * ssh_unhonoured: what a user's ssh_config asks for and adit does not do.
 *
 * Private to config/. Pure; any thread.
 */
#ifndef ADIT_CONFIG_SSH_UNHONOURED_H
#define ADIT_CONFIG_SSH_UNHONOURED_H

#include "ssh_lines.h"
#include "ssh_truth.h"

/* Notes the keywords of `said` that neither `builtin` has, nor, for what distributions set for everybody,
 * `system`. ERR_NOMEM. */
int ssh_unhonoured_find(struct ssh_truth *t, const struct ssh_lines *said, const struct ssh_lines *builtin,
                        const struct ssh_lines *system);

/* Is this command adit itself, with this subcommand? */
bool ssh_unhonoured_own(const char *command, const char *subcommand);

#endif

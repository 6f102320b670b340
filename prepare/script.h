/*
 * script: the scripts that Run Command runs on a VM.
 *
 * Nothing a user or a file said is ever part of a script's text but as base64 between single quotes: no
 * character of it can be taken for a command. Each returns a new string (mem_free), NULL when out of memory.
 * Lines end in \n. Sources: Run Command (RunShellScript, RunPowerShellScript: 4096 last bytes of output);
 * sshd(8).
 */
#ifndef ADIT_PREPARE_SCRIPT_H
#define ADIT_PREPARE_SCRIPT_H

#include <stdbool.h>

#include "base/err.h"
#include "plan.h"

struct json_t;

/* Adds plan->public_key for plan->user unless it is there: administrators_authorized_keys on Windows (owner,
 * inheritance and rights by SID, so that it works on a Windows of any language) for an administrator, the
 * user's own ~/.ssh/authorized_keys otherwise. Prints one line: "adit: added" or "adit: present", or fails
 * with a reason on standard error. */
char *script_key_add(const struct plan *p);
/* Takes exactly that line away: "adit: removed" or "adit: absent". */
char *script_key_remove(const struct plan *p);
/* Prints the sshd's public host keys, one a line between "adit: host keys" and "adit: end". */
char *script_host_keys(bool windows);

/* What Run Command answered (value[] of a reply, of either system's shape): standard output and standard
 * error as new strings, without control characters but tab and newline; a failed script that wrote no error
 * is told by what ARM says of it. ERR_PROTOCOL, ERR_NOMEM. result as of azure_lro_cb. */
int script_output(const struct json_t *result, char **out, char **bad, struct err *err);

#endif

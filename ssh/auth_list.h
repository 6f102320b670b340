/*
 * auth_list: which keys are tried, in which order. Private to ssh/.
 */
#ifndef ADIT_SSH_AUTH_LIST_H
#define ADIT_SSH_AUTH_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent.h"
#include "auth_jobs.h"

struct ssh_candidate {
    const uint8_t *blob; /* borrowed from the keyring or the agent's keys; NULL: only unlocking will tell */
    size_t blob_len;
    char type[64];
    bool agent;
    const char *name; /* the file, or the agent's comment */
    size_t index;     /* in the keyring, for a file */
};

/* First the agent's keys that are also given as files, in the order of the files; then the agent's others;
 * then the files that the agent does not hold and that can sign, or could (may_unlock) once somebody has been
 * asked for their passphrase. *out: mem_free() it. ERR_NOMEM. */
int ssh_auth_candidates(struct ssh_candidate **out, size_t *count, const struct ssh_keyring *ring,
                        const struct ssh_agent_keys *agent, bool may_unlock);

/* Takes out what is not to be tried: with identities_only, the agent's keys that are not also given as files;
 * keys of types that `algorithms` (comma-separated; NULL: all) does not have, RSA by any of its names. Gives
 * how many are left. */
size_t ssh_auth_leave_out(struct ssh_candidate *list, size_t n, const struct ssh_keyring *ring,
                          bool identities_only, const char *algorithms);

/* Does the agent hold this file's key? */
bool ssh_auth_agent_has(const struct ssh_agent_keys *agent, const struct ssh_keyfile *file);

#endif

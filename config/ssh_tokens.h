/*
 * ssh_tokens: the tokens and ~ that `ssh -G` prints as they stand in ssh_config(5).
 *
 * Private to config/. Pure; any thread.
 */
#ifndef ADIT_CONFIG_SSH_TOKENS_H
#define ADIT_CONFIG_SSH_TOKENS_H

#include "base/err.h"
#include "ssh_truth.h"

struct ssh_tokens {
    const struct ssh_truth_who *who;
    const char *name;  /* %n, as typed */
    const char *host;  /* %h, HostName */
    const char *alias; /* %k, HostKeyAlias, else as typed */
    const char *port;  /* %p */
    const char *user;  /* %r */
};

/* ERR_UNSUPPORTED for a token that is not known here (%C, %j, …); ERR_NOMEM. */
int ssh_tokens_expand(char **out, const char *text, const struct ssh_tokens *t, struct err *err);

/* The same, and ~ and relative paths become absolute. */
int ssh_tokens_path(char **out, const char *text, const struct ssh_tokens *t, struct err *err);

#endif

/*
 * ssh_block: Host blocks of ssh_config(5) that lead ssh to a VM through adit.
 */
#ifndef ADIT_CLI_SSH_BLOCK_H
#define ADIT_CLI_SSH_BLOCK_H

#include "base/strbuf.h"
#include "config/config.h"

struct ssh_block {
    const char *patterns; /* behind "Host" */
    const char *command;  /* self_command() */
    const struct config_ssh *ssh;
    bool user;                  /* say who logs in */
    const char *host_key_alias; /* the resource ID, or NULL */
};

/* ERR_INVAL: a value that ssh_config cannot carry (a control character). */
int ssh_block_add(struct strbuf *out, const struct ssh_block *b, struct err *err);

#endif

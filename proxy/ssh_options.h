/*
 * ssh_options: what a VM's configuration means for an SSH connection to it.
 */
#ifndef ADIT_PROXY_SSH_OPTIONS_H
#define ADIT_PROXY_SSH_OPTIONS_H

#include <stdbool.h>

#include "config/config.h"
#include "resolver/facts.h"
#include "ssh/ssh.h"

/* Texts that the options point to. */
struct ssh_options_text {
    char host[1024];
    char label[512];
};

struct ssh_options_place {
    const char *known_hosts;  /* path */
    const char *agent_socket; /* or NULL */
};

/* Sets everything but loop, clock, ready, pool and ask. facts: what is known of the VM, or NULL for one that
 * is an address. All of it is borrowed: it must live as long as *out is used. */
void ssh_options_fill(struct ssh_conn_options *out, struct ssh_options_text *text, const struct config_vm *vm,
                      const struct resolver_facts *facts, const struct ssh_options_place *place);

/* Whose host key is expected, alone. */
void ssh_options_host(struct ssh_hostid_want *out, struct ssh_options_text *text, const struct config_vm *vm,
                      const struct resolver_facts *facts, const char *known_hosts);

#endif

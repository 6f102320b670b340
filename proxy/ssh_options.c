/*
 * ssh_options: what a VM's configuration means for an SSH connection to it.
 */
#include "ssh_options.h"

#include <stdio.h>

#include "base/mem.h"

#define HANDSHAKE_MIN_MS 10000

static const char *engine_name(enum config_engine e)
{
    return e == CONFIG_ENGINE_LIBSSH2 ? "libssh2" : e == CONFIG_ENGINE_NATIVE ? "native" : "auto";
}

static enum ssh_hostid_policy policy_of(const struct config_ssh *ssh)
{
    switch (ssh->host_key_check) {
    case CONFIG_HOST_KEY_ACCEPT_NEW:
        return SSH_HOSTID_ACCEPT_NEW;
    case CONFIG_HOST_KEY_ASK:
        return SSH_HOSTID_ASK;
    case CONFIG_HOST_KEY_ARM:
        return SSH_HOSTID_ARM;
    case CONFIG_HOST_KEY_STRICT:
        break;
    }
    return SSH_HOSTID_STRICT;
}

/* The name under which the host's key is kept: what the user's ssh_config says, the VM, or the address where
 * no VM is behind it. */
static void host_name(struct ssh_options_text *text, const struct config_vm *vm,
                      const struct resolver_facts *facts)
{
    const struct config_ssh *ssh = &vm->ssh;
    if (ssh->host_key_alias)
        snprintf(text->host, sizeof text->host, "%s", ssh->host_key_alias);
    else if (facts)
        snprintf(text->host, sizeof text->host, "%s", facts->id);
    else
        snprintf(text->host, sizeof text->host, ssh->port == 22 ? "%s" : "[%s]:%u", vm->vm.name, ssh->port);
}

void ssh_options_host(struct ssh_hostid_want *out, struct ssh_options_text *text, const struct config_vm *vm,
                      const struct resolver_facts *facts, const char *known_hosts)
{
    char *name = vm_name_text(&vm->vm);
    host_name(text, vm, facts);
    snprintf(text->label, sizeof text->label, "vm %s (%s)", vm->alias, name ? name : "?");
    mem_free(name);
    *out = (struct ssh_hostid_want){.file = vm->ssh.known_hosts ? vm->ssh.known_hosts : known_hosts,
                                    .host = text->host,
                                    .vm_id = facts ? facts->vm_id : NULL,
                                    .label = text->label,
                                    .policy = policy_of(&vm->ssh)};
}

void ssh_options_fill(struct ssh_conn_options *out, struct ssh_options_text *text, const struct config_vm *vm,
                      const struct resolver_facts *facts, const struct ssh_options_place *place)
{
    const struct config_ssh *ssh = &vm->ssh;
    uint32_t timeout_ms =
        ssh->connect_timeout_ms > HANDSHAKE_MIN_MS ? ssh->connect_timeout_ms : HANDSHAKE_MIN_MS;
    *out = (struct ssh_conn_options){
        .engine = engine_name(ssh->engine),
        .user = ssh->user,
        .identities = (const char *const *)ssh->identities,
        .identity_count = ssh->identity_count,
        .identities_only = ssh->identities_only,
        .key_algorithms = ssh->key_algorithms,
        .algorithms = {.ciphers = ssh->ciphers,
                       .kex = ssh->kex,
                       .macs = ssh->macs,
                       .host_keys = ssh->host_key_algorithms},
        .agent_socket = !ssh->agent         ? NULL
                        : ssh->agent_socket ? ssh->agent_socket
                                            : place->agent_socket,
        .may_ask_password = ssh->password,
        .handshake_timeout_ms = timeout_ms,
        .keepalive_ms = ssh->keepalive_ms,
        .keepalive_count = ssh->keepalive_count,
        .wake = ssh->wake_session == CONFIG_WAKE_AUTO,
    };
    ssh_options_host(&out->host, text, vm, facts, place->known_hosts);
}

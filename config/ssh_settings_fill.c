/*
 * ssh_settings_fill: what adit.yaml leaves open, taken from what ssh said.
 */
#include "base/mem.h"
#include "ssh_settings.h"

static int fill_identities(struct config_ssh *to, const struct config_ssh *ssh)
{
    char **list = mem_calloc(ssh->identity_count + 1, sizeof *list);
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < ssh->identity_count; i++)
        ok = (list[i] = mem_strdup(ssh->identities[i])) != NULL;
    if (!ok) {
        for (size_t i = 0; list && i < ssh->identity_count; i++)
            mem_free(list[i]);
        mem_free(list);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < to->identity_count; i++)
        mem_free(to->identities[i]);
    mem_free(to->identities);
    to->identities = list;
    to->identity_count = ssh->identity_count;
    return 0;
}

#define FILL(key, member)                                                                                    \
    do {                                                                                                     \
        if (set & (key))                                                                                     \
            to->member = ssh->member;                                                                        \
    } while (0)

int ssh_settings_fill(struct config_ssh *to, const struct config_ssh *ssh, uint32_t set)
{
    const struct {
        uint32_t key;
        char **to;
        const char *from;
    } texts[] = {
        {CONFIG_KEY_USER, &to->user, ssh->user},
        {CONFIG_KEY_AGENT, &to->agent_socket, ssh->agent_socket},
        {CONFIG_KEY_KNOWN_HOSTS, &to->known_hosts, ssh->known_hosts},
        {CONFIG_KEY_HOST_KEY_ALIAS, &to->host_key_alias, ssh->host_key_alias},
        {CONFIG_KEY_CIPHERS, &to->ciphers, ssh->ciphers},
        {CONFIG_KEY_KEX, &to->kex, ssh->kex},
        {CONFIG_KEY_MACS, &to->macs, ssh->macs},
        {CONFIG_KEY_HOST_KEY_ALGORITHMS, &to->host_key_algorithms, ssh->host_key_algorithms},
        {CONFIG_KEY_KEY_ALGORITHMS, &to->key_algorithms, ssh->key_algorithms},
    };
    set &= ~to->given;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *text = (set & texts[i].key) ? mem_strdup(texts[i].from) : NULL;
        if (!(set & texts[i].key))
            continue;
        if (texts[i].from && !text)
            return ERR_NOMEM;
        mem_free(*texts[i].to);
        *texts[i].to = text;
    }
    if ((set & CONFIG_KEY_IDENTITY) && fill_identities(to, ssh) < 0)
        return ERR_NOMEM;
    FILL(CONFIG_KEY_PORT, port);
    FILL(CONFIG_KEY_IDENTITIES_ONLY, identities_only);
    FILL(CONFIG_KEY_AGENT, agent);
    FILL(CONFIG_KEY_PASSWORD, password);
    FILL(CONFIG_KEY_HOST_KEY_CHECK, host_key_check);
    FILL(CONFIG_KEY_FAMILY, family);
    FILL(CONFIG_KEY_CONNECT_TIMEOUT, connect_timeout_ms);
    FILL(CONFIG_KEY_KEEPALIVE, keepalive_ms);
    FILL(CONFIG_KEY_KEEPALIVE_COUNT, keepalive_count);
    to->from_ssh |= set;
    return 0;
}

/*
 * config_json_ssh: writes the settings of `defaults:` and of a VM as JSON, and where each comes from.
 */
#include "config_json.h"
#include "schema.h"

static const struct {
    uint32_t key;
    const char *name;
} KEYS[] = {
    {CONFIG_KEY_USER, "user"},
    {CONFIG_KEY_PORT, "port"},
    {CONFIG_KEY_VIA, "via"},
    {CONFIG_KEY_IDENTITY, "identity"},
    {CONFIG_KEY_IDENTITIES_ONLY, "identities-only"},
    {CONFIG_KEY_AGENT, "agent"},
    {CONFIG_KEY_PASSWORD, "password"},
    {CONFIG_KEY_HOST_KEY_CHECK, "host-key-check"},
    {CONFIG_KEY_KNOWN_HOSTS, "known-hosts"},
    {CONFIG_KEY_HOST_KEY_ALIAS, "host-key-alias"},
    {CONFIG_KEY_CIPHERS, "ciphers"},
    {CONFIG_KEY_KEX, "kex"},
    {CONFIG_KEY_MACS, "macs"},
    {CONFIG_KEY_HOST_KEY_ALGORITHMS, "host-key-algorithms"},
    {CONFIG_KEY_KEY_ALGORITHMS, "key-algorithms"},
    {CONFIG_KEY_FAMILY, "address-family"},
    {CONFIG_KEY_PREFER_PRIVATE_IP, "prefer-private-ip"},
    {CONFIG_KEY_ENGINE, "engine"},
    {CONFIG_KEY_WAKE_SESSION, "wake-session"},
    {CONFIG_KEY_CONNECT_TIMEOUT, "connect-timeout-ms"},
    {CONFIG_KEY_KEEPALIVE, "keepalive-ms"},
    {CONFIG_KEY_KEEPALIVE_COUNT, "keepalive-count"},
    {CONFIG_KEY_CONNECTIONS_MAX, "connections-max"},
    {CONFIG_KEY_IDLE_TIMEOUT, "idle-timeout-ms"},
    {CONFIG_KEY_SSH_CONFIG, "ssh-config"},
};

json_t *config_json_texts(char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < count; i++) {
        if (json_array_append_new(list, json_string(texts[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *config_json_ssh(const struct config_ssh *s)
{
    json_t *o = json_pack(
        "{s:s, s:i, s:o, s:b, s:b, s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "user", s->user,
        "port", (int)s->port, "identity", config_json_texts(s->identities, s->identity_count), "agent",
        (int)s->agent, "password", (int)s->password, "host-key-check",
        schema_host_key_check_word(s->host_key_check), "address-family", schema_family_word(s->family),
        "prefer-private-ip", (int)s->prefer_private_ip, "engine", schema_engine_word(s->engine),
        "wake-session", schema_wake_word(s->wake_session), "connect-timeout-ms",
        (json_int_t)s->connect_timeout_ms, "keepalive-ms", (json_int_t)s->keepalive_ms, "keepalive-count",
        (json_int_t)s->keepalive_count, "connections-max", (json_int_t)s->connections_max, "idle-timeout-ms",
        (json_int_t)s->idle_timeout_ms);
    json_t *more = json_pack(
        "{s:s, s:b, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "ssh-config", s->ssh_config,
        "identities-only", (int)s->identities_only, "agent-socket", s->agent_socket, "known-hosts",
        s->known_hosts, "host-key-alias", s->host_key_alias, "ciphers", s->ciphers, "kex", s->kex, "macs",
        s->macs, "host-key-algorithms", s->host_key_algorithms, "key-algorithms", s->key_algorithms);
    if (!o || !more || json_object_update(o, more) < 0) {
        json_decref(o);
        o = NULL;
    }
    json_decref(more);
    return o;
}

json_t *config_json_sources(const struct config_ssh *s, bool has_via)
{
    json_t *o = json_object();
    for (size_t i = 0; o && i < sizeof KEYS / sizeof KEYS[0]; i++) {
        uint32_t key = KEYS[i].key;
        const char *word = (s->given & key)                   ? "adit.yaml"
                           : (s->from_ssh & key)              ? "ssh_config"
                           : key == CONFIG_KEY_VIA && has_via ? "adit.yaml"
                                                              : "default";
        if (json_object_set_new(o, KEYS[i].name, json_string(word)) < 0) {
            json_decref(o);
            return NULL;
        }
    }
    return o;
}

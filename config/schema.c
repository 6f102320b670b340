/*
 * schema: the tables for libcyaml, and for the checker that runs before it.
 */
#include "schema.h"

#include <string.h>

#include "base/mem.h"

#define TEXT_MAX 1024
#define OPTIONAL CYAML_FLAG_OPTIONAL
/* Written back in quotes, so that text like 3389 or null stays text for every YAML reader. */
#define STRING_FLAGS (CYAML_FLAG_POINTER | CYAML_FLAG_SCALAR_QUOTE_DOUBLE)
#define LIST_FLAGS (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL | CYAML_FLAG_FLOW)

static const cyaml_strval_t cloud_words[] = {
    {"public", CONFIG_CLOUD_PUBLIC},
    {"usgov", CONFIG_CLOUD_USGOV},
    {"china", CONFIG_CLOUD_CHINA},
    {"custom", CONFIG_CLOUD_CUSTOM},
};
static const cyaml_strval_t host_key_check_words[] = {
    {"strict", CONFIG_HOST_KEY_STRICT},
    {"accept-new", CONFIG_HOST_KEY_ACCEPT_NEW},
    {"ask", CONFIG_HOST_KEY_ASK},
    {"arm", CONFIG_HOST_KEY_ARM},
};
static const cyaml_strval_t family_words[] = {
    {"any", CONFIG_FAMILY_ANY},
    {"ipv4", CONFIG_FAMILY_IPV4},
    {"ipv6", CONFIG_FAMILY_IPV6},
};
static const cyaml_strval_t engine_words[] = {
    {"auto", CONFIG_ENGINE_AUTO},
    {"libssh2", CONFIG_ENGINE_LIBSSH2},
    {"native", CONFIG_ENGINE_NATIVE},
};
static const cyaml_strval_t wake_words[] = {{"auto", CONFIG_WAKE_AUTO}, {"off", CONFIG_WAKE_OFF}};
static const cyaml_strval_t credential_words[] = {
    {"auto", 0}, {"environment", 1}, {"workload-identity", 2}, {"managed-identity", 3},
    {"cli", 4},  {"azd", 5},         {"device-code", 6},
};
static const cyaml_strval_t log_level_words[] = {{"debug", 0}, {"info", 1}, {"warn", 2}, {"error", 3}};

#define WORD_FIELD(key, type, member, words)                                                                 \
    CYAML_FIELD_ENUM_PTR(key, OPTIONAL | CYAML_FLAG_STRICT, type, member, words, CYAML_ARRAY_LEN(words))
#define STRING_FIELD(key, flags, type, member)                                                               \
    CYAML_FIELD_STRING_PTR(key, (flags) | STRING_FLAGS, type, member, 1, TEXT_MAX)
#define LIST_FIELD(key, type, member, count, entry, min, max)                                                \
    CYAML_FIELD_SEQUENCE_COUNT(key, LIST_FLAGS, type, member, count, entry, min, max)

static const cyaml_schema_value_t string_entry = {CYAML_VALUE_STRING(STRING_FLAGS, char, 1, TEXT_MAX)};
static const cyaml_schema_value_t port_entry = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint16_t)};

static const cyaml_schema_field_t azure_fields[] = {
    STRING_FIELD("subscription", OPTIONAL, struct raw_azure, subscription),
    LIST_FIELD("subscriptions", struct raw_azure, subscriptions, subscriptions_count, &string_entry, 0,
               SCHEMA_SUBSCRIPTIONS_MAX),
    STRING_FIELD("tenant", OPTIONAL, struct raw_azure, tenant),
    WORD_FIELD("cloud", struct raw_azure, cloud, cloud_words),
    STRING_FIELD("arm-endpoint", OPTIONAL, struct raw_azure, arm_endpoint),
    STRING_FIELD("login-endpoint", OPTIONAL, struct raw_azure, login_endpoint),
    STRING_FIELD("ca-file", OPTIONAL, struct raw_azure, ca_file),
    WORD_FIELD("credential", struct raw_azure, credential, credential_words),
    CYAML_FIELD_END,
};

/* What `defaults:` and each VM share; `at` is the path to the struct raw_ssh inside `type`. */
#define SSH_FIELDS(type, at)                                                                                 \
    STRING_FIELD("user", OPTIONAL, type, at user), CYAML_FIELD_UINT_PTR("port", OPTIONAL, type, at port),    \
        LIST_FIELD("identity", type, at identity, at identity_count, &string_entry, 1,                       \
                   SCHEMA_IDENTITIES_MAX),                                                                   \
        CYAML_FIELD_BOOL_PTR("agent", OPTIONAL, type, at agent),                                             \
        CYAML_FIELD_BOOL_PTR("password", OPTIONAL, type, at password),                                       \
        WORD_FIELD("host-key-check", type, at host_key_check, host_key_check_words),                         \
        WORD_FIELD("address-family", type, at address_family, family_words),                                 \
        CYAML_FIELD_BOOL_PTR("prefer-private-ip", OPTIONAL, type, at prefer_private_ip),                     \
        WORD_FIELD("engine", type, at engine, engine_words),                                                 \
        WORD_FIELD("wake-session", type, at wake_session, wake_words),                                       \
        STRING_FIELD("connect-timeout", OPTIONAL, type, at connect_timeout),                                 \
        STRING_FIELD("keepalive", OPTIONAL, type, at keepalive),                                             \
        CYAML_FIELD_UINT_PTR("keepalive-count", OPTIONAL, type, at keepalive_count),                         \
        CYAML_FIELD_UINT_PTR("connections-max", OPTIONAL, type, at connections_max),                         \
        STRING_FIELD("idle-timeout", OPTIONAL, type, at idle_timeout),                                       \
        STRING_FIELD("ssh-config", OPTIONAL, type, at ssh_config)

static const cyaml_schema_field_t defaults_fields[] = {
    SSH_FIELDS(struct raw_ssh, ),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t vm_fields[] = {
    STRING_FIELD("name", CYAML_FLAG_DEFAULT, struct raw_vm, name),
    STRING_FIELD("vm", OPTIONAL, struct raw_vm, vm),
    STRING_FIELD("id", OPTIONAL, struct raw_vm, id),
    STRING_FIELD("address", OPTIONAL, struct raw_vm, address),
    STRING_FIELD("via", OPTIONAL, struct raw_vm, via),
    SSH_FIELDS(struct raw_vm, ssh.),
    LIST_FIELD("local", struct raw_vm, local, local_count, &string_entry, 0, CONFIG_FORWARDS_MAX),
    LIST_FIELD("dynamic", struct raw_vm, dynamic, dynamic_count, &string_entry, 0, CONFIG_FORWARDS_MAX),
    LIST_FIELD("remote", struct raw_vm, remote, remote_count, &string_entry, 0, CONFIG_FORWARDS_MAX),
    LIST_FIELD("bulk", struct raw_vm, bulk, bulk_count, &port_entry, 0, CONFIG_FORWARDS_MAX),
    CYAML_FIELD_BOOL_PTR("up", OPTIONAL, struct raw_vm, up),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t vm_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_vm, vm_fields)};

static const cyaml_schema_field_t config_fields[] = {
    CYAML_FIELD_MAPPING_PTR("azure", CYAML_FLAG_POINTER | OPTIONAL, struct raw_config, azure, azure_fields),
    CYAML_FIELD_MAPPING_PTR("defaults", CYAML_FLAG_POINTER | OPTIONAL, struct raw_config, defaults,
                            defaults_fields),
    CYAML_FIELD_SEQUENCE_COUNT("vms", CYAML_FLAG_POINTER | OPTIONAL, struct raw_config, vms, vms_count,
                               &vm_entry, 0, CONFIG_VMS_MAX),
    CYAML_FIELD_UINT_PTR("workers", OPTIONAL, struct raw_config, workers),
    WORD_FIELD("log-level", struct raw_config, log_level, log_level_words),
    CYAML_FIELD_END,
};

const cyaml_schema_value_t schema_config = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_config, config_fields)};

static void *cyaml_memory(void *ctx, void *p, size_t size)
{
    (void)ctx;
    if (size > 0)
        return mem_realloc(p, size);
    mem_free(p);
    return NULL;
}

const cyaml_config_t schema_cyaml = {
    .mem_fn = cyaml_memory,
    .log_level = CYAML_LOG_ERROR,
    .flags = CYAML_CFG_NO_ALIAS | CYAML_CFG_STYLE_BLOCK,
};

static const char *word_of(const cyaml_strval_t *words, size_t count, int64_t value)
{
    for (size_t i = 0; i < count; i++)
        if (words[i].val == value)
            return words[i].str;
    return NULL;
}

static int value_of(const cyaml_strval_t *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i].str, word) == 0)
            return (int)words[i].val;
    return -1;
}

#define WORDS(table) table, CYAML_ARRAY_LEN(table)

const char *schema_cloud_word(enum config_cloud v)
{
    return word_of(WORDS(cloud_words), v);
}

const char *schema_host_key_check_word(enum config_host_key_check v)
{
    return word_of(WORDS(host_key_check_words), v);
}

const char *schema_family_word(enum config_family v)
{
    return word_of(WORDS(family_words), v);
}

const char *schema_engine_word(enum config_engine v)
{
    return word_of(WORDS(engine_words), v);
}

const char *schema_wake_word(enum config_wake v)
{
    return word_of(WORDS(wake_words), v);
}

const char *schema_credential_word(int v)
{
    return word_of(WORDS(credential_words), v);
}

const char *schema_log_level_word(int v)
{
    return word_of(WORDS(log_level_words), v);
}

int schema_credential_value(const char *word)
{
    return value_of(WORDS(credential_words), word);
}

int schema_log_level_value(const char *word)
{
    return value_of(WORDS(log_level_words), word);
}

/*
 * schema: adit.yaml's keys, types and limits, and the structs that libcyaml converts the file into.
 *
 * Private to config/. A raw struct mirrors the file: a NULL pointer is a key that is not there. Owned by
 * libcyaml's allocation hook, which is base/mem. Thread: none of its own.
 */
#ifndef ADIT_CONFIG_SCHEMA_H
#define ADIT_CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>

#include "config.h"

/* Numbers for the words of `credential:` and `log-level:`; the snapshot keeps the words. */
struct raw_azure {
    char *subscription;
    char **subscriptions;
    uint32_t subscriptions_count;
    char *tenant;
    enum config_cloud *cloud;
    char *arm_endpoint, *login_endpoint, *ca_file;
    int *credential;
};

struct raw_ssh {
    char *user;
    uint16_t *port;
    char **identity;
    uint32_t identity_count;
    bool *agent, *password, *prefer_private_ip;
    enum config_host_key_check *host_key_check;
    enum config_family *address_family;
    enum config_engine *engine;
    enum config_wake *wake_session;
    char *connect_timeout, *keepalive, *idle_timeout, *ssh_config;
    uint32_t *keepalive_count, *connections_max;
};

struct raw_vm {
    char *name, *vm, *id, *address, *via;
    struct raw_ssh ssh;
    char **local, **dynamic, **remote;
    uint32_t local_count, dynamic_count, remote_count;
    uint16_t *bulk;
    uint32_t bulk_count;
    bool *up;
};

struct raw_config {
    struct raw_azure *azure;
    struct raw_ssh *defaults;
    struct raw_vm *vms;
    uint32_t vms_count;
    uint32_t *workers;
    int *log_level;
};

extern const cyaml_schema_value_t schema_config; /* of struct raw_config */
extern const cyaml_config_t schema_cyaml;        /* silent, no aliases, base/mem */

#define SCHEMA_IDENTITIES_MAX 32
#define SCHEMA_SUBSCRIPTIONS_MAX 256

/* The words in the file for the values of an enum; NULL for a value that is none of them. */
const char *schema_cloud_word(enum config_cloud v);
const char *schema_host_key_check_word(enum config_host_key_check v);
const char *schema_family_word(enum config_family v);
const char *schema_engine_word(enum config_engine v);
const char *schema_wake_word(enum config_wake v);
const char *schema_credential_word(int v);
const char *schema_log_level_word(int v);
int schema_credential_value(const char *word); /* -1 for a word that is none of them */
int schema_log_level_value(const char *word);

#endif

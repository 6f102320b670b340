/*
 * config: adit.yaml as one immutable, reference-counted snapshot.
 *
 * Loading checks everything (keys, types, ranges, duplicates, forward specs, VM names, `via` loops, two
 * forwards at one listening address) and reports every error with file:line:column, not just the first.
 * Defaults are already applied: a reader never has to look at two places. Thread: any may hold a reference
 * and read; nothing in it changes.
 */
#ifndef ADIT_CONFIG_CONFIG_H
#define ADIT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "forward_spec.h"
#include "vm_name.h"

#define CONFIG_VMS_MAX 4096
#define CONFIG_FORWARDS_MAX 1024 /* of one VM */

enum config_cloud { CONFIG_CLOUD_PUBLIC, CONFIG_CLOUD_USGOV, CONFIG_CLOUD_CHINA, CONFIG_CLOUD_CUSTOM };
enum config_host_key_check {
    CONFIG_HOST_KEY_STRICT,
    CONFIG_HOST_KEY_ACCEPT_NEW,
    CONFIG_HOST_KEY_ARM,
    CONFIG_HOST_KEY_ASK
};
enum config_family { CONFIG_FAMILY_ANY, CONFIG_FAMILY_IPV4, CONFIG_FAMILY_IPV6 };
enum config_engine { CONFIG_ENGINE_AUTO, CONFIG_ENGINE_LIBSSH2, CONFIG_ENGINE_NATIVE };
enum config_wake { CONFIG_WAKE_AUTO, CONFIG_WAKE_OFF };

struct config_azure {
    char **subscriptions; /* `subscription:` or `subscriptions:`; may be empty: AZURE_SUBSCRIPTION_ID, then
                             all visible */
    size_t subscription_count;
    char *tenant; /* or NULL */
    enum config_cloud cloud;
    char *arm_endpoint;   /* https://host[:port], only with CUSTOM, else NULL */
    char *login_endpoint; /* likewise */
    char *ca_file;        /* or NULL; absolute */
    char *credential;     /* auto, environment, workload-identity, managed-identity, cli, azd, device-code */
};

/* A setting, as a bit: where its value comes from is kept in such sets. The ones after VIA have no key in
 * adit.yaml. */
enum config_key {
    CONFIG_KEY_USER = 1 << 0,
    CONFIG_KEY_PORT = 1 << 1,
    CONFIG_KEY_IDENTITY = 1 << 2,
    CONFIG_KEY_AGENT = 1 << 3,
    CONFIG_KEY_PASSWORD = 1 << 4,
    CONFIG_KEY_HOST_KEY_CHECK = 1 << 5,
    CONFIG_KEY_FAMILY = 1 << 6,
    CONFIG_KEY_PREFER_PRIVATE_IP = 1 << 7,
    CONFIG_KEY_ENGINE = 1 << 8,
    CONFIG_KEY_WAKE_SESSION = 1 << 9,
    CONFIG_KEY_CONNECT_TIMEOUT = 1 << 10,
    CONFIG_KEY_KEEPALIVE = 1 << 11,
    CONFIG_KEY_KEEPALIVE_COUNT = 1 << 12,
    CONFIG_KEY_CONNECTIONS_MAX = 1 << 13,
    CONFIG_KEY_IDLE_TIMEOUT = 1 << 14,
    CONFIG_KEY_SSH_CONFIG = 1 << 15,
    CONFIG_KEY_VIA = 1 << 16,
    CONFIG_KEY_IDENTITIES_ONLY = 1 << 17,
    CONFIG_KEY_KNOWN_HOSTS = 1 << 18,
    CONFIG_KEY_HOST_KEY_ALIAS = 1 << 19,
    CONFIG_KEY_CIPHERS = 1 << 20,
    CONFIG_KEY_KEX = 1 << 21,
    CONFIG_KEY_MACS = 1 << 22,
    CONFIG_KEY_HOST_KEY_ALGORITHMS = 1 << 23,
    CONFIG_KEY_KEY_ALGORITHMS = 1 << 24,
};

/* What `defaults:` may set and a VM may override; in a VM it is the effective value. */
struct config_ssh {
    uint32_t given;    /* enum config_key: what adit.yaml says */
    uint32_t from_ssh; /* what the user's ssh_config said where adit.yaml is silent (overlay.h) */
    char *ssh_config;  /* `ssh-config:` "auto", "off" or the absolute path of a file; never NULL */
    char *user;        /* never NULL; without any `user:` the user who runs the program, as ssh(1) does */
    uint16_t port;     /* of sshd; 22 */
    char **identities; /* private key files, absolute, in order; without any `identity:` the ones of
                        * ~/.ssh/id_ed25519, id_ecdsa, id_rsa that existed when the file was loaded */
    size_t identity_count;
    bool identities_only; /* of the agent's keys, only those that are also in identities; false */
    bool agent;           /* use an agent; true */
    char *agent_socket;   /* its path; NULL = $SSH_AUTH_SOCK */
    bool password;        /* may ask for a password (SSH_ASKPASS); true */
    enum config_host_key_check host_key_check;
    char *known_hosts;    /* NULL = adit's own file */
    char *host_key_alias; /* the name of its key there; NULL = the resource ID, or the address */
    char *ciphers, *kex, *macs, *host_key_algorithms; /* comma-separated, in order; NULL = the engine's own */
    char *key_algorithms;                             /* of keys to log in with; NULL = any */
    enum config_family family;
    bool prefer_private_ip;
    enum config_engine engine;
    enum config_wake wake_session;
    uint32_t connect_timeout_ms; /* a client of a forward waits this long for the VM; 15000 */
    uint32_t keepalive_ms;       /* 30000; 0 = off */
    uint32_t keepalive_count;    /* 3 */
    uint32_t connections_max;    /* of the pool for one VM; 4 */
    uint32_t idle_timeout_ms; /* close a connection that served no flow for so long; 0 = keep (the default) */
};

struct config_vm {
    char *alias;       /* `name:`; unique without regard to case */
    struct vm_name vm; /* from vm:, id: or address:; the alias itself when none is given */
    char *via;         /* alias or VM name of the VM through which this one is reached, or NULL */
    struct config_ssh ssh;
    struct forward_spec *forwards; /* local, then dynamic, then remote, each in the file's order */
    size_t forward_count;
    uint16_t *bulk_ports; /* listening ports said to be bulk */
    size_t bulk_count;
    bool up;    /* `up: false` keeps it down until asked for; true */
    char *note; /* what of the user's ssh_config does not hold for it, for people; or NULL */
};

struct config {
    char *path; /* of the file, absolute; NULL for the built-in empty configuration */
    struct config_azure azure;
    struct config_ssh defaults;
    struct config_vm *vms;
    size_t vm_count;
    bool filled;      /* what it left open was looked for in ssh_config (overlay.h) */
    size_t hop_count; /* the last so many of vms are no VMs of the file, but hosts of a ProxyJump */
    uint32_t workers; /* `workers:` data-plane threads; 0 = one a processor, at most 8 */
    char *log_level;  /* `log-level:` "info" */
};

/* One problem in the file. line and column count from 1; 0 when the file as a whole is meant. */
struct config_problem {
    uint32_t line, column;
    char text[256];
};

/* All problems of one load, in the order of the file. Zero-initialise; config_problems_done() after use. */
struct config_problems {
    struct config_problem *items;
    size_t count; /* at most 100; the last one says so when there are more */
};

/* Reads and checks `path`. NULL: the built-in defaults with no VM. On ERR_CONFIG `problems` (may be NULL)
 * holds every problem and err the first as "file:line:column: text". Also ERR_NOTFOUND, ERR_DENIED,
 * ERR_NOMEM. Blocking. */
int config_load(const struct config **out, const char *path, struct config_problems *problems,
                struct err *err);
void config_problems_done(struct config_problems *p);

const struct config *config_ref(const struct config *c); /* any thread */
void config_unref(const struct config *c);               /* any thread; NULL is fine */

/* NULL when there is none. Case does not count; "win11.adit" (ssh_config's Host *.adit) finds win11. */
const struct config_vm *config_vm_by_alias(const struct config *c, const char *alias);

/* The same by any name: an alias first, then the VM that has this name. */
const struct config_vm *config_vm_find(const struct config *c, const char *typed);

/* A VM that the configuration does not name, with the defaults applied: for `adit forward rg/vm …`. The
 * caller owns it. `user` may be NULL. The alias is the name as vm_name_text() writes it. ERR_INVAL,
 * ERR_NOMEM. */
int config_vm_adhoc(const struct config *c, const char *name, const char *user, struct config_vm **out,
                    struct err *err);
int config_vm_copy(const struct config_vm *in, struct config_vm **out); /* ERR_NOMEM */
void config_vm_free(struct config_vm *vm);
bool config_vm_is_bulk(const struct config_vm *vm, uint16_t listen_port);

/* What changed between two snapshots, by alias: first what was removed, then the rest in the order of
 * `after`. One call a VM; either snapshot may be NULL for an empty one. A VM whose reach (vm, via, ssh)
 * changed must reconnect; one whose forwards alone changed keeps its connections. */
enum config_change {
    CONFIG_VM_SAME,
    CONFIG_VM_ADDED,
    CONFIG_VM_REMOVED,
    CONFIG_VM_REACH_CHANGED,
    CONFIG_VM_FORWARDS_CHANGED
};
typedef void (*config_diff_cb)(void *arg, enum config_change change, const struct config_vm *before,
                               const struct config_vm *after);
/* The same for two of one VM: SAME, REACH_CHANGED or FORWARDS_CHANGED. Their aliases do not count. */
enum config_change config_vm_change(const struct config_vm *before, const struct config_vm *after);
void config_diff(const struct config *before, const struct config *after, config_diff_cb cb, void *arg);

/* The snapshot as JSON text (documented in adit.yaml(5)) or as YAML that loads back to an equal one, ending
 * with a newline; no secrets are in it. NULL when out of memory; mem_free(). */
char *config_to_json(const struct config *c);
char *config_to_yaml(const struct config *c);

#endif

/*
 * world: what exists in this Azure: subscriptions, resource groups, VMs and the state each is in.
 *
 * A world is read once from YAML (world_yaml.c; the default one is such a text too) and then changed by ARM
 * calls and by `adit-sandbox ctl`. Names compare without case, as in Azure. Thread: the main loop's.
 */
#ifndef ADIT_SANDBOX_WORLD_H
#define ADIT_SANDBOX_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"

#define WORLD_UUID_LEN 37     /* 36 characters and the NUL */
#define WORLD_VMS_MAX 2000    /* written out in a file */
#define WORLD_SCALE_MAX 20000 /* synthetic ones */
#define WORLD_SUBSCRIPTIONS_MAX 100
#define WORLD_RULES_MAX 100
#define WORLD_CALLER "203.0.113.7" /* of whoever calls, unless the file says another */

enum world_os { OS_LINUX, OS_WINDOWS };
enum world_public_ip { PUBLIC_STATIC, PUBLIC_DYNAMIC, PUBLIC_NONE };
enum world_initial { INITIAL_RUNNING, INITIAL_DEALLOCATED, INITIAL_STOPPED };

/* Where a VM has network security groups; and which of them a rule is in. */
enum world_nsgs { NSGS_NIC, NSGS_SUBNET, NSGS_BOTH, NSGS_NONE };
enum world_rule_access { RULE_ALLOW, RULE_DENY };
enum world_rule_direction { RULE_INBOUND, RULE_OUTBOUND };
enum world_rule_protocol { RULE_TCP, RULE_UDP, RULE_ANY };

/* A security rule more. */
struct world_rule {
    char *name;
    char *source; /* address, prefix, tag or "*"; several with commas; NULL = "*" */
    char *port;   /* "22", "20-25", "*"; several with commas; NULL = "22" */
    uint32_t priority;
    enum world_rule_access access;
    enum world_rule_direction direction;
    enum world_rule_protocol protocol;
    enum world_nsgs on; /* NSGS_NIC or NSGS_SUBNET; which the VM must have */
};

/* Whether access tokens say the address of the caller. */
enum world_caller { CALLER_CLAIM, CALLER_NONE };

/* What a VM lacks of the how-to's steps; bits. */
enum world_lack { LACK_EXTENSION = 1, LACK_RULE = 2, LACK_KEY = 4 };

/* Services beyond those that every VM has (services.h); bits. */
enum world_service { SERVICE_RDP = 1, SERVICE_HTTP = 2, SERVICE_POSTGRES = 4 };

/* A VM as the world file describes it; the names of the members are those of the YAML. */
struct world_vm {
    char *name;
    char *group;
    char *subscription; /* id; NULL = the first one */
    char *location;
    char *admin;     /* osProfile.adminUsername */
    char *scale_set; /* that it is an instance of, or NULL */
    char *alias;     /* its name in the written adit.yaml; NULL = not listed there */
    char *via;       /* alias of the VM through which adit.yaml reaches it, or NULL */
    enum world_os os;
    enum world_public_ip public_ip;
    enum world_initial power;
    uint32_t lacks;     /* enum world_lack */
    uint32_t services;  /* enum world_service */
    bool synthetic;     /* exists in ARM only: no process behind it (vm_synthetic.c) */
    bool uniform;       /* the scale set is a Uniform one; the VM is named SET_NUMBER then */
    bool secondary_ip;  /* an ipConfiguration more on the primary NIC, not primary, listed before it */
    bool ipv6;          /* an IPv6 ipConfiguration more, with a public address; only listed */
    bool load_balanced; /* its ipConfiguration is in a load balancer's pool */
    bool odd_casing;    /* ARM spells its ids in another case than it was asked in */
    bool decoy_nic;     /* a second NIC, not primary, listed before the primary one */
    char **local;       /* forwards written to adit.yaml */
    unsigned local_count;
    char **sshd; /* more lines for its sshd_config; the first of a kind wins, and these come first */
    unsigned sshd_count;
    enum world_nsgs nsg;
    struct world_rule *rules;
    unsigned rules_count;
};

struct world_subscription {
    char *id;
    char *name;
    char *tenant; /* that it belongs to; NULL = the world's */
};

/* The file. Owned by libcyaml: freed by world_file_free. */
struct world_file {
    char *tenant, *client, *secret;
    char *caller; /* address of whoever calls ARM, as the VMs see it */
    enum world_caller caller_address;
    unsigned operation_ms; /* how long a start or deallocate takes */
    unsigned token_seconds;
    unsigned device_seconds;      /* between two polls of a device code */
    unsigned page_size;           /* entries a page of a list */
    unsigned scale;               /* so many synthetic VMs more */
    unsigned scale_subscriptions; /* spread over so many subscriptions; 0 = those that there are */
    struct world_subscription *subscriptions;
    unsigned subscriptions_count;
    struct world_vm *vms;
    unsigned vms_count;
};

/* Which world: a file, or a fleet, or both; neither is the default world. */
struct world_choice {
    const char *path;              /* or NULL */
    unsigned scale, subscriptions; /* 0 = as the file says */
};

/* ERR_NOTFOUND, ERR_CONFIG with the line in the message, ERR_LIMIT. */
int world_file_load(struct world_file **out, const struct world_choice *choice, struct err *err);
int world_file_scale(struct world_file *f, unsigned count, unsigned subscriptions,
                     struct err *err); /* world_scale.c */
void world_file_free(struct world_file *f);
extern const char world_default_text[], world_scale_text[];

struct vm; /* vm.h */

struct world {
    struct world_file *file;
    struct vm *vms; /* vms_count of them, in the file's order */
    unsigned vms_count;
    struct list ips; /* struct public_ip */
};

const struct world_subscription *world_subscription_find(const struct world *w, const char *id);

/* The group's name as it was created, or NULL when no VM of the subscription lives in it. */
const char *world_group_find(const struct world *w, const char *subscription, const char *group);

struct vm *world_vm_find(const struct world *w, const char *subscription, const char *group,
                         const char *name); /* never an instance of a Uniform scale set */
struct vm *world_machine_find(const struct world *w, const char *subscription, const char *group,
                              const char *name); /* of either kind */
struct vm *world_instance_find(const struct world *w, const char *subscription, const char *group,
                               const char *set, const char *instance);

/* "name", "group/name" or an alias of adit.yaml. ERR_NOTFOUND, ERR_AMBIGUOUS. */
int world_vm_by_word(const struct world *w, const char *word, struct vm **out, struct err *err);

void world_uuid(char out[WORLD_UUID_LEN]); /* a random one */

#endif

/*
 * plan: the changes that one VM lacks, as values: what mending sends and what printing writes.
 *
 * Private to prepare/. Built by a run from what ARM says; a step without its bit in `steps` has no meaning.
 */
#ifndef ADIT_PREPARE_PLAN_H
#define ADIT_PREPARE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "prepare.h"

#define PLAN_RULES_MAX 2 /* the NIC's NSG and the subnet's */
#define PLAN_RULE_NAME "allow-SSH"
#define PLAN_EXTENSION_NAME "WindowsOpenSSH"
#define PLAN_EXTENSION_PUBLISHER "Microsoft.Azure.OpenSSH"
#define PLAN_EXTENSION_VERSION "3.0"

#define COMPUTE_API "2024-11-01"
#define NETWORK_API "2024-05-01"

struct plan_rule {
    char *nsg_id; /* resource ID */
    char *name;   /* allow-SSH, or another that is free */
    int priority;
    char *source; /* one prefix: "203.0.113.7/32", "*" */
};

struct plan {
    unsigned steps; /* PREPARE_BIT()s of what is to be done: POWER, ADDRESS, EXTENSION, RULE, LOGIN */
    char *subscription, *group, *vm, *location; /* as ARM writes them */
    bool windows;
    uint16_t port; /* SSH */

    struct plan_rule rules[PLAN_RULES_MAX];
    unsigned rule_count;

    char *nic_id, *ip_config; /* ADDRESS: which ipConfiguration gets it */
    char *public_ip;          /* name of the new one */

    char *user;         /* LOGIN: whose key */
    bool administrator; /* Windows: known to be one, so that administrators_authorized_keys is the file */
    char *public_key;   /* one checked line (key.h) */
};

void plan_done(struct plan *p); /* frees what it owns */

#endif

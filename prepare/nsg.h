/*
 * nsg: do these security rules let a packet through? Pure functions on ARM's documents.
 *
 * Source: Azure's "How network security groups filter network traffic": rules by ascending priority, the
 * first that matches decides; inbound traffic must pass the subnet's NSG and then the NIC's.
 */
#ifndef ADIT_PREPARE_NSG_H
#define ADIT_PREPARE_NSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct json_t;

#define NSG_RULES_MAX 2000 /* of one NSG: Azure's limit is 1000 and the defaults */

struct nsg_rule {
    char *name; /* as shown to people, without a "securityRules/" before it */
    int priority;
    bool inbound, allow;
    bool tcp;                            /* it is about TCP (or any protocol) */
    struct json_t *source;               /* array of prefixes, tags or "*" */
    struct json_t *source_ports, *ports; /* arrays of "22", "3389-3390", "*" */
    struct json_t *destination;
};

struct nsg {
    char *id;               /* resource ID */
    struct nsg_rule *rules; /* by priority */
    size_t count;
};

/* All the NSGs of an effectiveNetworkSecurityGroups reply, subnet's and NIC's. */
int nsg_from_effective(const struct json_t *reply, struct nsg **out, size_t *count, struct err *err);
/* A networkSecurityGroups resource: securityRules and defaultSecurityRules. ERR_PROTOCOL, ERR_LIMIT,
 * ERR_NOMEM. */
int nsg_from_resource(const struct json_t *resource, struct nsg *out, struct err *err);
void nsg_done(struct nsg *g);

/* The inbound rule that decides for TCP from `source` (an address, a prefix: all of it must match to be
 * allowed; or "VirtualNetwork") to `port` at `destination` (an address, or NULL = not looked at). NULL: none
 * matches, which is a refusal. A service tag that is not known here ("Storage") matches nothing. */
const struct nsg_rule *nsg_judge(const struct nsg *g, const char *source, const char *destination,
                                 uint16_t port);

/* A priority that no inbound rule has and that comes before `before` (the deciding refusal's): `wanted` if it
 * will do, else the next free one, 100 to 4096. 0: there is none. */
int nsg_priority_free(const struct nsg *g, int wanted, int before);

/* "203.0.113.7" → "203.0.113.7/32"; a prefix is checked and its host bits cleared; "*" and "Internet" stay.
 * Writes to out. ERR_INVAL. */
int nsg_source_normal(const char *text, char *out, size_t size, struct err *err);

#endif

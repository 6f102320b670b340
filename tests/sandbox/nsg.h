/*
 * nsg: network security groups: what is in one by default, and whether one lets a packet in.
 *
 * A VM has one on its NIC, one on its subnet, both or none; both must let a packet in. Source: "How network
 * security groups filter network traffic" (rules by ascending priority, the first that matches decides).
 */
#ifndef ADIT_SANDBOX_NSG_H
#define ADIT_SANDBOX_NSG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "world.h"

#define NSG_TYPE "Microsoft.Network/networkSecurityGroups"

enum nsg_place { NSG_OF_NIC, NSG_OF_SUBNET, NSG_PLACES };

struct nsg {
    bool exists;
    bool attached; /* NIC and subnet can be told to have none */
    json_t *rules; /* name → ARM properties */
};

struct nsg_default {
    const char *name;
    int priority;
    bool inbound, allow;
    const char *from, *to;
};
extern const struct nsg_default nsg_defaults[]; /* ends with name NULL */

/* A TCP packet that knocks from outside. */
struct nsg_packet {
    const char *source, *destination; /* IPv4 addresses */
    uint16_t port;
};
bool nsg_lets_in(const json_t *rules, const struct nsg_packet *p);

/* Fills in the groups of a VM and the rules that its lines of the world file ask for. */
void nsg_init(struct nsg groups[NSG_PLACES], const struct world_vm *spec);
void nsg_done(struct nsg groups[NSG_PLACES]);

/* The name of the group: VM-nsg, VM-subnet-nsg. */
json_t *nsg_name(const struct world_vm *spec, enum nsg_place place);

/* A rule's value, whichever of its two spellings it has: [one], or several; a new reference. */
json_t *nsg_values(const json_t *rule, const char *one, const char *several);

#endif

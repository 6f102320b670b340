/*
 * network: which ipConfigurations a VM has, on which of its NICs, and how ARM names them.
 *
 * A VM's primary NIC is VM-nic, its decoy VM-nic2; public IPs are VM-ip and VM-ip6, or another that it was
 * given. Those of an instance of a Uniform scale set are below the instance:
 * SET/virtualMachines/N/networkInterfaces/nic/….
 */
#ifndef ADIT_SANDBOX_NETWORK_H
#define ADIT_SANDBOX_NETWORK_H

#include <arpa/inet.h>
#include <jansson.h>
#include <stdbool.h>

struct public_ip;
struct vm;

#define NETWORK_CONFIGS_MAX 4

struct network_config {
    bool nic_primary; /* on the primary NIC; else on the decoy */
    bool primary, ipv6;
    bool balanced;              /* behind a load balancer */
    const char *name;           /* static */
    char public[100];           /* its public IP's name; "": it has none */
    const struct public_ip *ip; /* that; NULL: it is the IPv6 one, which is only listed */
    char private_address[INET6_ADDRSTRLEN];
    char public_address[INET6_ADDRSTRLEN]; /* "" while it is not allocated */
};

/* In the order in which ARM lists them; returns how many. */
unsigned network_configs(const struct vm *vm, struct network_config out[NETWORK_CONFIGS_MAX]);

/* ARM ids. */
json_t *network_nic_id(const struct vm *vm, bool primary, bool shout);
json_t *network_config_id(const struct vm *vm, const struct network_config *n);
json_t *network_public_id(const struct vm *vm, const struct network_config *n);
json_t *network_subnet_id(const struct vm *vm, bool primary);

/* The VM whose resource `name` is, by the resource's suffix: "-nic"; NULL: none. Its own name may hold the
 * suffix too. */
struct arm_call;
struct vm *network_vm(const struct arm_call *c, const char *name, const char *suffix);

#endif

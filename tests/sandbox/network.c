/*
 * network: derives a VM's ipConfigurations from its lines in the world file.
 *
 * What is only listed, because nothing on this machine could carry it: the decoy's 10.99.x.y, the second
 * address 10.98.x.y, and IPv6 (fd66::/64 and 2001:db8:66::/64).
 */
#include "network.h"

#include <stdio.h>
#include <string.h>

#include "arm.h"
#include "sandbox.h"
#include "vm.h"

#define NIC "Microsoft.Network/networkInterfaces"
#define IP "Microsoft.Network/publicIPAddresses"
#define SET "Microsoft.Compute/virtualMachineScaleSets"

static void listed(struct network_config *n, const struct vm *vm, unsigned net)
{
    snprintf(n->private_address, sizeof n->private_address, "10.%u.%u.%u", net, vm->index / 250 % 250,
             4 + vm->index % 250);
}

unsigned network_configs(const struct vm *vm, struct network_config out[NETWORK_CONFIGS_MAX])
{
    const struct world_vm *s = vm->spec;
    unsigned count = 0;
    if (s->decoy_nic) {
        out[count] = (struct network_config){.name = "ipconfig1", .primary = true};
        listed(&out[count++], vm, 99);
    }
    if (s->secondary_ip) {
        out[count] = (struct network_config){.name = "ipconfig0", .nic_primary = true};
        listed(&out[count++], vm, 98);
    }
    struct network_config *n = &out[count++];
    *n = (struct network_config){
        .name = "ipconfig1", .nic_primary = true, .primary = true, .balanced = s->load_balanced};
    n->ip = vm->ip;
    if (vm->ip)
        snprintf(n->public, sizeof n->public, "%s", s->uniform ? "ip" : vm->ip->name);
    snprintf(n->private_address, sizeof n->private_address, "%s", vm->private_address);
    snprintf(n->public_address, sizeof n->public_address, "%s", vm->address);
    if (s->ipv6) {
        n = &out[count++];
        *n = (struct network_config){.name = "ipconfig6", .nic_primary = true, .ipv6 = true};
        snprintf(n->public, sizeof n->public, "%s%sip6", s->uniform ? "" : s->name, s->uniform ? "" : "-");
        snprintf(n->private_address, sizeof n->private_address, "fd66::%x", 4 + vm->index);
        snprintf(n->public_address, sizeof n->public_address, "2001:db8:66::%x", 4 + vm->index);
    }
    return count;
}

json_t *network_nic_id(const struct vm *vm, bool primary, bool shout)
{
    const struct world_vm *s = vm->spec;
    if (s->uniform)
        return arm_id(vm, shout, SET, "%s/virtualMachines/%s/networkInterfaces/nic%s", s->scale_set,
                      vm_instance(vm), primary ? "" : "2");
    return arm_id(vm, shout, NIC, "%s-nic%s", s->name, primary ? "" : "2");
}

json_t *network_config_id(const struct vm *vm, const struct network_config *n)
{
    json_t *nic = network_nic_id(vm, n->nic_primary, false);
    json_t *id = json_sprintf("%s/ipConfigurations/%s", json_string_value(nic), n->name);
    json_decref(nic);
    return id;
}

json_t *network_public_id(const struct vm *vm, const struct network_config *n)
{
    if (n->ip && strcmp(n->ip->group, vm->spec->group) != 0)
        return json_sprintf("/subscriptions/%s/resourceGroups/%s/providers/" IP "/%s", n->ip->subscription,
                            n->ip->group, n->ip->name);
    if (!vm->spec->uniform)
        return arm_id(vm, false, IP, "%s", n->public);
    json_t *config = network_config_id(vm, n);
    json_t *id = json_sprintf("%s/publicIPAddresses/%s", json_string_value(config), n->public);
    json_decref(config);
    return id;
}

/* A VM whose subnet has a network security group has that subnet to itself. */
json_t *network_subnet_id(const struct vm *vm, bool primary)
{
    bool own = vm->nsg[NSG_OF_SUBNET].exists;
    return arm_id(vm, false, "Microsoft.Network/virtualNetworks", "vnet/subnets/%s",
                  !primary ? "storage"
                  : own    ? vm->spec->name
                           : "default");
}

struct vm *network_vm(const struct arm_call *c, const char *name, const char *suffix)
{
    char vm[120];
    size_t n = strlen(name), m = strlen(suffix);
    if (n <= m || n - m >= sizeof vm || strcasecmp(name + n - m, suffix) != 0)
        return NULL;
    snprintf(vm, sizeof vm, "%.*s", (int)(n - m), name);
    return world_machine_find(&c->sb->world, c->subscription->id, c->group, vm);
}

/*
 * arm_network: Microsoft.Network/networkInterfaces and publicIPAddresses of VMs, and the JSON of both.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "network.h"
#include "sandbox.h"
#include "vm.h"

#define NIC "Microsoft.Network/networkInterfaces"
#define IP "Microsoft.Network/publicIPAddresses"
#define NSG "Microsoft.Network/networkSecurityGroups"
#define VNET "Microsoft.Network/virtualNetworks"
#define BALANCER "Microsoft.Network/loadBalancers"

json_t *arm_public_ip_json(struct vm *vm, const struct network_config *n)
{
    bool uniform = vm->spec->uniform, fixed = n->ipv6 || vm->spec->public_ip == PUBLIC_STATIC;
    json_t *p = json_pack("{s:s,s:s,s:s,s:i,s:[],s:{s:o}}", "provisioningState", "Succeeded",
                          "publicIPAddressVersion", n->ipv6 ? "IPv6" : "IPv4", "publicIPAllocationMethod",
                          fixed ? "Static" : "Dynamic", "idleTimeoutInMinutes", 4, "ipTags",
                          "ipConfiguration", "id", network_config_id(vm, n));
    if (*n->public_address)
        json_object_set_new(p, "ipAddress", json_string(n->public_address));
    json_t *j = json_pack("{s:o,s:o,s:s,s:o}", "name",
                          uniform ? json_string(n->public) : json_sprintf("%s-%s", vm->spec->name, n->public),
                          "id", network_public_id(vm, n), "etag", "W/\"5a5b\"", "properties", p);
    if (uniform) /* the paths of scale sets have an older shape */
        return j;
    json_object_set_new(j, "type", json_string(IP));
    json_object_set_new(j, "location", json_string(vm->location));
    json_object_set_new(j, "sku",
                        json_pack("{s:s,s:s}", "name", fixed ? "Standard" : "Basic", "tier", "Regional"));
    return j;
}

static json_t *config_json(struct vm *vm, const struct network_config *n, bool expand)
{
    json_t *p =
        json_pack("{s:s,s:s,s:s,s:b,s:s,s:{s:o}}", "provisioningState", "Succeeded", "privateIPAddress",
                  n->private_address, "privateIPAllocationMethod", "Dynamic", "primary", n->primary,
                  "privateIPAddressVersion", n->ipv6 ? "IPv6" : "IPv4", "subnet", "id",
                  arm_id(vm, false, VNET, "vnet/subnets/%s", n->nic_primary ? "default" : "storage"));
    if (n->public)
        json_object_set_new(p, "publicIPAddress",
                            expand ? arm_public_ip_json(vm, n)
                                   : json_pack("{s:o}", "id", network_public_id(vm, n)));
    if (n->balanced) {
        json_object_set_new(
            p, "loadBalancerBackendAddressPools",
            json_pack("[{s:o}]", "id", arm_id(vm, false, BALANCER, "lb/backendAddressPools/pool")));
        json_object_set_new(
            p, "loadBalancerInboundNatRules",
            json_pack("[{s:o}]", "id",
                      arm_id(vm, false, BALANCER, "lb/inboundNatRules/ssh-%s", vm->spec->name)));
    }
    return json_pack("{s:s,s:o,s:s,s:s,s:o}", "name", n->name, "id", network_config_id(vm, n), "etag",
                     "W/\"5a5b\"", "type", NIC "/ipConfigurations", "properties", p);
}

static json_t *vm_id(struct vm *vm)
{
    if (vm->spec->uniform)
        return arm_id(vm, false, "Microsoft.Compute/virtualMachineScaleSets", "%s/virtualMachines/%s",
                      vm->spec->scale_set, vm_instance(vm));
    return arm_id(vm, false, "Microsoft.Compute/virtualMachines", "%s", vm->spec->name);
}

json_t *arm_nic_json(struct vm *vm, bool primary, bool expand, bool shout)
{
    struct network_config all[NETWORK_CONFIGS_MAX];
    unsigned count = network_configs(vm, all);
    json_t *configs = json_array();
    for (unsigned i = 0; i < count; i++)
        if (all[i].nic_primary == primary)
            json_array_append_new(configs, config_json(vm, &all[i], expand));
    json_t *p = json_pack("{s:s,s:s,s:o,s:b,s:b,s:b,s:s,s:{s:o}}", "provisioningState", "Succeeded",
                          "resourceGuid", vm->vm_id, "ipConfigurations", configs,
                          "enableAcceleratedNetworking", 0, "enableIPForwarding", 0, "primary", primary,
                          "nicType", "Standard", "virtualMachine", "id", vm_id(vm));
    if (primary)
        json_object_set_new(p, "networkSecurityGroup",
                            json_pack("{s:o}", "id", arm_id(vm, false, NSG, "%s-nsg", vm->spec->name)));
    json_t *j = json_pack("{s:o,s:s,s:o}", "id", network_nic_id(vm, primary, shout), "etag", "W/\"5a5b\"",
                          "properties", p);
    if (vm->spec->uniform) {
        json_object_set_new(j, "name", json_string(primary ? "nic" : "nic2"));
        return j;
    }
    json_object_set_new(j, "name", json_sprintf("%s-nic%s", vm->spec->name, primary ? "" : "2"));
    json_object_set_new(j, "type", json_string(NIC));
    json_object_set_new(j, "location", json_string(vm->location));
    return j;
}

/* The VM whose resource `name` is, by the resource's suffix; its own name may hold the suffix too. */
static struct vm *vm_of(const struct arm_call *c, const char *name, const char *suffix)
{
    char vm[120];
    size_t n = strlen(name), m = strlen(suffix);
    if (n <= m || n - m >= sizeof vm || strcasecmp(name + n - m, suffix) != 0)
        return NULL;
    snprintf(vm, sizeof vm, "%.*s", (int)(n - m), name);
    return world_vm_find(&c->sb->world, c->subscription->id, c->group, vm);
}

void arm_nic_get(struct arm_call *c)
{
    const char *expand = http_query(c->q, "$expand");
    bool ips = expand && strcasestr(expand, "publicIPAddress");
    struct vm *first = vm_of(c, c->args[0], "-nic"), *second = vm_of(c, c->args[0], "-nic2");
    if (first)
        c->r->body = arm_nic_json(first, true, ips, false);
    else if (second && second->spec->decoy_nic)
        c->r->body = arm_nic_json(second, false, ips, false);
    else
        arm_not_found(c, NIC, c->args[0]);
}

void arm_public_ip_get(struct arm_call *c)
{
    struct network_config all[NETWORK_CONFIGS_MAX];
    struct vm *vm = vm_of(c, c->args[0], "-ip"), *sixth = vm_of(c, c->args[0], "-ip6");
    vm = vm ? vm : sixth;
    unsigned count = vm ? network_configs(vm, all) : 0;
    for (unsigned i = 0; i < count && !c->r->body; i++)
        if (all[i].public && all[i].ipv6 == (vm == sixth))
            c->r->body = arm_public_ip_json(vm, &all[i]);
    if (!c->r->body)
        arm_not_found(c, IP, c->args[0]);
}

/*
 * arm_network: Microsoft.Network/networkInterfaces and publicIPAddresses.
 *
 * A VM's names are VM-nic, VM-ip, VM-nsg; a VM with a decoy has VM-nic2 as well, not primary and without a
 * public IP.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sandbox.h"
#include "vm.h"

#define NIC "Microsoft.Network/networkInterfaces"
#define IP "Microsoft.Network/publicIPAddresses"
#define NSG "Microsoft.Network/networkSecurityGroups"
#define VNET "Microsoft.Network/virtualNetworks"

json_t *arm_public_ip_json(struct vm *vm)
{
    bool fixed = vm->spec->public_ip == PUBLIC_STATIC;
    json_t *p = json_pack(
        "{s:s,s:s,s:s,s:i,s:[],s:{s:o}}", "provisioningState", "Succeeded", "publicIPAddressVersion", "IPv4",
        "publicIPAllocationMethod", fixed ? "Static" : "Dynamic", "idleTimeoutInMinutes", 4, "ipTags",
        "ipConfiguration", "id", arm_id(vm, false, NIC, "%s-nic/ipConfigurations/ipconfig1", vm->spec->name));
    if (*vm->address)
        json_object_set_new(p, "ipAddress", json_string(vm->address));
    return json_pack("{s:o,s:o,s:s,s:s,s:s,s:o,s:{s:s,s:s}}", "name", json_sprintf("%s-ip", vm->spec->name),
                     "id", arm_id(vm, false, IP, "%s-ip", vm->spec->name), "etag", "W/\"5a5b\"", "type", IP,
                     "location", vm->location, "properties", p, "sku", "name", fixed ? "Standard" : "Basic",
                     "tier", "Regional");
}

static json_t *ip_configuration(struct vm *vm, const char *nic, bool primary, bool expand)
{
    char private_address[ADDRESS_LEN + 8];
    snprintf(private_address, sizeof private_address, "%s", vm->private_address);
    if (!primary)
        snprintf(private_address, sizeof private_address, "10.99.0.%u", 4 + vm->index % 250);
    json_t *p = json_pack("{s:s,s:s,s:s,s:b,s:s,s:{s:o}}", "provisioningState", "Succeeded",
                          "privateIPAddress", private_address, "privateIPAllocationMethod", "Dynamic",
                          "primary", 1, "privateIPAddressVersion", "IPv4", "subnet", "id",
                          arm_id(vm, false, VNET, "vnet/subnets/%s", primary ? "default" : "storage"));
    if (primary && vm->spec->public_ip != PUBLIC_NONE)
        json_object_set_new(p, "publicIPAddress",
                            expand
                                ? arm_public_ip_json(vm)
                                : json_pack("{s:o}", "id", arm_id(vm, false, IP, "%s-ip", vm->spec->name)));
    return json_pack("{s:s,s:o,s:s,s:s,s:o}", "name", "ipconfig1", "id",
                     arm_id(vm, false, NIC, "%s/ipConfigurations/ipconfig1", nic), "etag", "W/\"5a5b\"",
                     "type", NIC "/ipConfigurations", "properties", p);
}

json_t *arm_nic_json(struct vm *vm, bool primary, bool expand, bool shout)
{
    char nic[120];
    snprintf(nic, sizeof nic, "%s-nic%s", vm->spec->name, primary ? "" : "2");
    json_t *p = json_pack(
        "{s:s,s:s,s:[o],s:b,s:b,s:b,s:s,s:{s:o}}", "provisioningState", "Succeeded", "resourceGuid",
        vm->vm_id, "ipConfigurations", ip_configuration(vm, nic, primary, expand),
        "enableAcceleratedNetworking", 0, "enableIPForwarding", 0, "primary", primary, "nicType", "Standard",
        "virtualMachine", "id", arm_id(vm, false, "Microsoft.Compute/virtualMachines", "%s", vm->spec->name));
    if (primary)
        json_object_set_new(p, "networkSecurityGroup",
                            json_pack("{s:o}", "id", arm_id(vm, false, NSG, "%s-nsg", vm->spec->name)));
    return json_pack("{s:s,s:o,s:s,s:s,s:s,s:o}", "name", nic, "id", arm_id(vm, shout, NIC, "%s", nic),
                     "etag", "W/\"5a5b\"", "type", NIC, "location", vm->location, "properties", p);
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
    struct vm *vm = vm_of(c, c->args[0], "-ip");
    if (vm && vm->spec->public_ip != PUBLIC_NONE)
        c->r->body = arm_public_ip_json(vm);
    else
        arm_not_found(c, IP, c->args[0]);
}

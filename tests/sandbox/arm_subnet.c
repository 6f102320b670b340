/*
 * arm_subnet: Microsoft.Network/virtualNetworks: the one network of a resource group, vnet, and its subnets.
 *
 * Subnets: default; storage, where decoys are; and one for each VM with a network security group on its
 * subnet, named as the VM.
 */
#include <string.h>
#include <strings.h>

#include "network.h"
#include "sandbox.h"
#include "vm.h"

#define TYPE "Microsoft.Network/virtualNetworks"

static bool in_group(const struct arm_call *c, const struct vm *vm)
{
    return strcasecmp(vm->spec->group, c->group) == 0 &&
           strcasecmp(vm->subscription, c->subscription->id) == 0;
}

static bool on_subnet(const struct vm *vm, const char *subnet)
{
    if (strcasecmp(subnet, "storage") == 0)
        return vm->spec->decoy_nic;
    return strcasecmp(subnet, vm->nsg[NSG_OF_SUBNET].exists ? vm->spec->name : "default") == 0;
}

/* NULL when no VM is on it and it is not one of those that always are. */
static json_t *subnet_json(const struct arm_call *c, const char *asked)
{
    json_t *configs = json_array(), *nsg = NULL;
    bool always = strcasecmp(asked, "default") == 0, storage = strcasecmp(asked, "storage") == 0;
    const char *name = always ? "default" : storage ? "storage" : NULL;
    for (unsigned i = 0; i < c->sb->world.vms_count; i++) {
        const struct vm *vm = &c->sb->world.vms[i];
        struct network_config all[NETWORK_CONFIGS_MAX];
        if (!in_group(c, vm) || !on_subnet(vm, asked))
            continue;
        unsigned count = network_configs(vm, all);
        for (unsigned k = 0; k < count; k++)
            if (all[k].nic_primary != storage)
                json_array_append_new(configs, json_pack("{s:o}", "id", network_config_id(vm, &all[k])));
        if (!storage && vm->nsg[NSG_OF_SUBNET].exists && vm->nsg[NSG_OF_SUBNET].attached) {
            json_decref(nsg);
            nsg = arm_nsg_id(vm, NSG_OF_SUBNET);
        }
        name = name ? name : vm->spec->name;
    }
    if (!name) {
        json_decref(configs);
        return NULL;
    }
    json_t *p = json_pack("{s:s,s:s,s:o,s:[],s:s,s:s}", "provisioningState", "Succeeded", "addressPrefix",
                          storage ? "10.99.0.0/16" : "10.66.0.0/16", "ipConfigurations", configs,
                          "delegations", "privateEndpointNetworkPolicies", "Disabled",
                          "privateLinkServiceNetworkPolicies", "Enabled");
    if (nsg)
        json_object_set_new(p, "networkSecurityGroup", json_pack("{s:o}", "id", nsg));
    return json_pack("{s:s,s:o,s:s,s:s,s:o}", "name", name, "id",
                     json_sprintf("/subscriptions/%s/resourceGroups/%s/providers/" TYPE "/vnet/subnets/%s",
                                  c->subscription->id, c->group, name),
                     "etag", "W/\"5a5b\"", "type", TYPE "/subnets", "properties", p);
}

static bool is_vnet(struct arm_call *c)
{
    if (strcasecmp(c->args[0], "vnet") == 0)
        return true;
    arm_not_found(c, TYPE, c->args[0]);
    return false;
}

static json_t *subnets_json(const struct arm_call *c)
{
    json_t *all = json_pack("[o,o]", subnet_json(c, "default"), subnet_json(c, "storage"));
    for (unsigned i = 0; i < c->sb->world.vms_count; i++) {
        const struct vm *vm = &c->sb->world.vms[i];
        if (in_group(c, vm) && vm->nsg[NSG_OF_SUBNET].exists)
            json_array_append_new(all, subnet_json(c, vm->spec->name));
    }
    return all;
}

void arm_vnet_get(struct arm_call *c)
{
    if (is_vnet(c))
        c->r->body =
            json_pack("{s:s,s:o,s:s,s:s,s:s,s:{s:s,s:{s:[s,s]},s:o,s:b}}", "name", "vnet", "id",
                      json_sprintf("/subscriptions/%s/resourceGroups/%s/providers/" TYPE "/vnet",
                                   c->subscription->id, c->group),
                      "etag", "W/\"5a5b\"", "type", TYPE, "location", "westeurope", "properties",
                      "provisioningState", "Succeeded", "addressSpace", "addressPrefixes", "10.66.0.0/16",
                      "10.98.0.0/15", "subnets", subnets_json(c), "enableDdosProtection", 0);
}

void arm_subnets_list(struct arm_call *c)
{
    if (is_vnet(c))
        c->r->body = json_pack("{s:o}", "value", subnets_json(c));
}

void arm_subnet_get(struct arm_call *c)
{
    if (!is_vnet(c))
        return;
    c->r->body = subnet_json(c, c->args[1]);
    if (!c->r->body)
        arm_error(c->r, 404, "NotFound", "Resource %s not found.", c->args[1]);
}

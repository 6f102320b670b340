/*
 * arm_nsg: Microsoft.Network/networkSecurityGroups: VM-nsg of its NIC, VM-subnet-nsg of its subnet.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "network.h"
#include "sandbox.h"
#include "vm.h"

struct vm *arm_nsg(struct arm_call *c, enum nsg_place *place)
{
    struct vm *of_subnet = network_vm(c, c->args[0], "-subnet-nsg"), *vm = of_subnet;
    *place = NSG_OF_SUBNET;
    if (!of_subnet || !of_subnet->nsg[NSG_OF_SUBNET].exists) {
        *place = NSG_OF_NIC;
        vm = network_vm(c, c->args[0], "-nsg");
    }
    if (vm && vm->nsg[*place].exists)
        return vm;
    if (strcmp(c->q->method, "PUT") == 0)
        arm_error(c->r, 404, "ParentResourceNotFound",
                  "Failed to perform 'write' on resource(s) of type 'networkSecurityGroups/securityRules', "
                  "because the parent resource '/subscriptions/%s/resourceGroups/%s/providers/" NSG_TYPE
                  "/%s' could not be found.",
                  c->subscription->id, c->group, c->args[0]);
    else
        arm_not_found(c, NSG_TYPE, c->args[0]);
    return NULL;
}

json_t *arm_nsg_id(const struct vm *vm, enum nsg_place place)
{
    json_t *name = nsg_name(vm->spec, place);
    json_t *id = arm_id(vm, false, NSG_TYPE, "%s", json_string_value(name));
    json_decref(name);
    return id;
}

json_t *arm_rule_json(const struct vm *vm, enum nsg_place place, const char *name, json_t *properties)
{
    json_t *p = json_copy(properties), *nsg = arm_nsg_id(vm, place);
    if (!json_object_get(p, "provisioningState"))
        json_object_set_new(p, "provisioningState", json_string("Succeeded"));
    static const char *const lists[] = {"sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes",
                                        "destinationAddressPrefixes"};
    for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++)
        if (!json_object_get(p, lists[i]))
            json_object_set_new(p, lists[i], json_array());
    json_t *j = json_pack("{s:s,s:o,s:s,s:s,s:o}", "name", name, "id",
                          json_sprintf("%s/securityRules/%s", json_string_value(nsg), name), "etag",
                          "W/\"5a5b\"", "type", NSG_TYPE "/securityRules", "properties", p);
    json_decref(nsg);
    return j;
}

json_t *arm_rules_json(const struct vm *vm, enum nsg_place place)
{
    json_t *all = json_array(), *rule;
    const char *name;
    json_object_foreach(vm->nsg[place].rules, name, rule)
        json_array_append_new(all, arm_rule_json(vm, place, name, rule));
    return all;
}

static json_t *defaults_json(const json_t *id)
{
    json_t *all = json_array();
    for (const struct nsg_default *d = nsg_defaults; d->name; d++) {
        json_t *p =
            json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:[],s:[],s:[],s:[]}", "provisioningState",
                      "Succeeded", "protocol", "*", "access", d->allow ? "Allow" : "Deny", "direction",
                      d->inbound ? "Inbound" : "Outbound", "priority", d->priority, "sourceAddressPrefix",
                      d->from, "sourcePortRange", "*", "destinationAddressPrefix", d->to,
                      "destinationPortRange", "*", "sourcePortRanges", "destinationPortRanges",
                      "sourceAddressPrefixes", "destinationAddressPrefixes");
        json_array_append_new(
            all, json_pack("{s:s,s:o,s:s,s:s,s:o}", "name", d->name, "id",
                           json_sprintf("%s/defaultSecurityRules/%s", json_string_value(id), d->name), "etag",
                           "W/\"5a5b\"", "type", NSG_TYPE "/defaultSecurityRules", "properties", p));
    }
    return all;
}

void arm_nsg_get(struct arm_call *c)
{
    enum nsg_place place;
    struct vm *vm = arm_nsg(c, &place);
    if (!vm)
        return;
    json_t *id = arm_nsg_id(vm, place);
    json_t *p =
        json_pack("{s:s,s:s,s:o,s:o}", "provisioningState", "Succeeded", "resourceGuid", vm->vm_id,
                  "securityRules", arm_rules_json(vm, place), "defaultSecurityRules", defaults_json(id));
    if (vm->nsg[place].attached && place == NSG_OF_NIC)
        json_object_set_new(p, "networkInterfaces",
                            json_pack("[{s:o}]", "id", network_nic_id(vm, true, false)));
    else if (vm->nsg[place].attached)
        json_object_set_new(p, "subnets", json_pack("[{s:o}]", "id", network_subnet_id(vm, true)));
    c->r->body = json_pack("{s:o,s:o,s:s,s:s,s:s,s:o}", "name", nsg_name(vm->spec, place), "id", id, "etag",
                           "W/\"5a5b\"", "type", NSG_TYPE, "location", vm->location, "properties", p);
}

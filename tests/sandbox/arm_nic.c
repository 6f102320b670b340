/*
 * arm_nic: Microsoft.Network/networkInterfaces of VMs: their documents, and the changes that may be made to
 * them.
 *
 * A PUT replaces the whole: what its body leaves out is taken away, as the platform does. Of the primary NIC
 * that is the public address of its primary ipConfiguration and its network security group; other changes are
 * refused, because nothing here could follow them.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lro.h"
#include "network.h"
#include "sandbox.h"
#include "vm.h"

#define NIC "Microsoft.Network/networkInterfaces"
#define BALANCER "Microsoft.Network/loadBalancers"

static json_t *nic_etag(const struct vm *vm)
{
    return json_sprintf("W/\"%s\"", vm->nic_etag);
}

static json_t *config_json(struct vm *vm, const struct network_config *n, bool expand)
{
    json_t *p = json_pack("{s:s,s:s,s:s,s:b,s:s,s:{s:o}}", "provisioningState", "Succeeded",
                          "privateIPAddress", n->private_address, "privateIPAllocationMethod", "Dynamic",
                          "primary", n->primary, "privateIPAddressVersion", n->ipv6 ? "IPv6" : "IPv4",
                          "subnet", "id", network_subnet_id(vm, n->nic_primary));
    if (*n->public)
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
    return json_pack("{s:s,s:o,s:o,s:s,s:o}", "name", n->name, "id", network_config_id(vm, n), "etag",
                     nic_etag(vm), "type", NIC "/ipConfigurations", "properties", p);
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
    if (primary && vm->nsg[NSG_OF_NIC].exists && vm->nsg[NSG_OF_NIC].attached)
        json_object_set_new(p, "networkSecurityGroup", json_pack("{s:o}", "id", arm_nsg_id(vm, NSG_OF_NIC)));
    json_t *j = json_pack("{s:o,s:o,s:o}", "id", network_nic_id(vm, primary, shout), "etag", nic_etag(vm),
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

struct vm *arm_nic(struct arm_call *c, bool *primary)
{
    struct vm *first = network_vm(c, c->args[0], "-nic"), *second = network_vm(c, c->args[0], "-nic2");
    if (first && first->spec->uniform)
        first = NULL;
    if (second && (second->spec->uniform || !second->spec->decoy_nic))
        second = NULL;
    *primary = first != NULL;
    if (!first && !second)
        arm_not_found(c, NIC, c->args[0]);
    return first ? first : second;
}

void arm_nic_get(struct arm_call *c)
{
    const char *expand = http_query(c->q, "$expand");
    bool ips = expand && strcasestr(expand, "publicIPAddress"), primary;
    struct vm *vm = arm_nic(c, &primary);
    if (!vm)
        return;
    c->r->body = arm_nic_json(vm, primary, ips, false);
    http_reply_header(c->r, "ETag", "W/\"%s\"", vm->nic_etag);
}

static json_t *config_find(const json_t *configs, const char *name)
{
    size_t i;
    json_t *config;
    json_array_foreach(configs, i, config)
    {
        const char *own = json_string_value(json_object_get(config, "name"));
        if (own && strcasecmp(own, name) == 0)
            return config;
    }
    return NULL;
}

static const char *id_in(const json_t *of, const char *member)
{
    return json_string_value(json_object_get(json_object_get(of, member), "id"));
}

/* NULL with the reply set: the body asks for what cannot be; else the primary ipConfiguration's properties.
 */
static json_t *config_asked(struct arm_call *c, const struct vm *vm, const json_t *body)
{
    const json_t *p = json_object_get(body, "properties"), *configs = json_object_get(p, "ipConfigurations");
    struct network_config all[NETWORK_CONFIGS_MAX];
    unsigned count = network_configs(vm, all);
    json_t *found = NULL;
    if (!json_is_string(json_object_get(body, "location"))) {
        arm_error(c->r, 400, "LocationRequired", "The location property is required for this definition.");
        return NULL;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!all[i].nic_primary)
            continue;
        json_t *config = json_object_get(config_find(configs, all[i].name), "properties");
        if (!config || !id_in(config, "subnet")) {
            arm_error(
                c->r, 400, "InvalidRequestFormat",
                "ipConfiguration %s of %s must stay, with its subnet: the sandbox follows no other change.",
                all[i].name, c->q->path);
            return NULL;
        }
        found = all[i].primary ? config : found;
    }
    return found;
}

static bool ip_fits(struct arm_call *c, const struct vm *vm, const char *id, struct public_ip **out)
{
    *out = id ? public_ip_by_id(c->sb, id) : NULL;
    if (!id)
        return true;
    if (!*out) {
        arm_error(c->r, 400, "InvalidResourceReference",
                  "Resource %s referenced by resource %s was not found. Please make sure that the referenced "
                  "resource exists, and that both resources are in the same region.",
                  id, c->q->path);
        return false;
    }
    if ((*out)->vm && (*out)->vm != vm) {
        arm_error(c->r, 400, "PublicIPReferencedByMultipleIPConfigs",
                  "Public ip address %s is referenced by multiple ipconfigs.", id);
        return false;
    }
    return *out == vm->ip || arm_link_passes(c, "Microsoft.Network/publicIPAddresses/join/action", id);
}

static void put_work(struct lro *o)
{
    const char *id = json_string_value(json_object_get(o->input, "ip"));
    struct err err = {0};
    struct public_ip *ip = id ? public_ip_by_id(o->sb, id) : NULL;
    if (ip != o->vm->ip) {
        door_shut(&o->vm->door);
        o->vm->relay_listens = false;
        public_ip_attach(o->vm, ip, &err);
    }
    o->vm->nsg[NSG_OF_NIC].attached =
        o->vm->nsg[NSG_OF_NIC].exists && json_is_true(json_object_get(o->input, "nsg"));
    if (!err.code)
        vm_update(o->vm, &err);
    lro_finish(o, &err);
}

void arm_nic_put(struct arm_call *c)
{
    bool primary;
    struct vm *vm = arm_nic(c, &primary);
    json_t *body = vm ? arm_body(c) : NULL;
    if (!body)
        return;
    const char *match = http_header(c->q, "If-Match");
    char own[WORLD_UUID_LEN + 4];
    snprintf(own, sizeof own, "W/\"%s\"", vm->nic_etag);
    json_t *config = NULL;
    struct public_ip *ip = NULL;
    if (match && strcmp(match, "*") != 0 && strcmp(match, own) != 0)
        arm_error(
            c->r, 412, "PreconditionFailed",
            "Precondition failed. Etag provided in if-match header %s does not match etag %s of resource "
            "%s in repository.",
            match, own, c->q->path);
    else if (!primary)
        arm_error(c->r, 400, "InvalidRequestFormat",
                  "The sandbox changes no other NIC than the primary one.");
    else
        config = config_asked(c, vm, body);
    const char *id = id_in(config, "publicIPAddress");
    struct lro *o =
        config && ip_fits(c, vm, id, &ip) ? lro_new(c, LRO_PUT, vm, vm->nic_etag, put_work) : NULL;
    if (o) {
        o->input = json_pack("{s:b}", "nsg",
                             id_in(json_object_get(body, "properties"), "networkSecurityGroup") != NULL);
        if (id)
            json_object_set_new(o->input, "ip", json_string(id));
        world_uuid(vm->nic_etag);
        c->r->status = 200;
        c->r->body = arm_nic_json(vm, true, false, false);
        json_object_set_new(json_object_get(c->r->body, "properties"), "provisioningState",
                            json_string("Updating"));
    }
    json_decref(body);
}

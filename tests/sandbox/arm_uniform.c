/*
 * arm_uniform: Microsoft.Compute/virtualMachineScaleSets and the instances of Uniform ones, which are no VMs:
 * they have numbers below their set.
 *
 * Source: VirtualMachineScaleSets and VirtualMachineScaleSetVMs of the Compute REST API.
 */
#include <string.h>
#include <strings.h>

#include "network.h"
#include "sandbox.h"
#include "vm.h"

#define SET "Microsoft.Compute/virtualMachineScaleSets"

static json_t *set_json(struct vm *vm)
{
    bool uniform = vm->spec->uniform;
    return json_pack("{s:s,s:o,s:s,s:s,s:{s:s,s:s,s:i},s:{s:s,s:s,s:b}}", "name", vm->spec->scale_set, "id",
                     arm_id(vm, false, SET, "%s", vm->spec->scale_set), "type", SET, "location", vm->location,
                     "sku", "name", "Standard_B2s", "tier", "Standard", "capacity", 1, "properties",
                     "provisioningState", "Succeeded", "orchestrationMode", uniform ? "Uniform" : "Flexible",
                     "singlePlacementGroup", uniform);
}

static bool in_scope(const struct arm_call *c, const struct vm *vm)
{
    return vm->spec->scale_set && strcasecmp(vm->subscription, c->subscription->id) == 0 &&
           (!c->group || strcasecmp(vm->spec->group, c->group) == 0);
}

/* The first VM of the set that args[0] names, or NULL with 404 already set. */
static struct vm *set_member(struct arm_call *c)
{
    struct world *w = &c->sb->world;
    for (unsigned i = 0; i < w->vms_count; i++)
        if (in_scope(c, &w->vms[i]) && strcasecmp(w->vms[i].spec->scale_set, c->args[0]) == 0)
            return &w->vms[i];
    arm_not_found(c, SET, c->args[0]);
    return NULL;
}

void arm_sets_list(struct arm_call *c)
{
    struct world *w = &c->sb->world;
    json_t *all = json_array();
    for (unsigned i = 0; i < w->vms_count; i++) {
        bool seen = !in_scope(c, &w->vms[i]);
        for (unsigned k = 0; k < i && !seen; k++)
            seen = in_scope(c, &w->vms[k]) && strcasecmp(w->vms[k].spec->group, w->vms[i].spec->group) == 0 &&
                   strcasecmp(w->vms[k].spec->scale_set, w->vms[i].spec->scale_set) == 0;
        if (!seen)
            json_array_append_new(all, set_json(&w->vms[i]));
    }
    arm_page_send(c, all);
}

void arm_set_get(struct arm_call *c)
{
    struct vm *vm = set_member(c);
    if (vm)
        c->r->body = set_json(vm);
}

static json_t *instance_json(struct vm *vm, bool instance_view)
{
    json_t *j = arm_vm_json(vm, instance_view, false), *p = json_object_get(j, "properties");
    json_object_del(p, "virtualMachineScaleSet");
    json_object_set_new(p, "latestModelApplied", json_true());
    json_object_set_new(p, "modelDefinitionApplied", json_string("VirtualMachineScaleSet"));
    json_object_set_new(
        j, "id", arm_id(vm, false, SET, "%s/virtualMachines/%s", vm->spec->scale_set, vm_instance(vm)));
    json_object_set_new(j, "type", json_string(SET "/virtualMachines"));
    json_object_set_new(j, "instanceId", json_string(vm_instance(vm)));
    json_object_set_new(j, "sku", json_pack("{s:s,s:s}", "name", "Standard_B2s", "tier", "Standard"));
    return j;
}

static bool wants_view(const struct arm_call *c)
{
    const char *expand = http_query(c->q, "$expand");
    return expand && strcasecmp(expand, "instanceView") == 0;
}

/* Calls `add` for each instance of the set that args[0] names. */
static void instances_send(struct arm_call *c, void (*add)(json_t *all, struct vm *vm, bool view))
{
    struct world *w = &c->sb->world;
    if (!set_member(c))
        return;
    json_t *all = json_array();
    for (unsigned i = 0; i < w->vms_count; i++)
        if (in_scope(c, &w->vms[i]) && w->vms[i].spec->uniform &&
            strcasecmp(w->vms[i].spec->scale_set, c->args[0]) == 0)
            add(all, &w->vms[i], wants_view(c));
    arm_page_send(c, all);
}

static void add_instance(json_t *all, struct vm *vm, bool view)
{
    json_array_append_new(all, instance_json(vm, view));
}

void arm_instances_list(struct arm_call *c)
{
    instances_send(c, add_instance);
}

void arm_instance_get(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    if (vm && quota_vm_take(c, vm))
        c->r->body = instance_json(vm, wants_view(c));
}

/* --- its network: paths of Microsoft.Network below Microsoft.Compute, with versions of their own --- */

static bool version_fits(struct arm_call *c)
{
    const char *version = http_query(c->q, "api-version");
    if (strcmp(version, "2018-10-01") == 0 || strcmp(version, "2017-03-30") == 0)
        return true;
    arm_error(c->r, 400, "NoRegisteredProviderFound",
              "No registered resource provider found for location '' and API version '%s' for type "
              "'virtualMachineScaleSets/virtualMachines/networkInterfaces'. The supported api-versions are "
              "'2017-03-30, 2018-10-01'.",
              version);
    return false;
}

static void add_nics(json_t *all, struct vm *vm, bool expand)
{
    if (vm->spec->decoy_nic)
        json_array_append_new(all, arm_nic_json(vm, false, expand, false));
    json_array_append_new(all, arm_nic_json(vm, true, expand, false));
}

static void add_ips(json_t *all, struct vm *vm, bool view)
{
    (void)view;
    struct network_config configs[NETWORK_CONFIGS_MAX];
    unsigned count = network_configs(vm, configs);
    for (unsigned i = 0; i < count; i++)
        if (*configs[i].public)
            json_array_append_new(all, arm_public_ip_json(vm, &configs[i]));
}

void arm_set_nics_list(struct arm_call *c)
{
    if (version_fits(c))
        instances_send(c, add_nics);
}

void arm_set_ips_list(struct arm_call *c)
{
    if (version_fits(c))
        instances_send(c, add_ips);
}

void arm_instance_nics_list(struct arm_call *c)
{
    struct vm *vm = version_fits(c) ? arm_vm(c) : NULL;
    if (!vm)
        return;
    json_t *all = json_array();
    add_nics(all, vm, false);
    arm_page_send(c, all);
}

void arm_instance_nic_get(struct arm_call *c)
{
    const char *expand = http_query(c->q, "$expand");
    struct vm *vm = version_fits(c) ? arm_vm(c) : NULL;
    if (!vm)
        return;
    bool first = strcasecmp(c->args[2], "nic") == 0, ips = expand && strcasestr(expand, "publicIPAddress");
    if (first || (strcasecmp(c->args[2], "nic2") == 0 && vm->spec->decoy_nic))
        c->r->body = arm_nic_json(vm, first, ips, false);
    else
        arm_not_found(c, SET "/virtualMachines/networkInterfaces", c->args[2]);
}

/* …/networkInterfaces/{nic}/ipconfigurations/{config}/publicipaddresses[/{ip}] */
void arm_instance_ips(struct arm_call *c)
{
    struct network_config all[NETWORK_CONFIGS_MAX];
    struct vm *vm = version_fits(c) ? arm_vm(c) : NULL;
    if (!vm)
        return;
    unsigned count = network_configs(vm, all);
    bool list = c->args_count == 4;
    json_t *found = json_array();
    for (unsigned i = 0; i < count; i++)
        if (*all[i].public && strcasecmp(all[i].name, c->args[3]) == 0 &&
            (list || strcasecmp(all[i].public, c->args[4]) == 0))
            json_array_append_new(found, arm_public_ip_json(vm, &all[i]));
    if (list)
        arm_page_send(c, json_incref(found));
    else if (json_array_size(found))
        c->r->body = json_incref(json_array_get(found, 0));
    else
        arm_not_found(c, SET "/virtualMachines/networkInterfaces/ipConfigurations/publicIPAddresses",
                      c->args[4]);
    json_decref(found);
}

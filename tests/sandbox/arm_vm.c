/*
 * arm_vm: Microsoft.Compute/virtualMachines: the model and the instance view.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "network.h"
#include "sandbox.h"
#include "vm.h"

#define TYPE "Microsoft.Compute/virtualMachines"

struct vm *arm_vm(struct arm_call *c)
{
    const struct world *w = &c->sb->world;
    bool instance = strcasestr(c->q->path, "/virtualMachineScaleSets/") != NULL;
    struct vm *vm = instance ? world_instance_find(w, c->subscription->id, c->group, c->args[0], c->args[1])
                             : world_vm_find(w, c->subscription->id, c->group, c->args[0]);
    if (!vm)
        arm_not_found(c, instance ? "Microsoft.Compute/virtualMachineScaleSets/virtualMachines" : TYPE,
                      c->args[instance]);
    return vm;
}

static json_t *status(const char *code, const char *display)
{
    return json_pack("{s:s,s:s,s:s}", "code", code, "level", "Info", "displayStatus", display);
}

json_t *arm_instance_view(struct vm *vm)
{
    char code[64], display[64];
    snprintf(code, sizeof code, "PowerState/%s", vm_power_name(vm));
    snprintf(display, sizeof display, "VM %s", vm_power_name(vm));
    json_t *view =
        json_pack("{s:[o,o]}", "statuses", status("ProvisioningState/succeeded", "Provisioning succeeded"),
                  status(code, display));
    if (vm->power == VM_RUNNING) {
        bool windows = vm->spec->os == OS_WINDOWS;
        json_object_set_new(view, "computerName", json_string(vm->spec->name));
        json_object_set_new(view, "osName", json_string(windows ? "Windows 11 Enterprise" : "debian"));
        json_object_set_new(view, "osVersion", json_string(windows ? "10.0.26100.1" : "12"));
        json_object_set_new(view, "vmAgent",
                            json_pack("{s:s,s:[{s:s,s:s,s:s,s:s}]}", "vmAgentVersion", "2.7.41491.1131",
                                      "statuses", "code", "ProvisioningState/succeeded", "level", "Info",
                                      "displayStatus", "Ready", "message", "Guest Agent is running"));
    }
    return view;
}

static json_t *nic_reference(struct vm *vm, bool primary, bool alone)
{
    json_t *j = json_pack("{s:o}", "id", network_nic_id(vm, primary, false));
    /* The platform leaves `primary` out where there is one NIC only. */
    if (!alone)
        json_object_set_new(j, "properties", json_pack("{s:b}", "primary", primary));
    return j;
}

static json_t *os_profile(struct vm *vm)
{
    json_t *os =
        json_pack("{s:s,s:s,s:[],s:b,s:b}", "computerName", vm->spec->name, "adminUsername", vm->admin,
                  "secrets", "allowExtensionOperations", 1, "requireGuestProvisionSignal", 1);
    if (vm->spec->os == OS_WINDOWS)
        json_object_set_new(os, "windowsConfiguration",
                            json_pack("{s:b,s:b}", "provisionVMAgent", 1, "enableAutomaticUpdates", 1));
    else
        json_object_set_new(
            os, "linuxConfiguration",
            json_pack("{s:b,s:b}", "disablePasswordAuthentication", 1, "provisionVMAgent", 1));
    return os;
}

json_t *arm_vm_json(struct vm *vm, bool instance_view, bool shout)
{
    const struct world_vm *s = vm->spec;
    json_t *nics = json_array();
    if (s->decoy_nic)
        json_array_append_new(nics, nic_reference(vm, false, false));
    json_array_append_new(nics, nic_reference(vm, true, !s->decoy_nic));
    json_t *p = json_pack(
        "{s:{s:s},s:s,s:s,s:o,s:{s:{s:s,s:s,s:i},s:[]},s:o,s:{s:o}}", "hardwareProfile", "vmSize",
        "Standard_B2s", "provisioningState", "Succeeded", "vmId", vm->vm_id, "osProfile", os_profile(vm),
        "storageProfile", "osDisk", "osType", s->os == OS_WINDOWS ? "Windows" : "Linux", "createOption",
        "FromImage", "diskSizeGB", 32, "dataDisks", "timeCreated", json_string("2026-01-01T00:00:00+00:00"),
        "networkProfile", "networkInterfaces", nics);
    if (s->scale_set)
        json_object_set_new(
            p, "virtualMachineScaleSet",
            json_pack("{s:o}", "id",
                      arm_id(vm, false, "Microsoft.Compute/virtualMachineScaleSets", "%s", s->scale_set)));
    if (instance_view)
        json_object_set_new(p, "instanceView", arm_instance_view(vm));
    return json_pack("{s:o,s:s,s:s,s:s,s:{},s:o}", "id", arm_id(vm, shout, TYPE, "%s", s->name), "name",
                     s->name, "type", TYPE, "location", vm->location, "tags", "properties", p);
}

void arm_vm_get(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    if (!vm || !quota_vm_take(c, vm))
        return;
    const char *expand = http_query(c->q, "$expand");
    c->r->body = arm_vm_json(vm, expand && strcasecmp(expand, "instanceView") == 0, false);
    /* The children of a VM come with it when it is asked for alone. */
    if (json_object_size(vm->extensions) > 0)
        json_object_set_new(c->r->body, "resources", arm_extensions(vm));
}

void arm_vm_instance_view(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    if (vm && quota_vm_take(c, vm))
        c->r->body = arm_instance_view(vm);
}

struct vm *arm_target(const struct arm_call *c)
{
    static const char *const suffixes[] = {"-nic", "-nic2", "-subnet-nsg", "-nsg", "-ip", "-ip6"};
    const struct world *w = &c->sb->world;
    struct vm *vm = NULL;
    if (!c->group || c->args_count == 0)
        return NULL;
    if (strcasestr(c->q->path, "/virtualMachineScaleSets/"))
        return c->args_count > 1
                   ? world_instance_find(w, c->subscription->id, c->group, c->args[0], c->args[1])
                   : NULL;
    if (strcasestr(c->q->path, "/virtualMachines/"))
        return world_vm_find(w, c->subscription->id, c->group, c->args[0]);
    for (unsigned i = 0; i < sizeof suffixes / sizeof *suffixes && !vm; i++)
        vm = network_vm(c, c->args[0], suffixes[i]);
    return vm;
}

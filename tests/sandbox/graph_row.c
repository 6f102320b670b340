/*
 * graph_row: one row of a Resource Graph answer: the columns of VM ⟕ NIC ⟕ public IP, in Resource Graph's
 * spelling.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sandbox.h"
#include "vm.h"

static json_t *lower(const char *s)
{
    char out[700];
    size_t n = 0;
    for (; s[n] && n < sizeof out - 1; n++)
        out[n] = (char)tolower((unsigned char)s[n]);
    out[n] = 0;
    return json_string(out);
}

json_t *graph_row(struct vm *vm, bool primary_nic)
{
    char power[64], private_address[ADDRESS_LEN + 8];
    snprintf(power, sizeof power, "PowerState/%s", vm_power_name(vm));
    snprintf(private_address, sizeof private_address, "%s", vm->private_address);
    if (!primary_nic)
        snprintf(private_address, sizeof private_address, "10.99.0.%u", 4 + vm->index % 250);
    json_t *nic = arm_id(vm, false, "Microsoft.Network/networkInterfaces", "%s-nic%s", vm->spec->name,
                         primary_nic ? "" : "2");
    json_t *row = json_pack(
        "{s:o,s:s,s:s,s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:b,s:s,s:s}", "id",
        arm_id(vm, false, "Microsoft.Compute/virtualMachines", "%s", vm->spec->name), "name", vm->spec->name,
        "type", "microsoft.compute/virtualmachines", "resourceGroup", lower(vm->spec->group),
        "subscriptionId", vm->subscription, "location", vm->location, "vmId", vm->vm_id, "osType",
        vm->spec->os == OS_WINDOWS ? "Windows" : "Linux", "power", power, "adminUser", vm->admin,
        "provisioning", "Succeeded", "nicId", lower(json_string_value(nic)), "ipName", "ipconfig1",
        "ipPrimary", 1, "privateIp", private_address, "publicIp", primary_nic ? vm->address : "");
    json_decref(nic);
    json_object_set_new(row, "nicPrimary", vm->spec->decoy_nic ? json_boolean(primary_nic) : json_null());
    return row;
}

/*
 * graph_row: the rows of Resource Graph's answers, in its spelling: the columns of VM ⟕ NIC ⟕ public IP that
 * adit's query projects, or a whole VM.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arm.h"
#include "base/mem.h"
#include "graph.h"
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

static json_t *joined_row(struct vm *vm, const struct graph_view *view, bool primary_nic)
{
    char power[64], private_address[ADDRESS_LEN + 8];
    snprintf(power, sizeof power, "PowerState/%s", view->power);
    snprintf(private_address, sizeof private_address, "%s", vm->private_address);
    if (!primary_nic)
        snprintf(private_address, sizeof private_address, "10.99.0.%u", 4 + vm->index % 250);
    json_t *nic = arm_id(vm, false, "Microsoft.Network/networkInterfaces", "%s-nic%s", vm->spec->name,
                         primary_nic ? "" : "2");
    json_t *row = json_pack(
        "{s:o,s:s,s:s,s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:b,s:s,s:s}", "id",
        arm_id(vm, false, "Microsoft.Compute/virtualMachines", "%s", vm->spec->name), "name", vm->spec->name,
        "type", "microsoft.compute/virtualmachines", "resourceGroup", lower(vm->spec->group),
        "subscriptionId", vm->subscription, "location", vm->location, "vmId", view->vm_id, "osType",
        vm->spec->os == OS_WINDOWS ? "Windows" : "Linux", "power", power, "adminUser", vm->admin,
        "provisioning", "Succeeded", "nicId", lower(json_string_value(nic)), "ipName", "ipconfig1",
        "ipPrimary", 1, "privateIp", private_address, "publicIp", primary_nic ? view->address : "");
    json_decref(nic);
    json_object_set_new(row, "nicPrimary", vm->spec->decoy_nic ? json_boolean(primary_nic) : json_null());
    return row;
}

static json_t *whole_vm(struct vm *vm, const struct graph_view *view)
{
    json_t *j = arm_vm_json(vm, false, false), *p = json_object_get(j, "properties");
    json_object_set_new(j, "resourceGroup", lower(vm->spec->group));
    json_object_set_new(j, "subscriptionId", json_string(vm->subscription));
    json_object_set_new(j, "type", json_string("microsoft.compute/virtualmachines"));
    json_object_set_new(p, "vmId", json_string(view->vm_id));
    json_object_set_new(p, "extended",
                        json_pack("{s:{s:{s:o}}}", "instanceView", "powerState", "code",
                                  json_sprintf("PowerState/%s", view->power)));
    return j;
}

void graph_rows_add(json_t *rows, struct vm *vm, bool joined)
{
    struct graph_view view = graph_past_view(vm);
    json_array_append_new(rows, joined ? joined_row(vm, &view, true) : whole_vm(vm, &view));
    if (joined && vm->spec->decoy_nic)
        json_array_append_new(rows, joined_row(vm, &view, false));
}

static int by_id(const void *a, const void *b)
{
    static const char *const columns[] = {"id", "nicId", "ipName"};
    json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int order = 0;
    for (unsigned i = 0; i < sizeof columns / sizeof *columns && order == 0; i++) {
        const char *s = json_string_value(json_object_get(x, columns[i]));
        const char *t = json_string_value(json_object_get(y, columns[i]));
        order = strcmp(s ? s : "", t ? t : "");
    }
    return order;
}

void graph_rows_sort(json_t *rows)
{
    size_t n = json_array_size(rows);
    json_t **all = mem_calloc(n ? n : 1, sizeof(json_t *));
    if (!all)
        return;
    for (size_t i = 0; i < n; i++)
        all[i] = json_incref(json_array_get(rows, i));
    qsort(all, n, sizeof(json_t *), by_id);
    json_array_clear(rows);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, all[i]);
    mem_free(all);
}

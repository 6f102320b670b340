/*
 * graph_row: the rows of Resource Graph's answers, in its spelling: the columns of VM ⟕ NIC ⟕ public IP that
 * adit's query projects, or a whole VM.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "arm.h"
#include "base/mem.h"
#include "graph.h"
#include "network.h"
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

static json_t *lowered(json_t *text)
{
    json_t *j = lower(json_string_value(text));
    json_decref(text);
    return j;
}

static json_t *joined_row(struct vm *vm, const struct graph_view *view, const struct network_config *n)
{
    const char *public = !*n->public ? "" : n->ipv6 ? n->public_address : view->address;
    json_t *id = arm_id(vm, false, "Microsoft.Compute/virtualMachines", "%s", vm->spec->name);
    json_t *row =
        json_pack("{s:o,s:s,s:s,s:o,s:s,s:s,s:s,s:s,s:o,s:s,s:s,s:o,s:o,s:s,s:b,s:s,s:s}", "id",
                  vm->spec->odd_casing ? lowered(id) : id, "name", vm->spec->name, "type",
                  "microsoft.compute/virtualmachines", "resourceGroup", lower(vm->spec->group),
                  "subscriptionId", vm->subscription, "location", vm->location, "vmId", view->vm_id, "osType",
                  vm->spec->os == OS_WINDOWS ? "Windows" : "Linux", "power",
                  json_sprintf("PowerState/%s", view->power), "adminUser", vm->admin, "provisioning",
                  "Succeeded", "nicId", lowered(network_nic_id(vm, n->nic_primary, false)), "nicPrimary",
                  vm->spec->decoy_nic ? json_boolean(n->nic_primary) : json_null(), "ipName", n->name,
                  "ipPrimary", n->primary, "privateIp", n->private_address, "publicIp", public);
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
    struct network_config all[NETWORK_CONFIGS_MAX];
    unsigned count = joined ? network_configs(vm, all) : 0;
    if (!joined)
        json_array_append_new(rows, whole_vm(vm, &view));
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(rows, joined_row(vm, &view, &all[i]));
}

static const char *last_project(const char *query)
{
    const char *last = NULL;
    for (const char *p = strcasestr(query, "| project "); p; p = strcasestr(p + 1, "| project "))
        last = p + sizeof "| project " - 1;
    return last;
}

void graph_rows_project(json_t *rows, const char *query)
{
    const char *list = last_project(query);
    size_t n = list ? strcspn(list, "|") : 0, i;
    json_t *row;
    if (n == 0 || memchr(list, '=', n) || memchr(list, '.', n))
        return;
    json_array_foreach(rows, i, row)
    {
        json_t *left = json_object();
        for (const char *p = list; p < list + n;) {
            p += strspn(p, " ,");
            size_t len = strcspn(p, " ,|");
            char *name = mem_strndup(p, len);
            json_t *value = name && len ? json_object_get(row, name) : NULL;
            if (value)
                json_object_set(left, name, value);
            mem_free(name);
            p += len;
        }
        json_array_set_new(rows, i, left);
    }
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

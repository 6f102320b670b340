/*
 * facts: reads a VM's document.
 */
#include "facts.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "plan.h"
#include "ref.h"

#define VM_TYPE "Microsoft.Compute/virtualMachines"
#define INSTANCE_TYPE "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
#define NIC_TYPE "Microsoft.Network/networkInterfaces"
#define INSTANCE_NIC_TYPE "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces"

static const char *text_at(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static char *segment(const char *id, unsigned n)
{
    size_t len;
    const char *p = ref_segment(id, n, &len);
    return mem_strndup(p, len);
}

/* "PowerState/running" → "running". */
static void read_view(struct facts_vm *f, const json_t *view)
{
    static const char power[] = "PowerState/";
    size_t i;
    json_t *status;
    json_array_foreach(json_object_get(view, "statuses"), i, status)
    {
        const char *code = text_at(status, "code");
        if (strncasecmp(code, power, sizeof(power) - 1) == 0)
            snprintf(f->power, sizeof(f->power), "%s", code + sizeof(power) - 1);
    }
    json_array_foreach(json_object_get(json_object_get(view, "vmAgent"), "statuses"), i, status)
        snprintf(f->agent, sizeof(f->agent), "%s", text_at(status, "displayStatus"));
}

static int read_extensions(struct facts_vm *f, const json_t *resources)
{
    size_t i;
    json_t *r;
    json_array_foreach(resources, i, r)
    {
        const json_t *p = json_object_get(r, "properties");
        if (f->extension || strcasecmp(text_at(p, "publisher"), PLAN_EXTENSION_PUBLISHER) != 0 ||
            strcasecmp(text_at(p, "type"), PLAN_EXTENSION_NAME) != 0)
            continue;
        const char *name = *text_at(r, "name") ? text_at(r, "name") : ref_name(text_at(r, "id"));
        f->extension = mem_strdup(*ref_name(name) ? ref_name(name) : name); /* "vm/name" in lists */
        if (!f->extension)
            return ERR_NOMEM;
        snprintf(f->extension_state, sizeof(f->extension_state), "%s", text_at(p, "provisioningState"));
    }
    return 0;
}

static int read_nics(struct facts_vm *f, const json_t *list)
{
    size_t i;
    json_t *n;
    json_array_foreach(list, i, n)
    {
        const char *id = text_at(n, "id");
        if (f->nic_count == FACTS_NICS_MAX || !(ref_is(id, NIC_TYPE) || ref_is(id, INSTANCE_NIC_TYPE)))
            continue;
        char *copy = mem_strdup(id);
        if (!copy)
            return ERR_NOMEM;
        f->nics[f->nic_count++] = copy;
        if (f->nic_count > 1 && json_is_true(json_object_get(json_object_get(n, "properties"), "primary"))) {
            f->nics[f->nic_count - 1] = f->nics[0];
            f->nics[0] = copy;
        }
    }
    return 0;
}

static int fill(struct facts_vm *f, const char *id, const json_t *doc)
{
    const json_t *p = json_object_get(doc, "properties"), *zones = json_object_get(doc, "zones");
    const json_t *disk = json_object_get(json_object_get(p, "storageProfile"), "osDisk");
    const json_t *os = json_object_get(p, "osProfile"), *network = json_object_get(p, "networkProfile");
    const char *zone = json_string_value(json_array_get(zones, 0));
    f->uniform = ref_is(id, INSTANCE_TYPE);
    f->id = mem_strdup(id);
    f->subscription = segment(id, 2);
    f->group = segment(id, 4);
    f->name = segment(id, 8);
    f->location = mem_strdup(text_at(doc, "location"));
    f->zone = mem_strdup(zone ? zone : "");
    f->vm_id = mem_strdup(text_at(p, "vmId"));
    f->admin = mem_strdup(text_at(os, "adminUsername"));
    f->windows = strcasecmp(text_at(disk, "osType"), "Windows") == 0 ||
                 json_object_get(os, "windowsConfiguration") != NULL;
    read_view(f, json_object_get(p, "instanceView"));
    if (!f->id || !f->subscription || !f->group || !f->name || !f->location || !f->zone || !f->vm_id ||
        !f->admin || read_extensions(f, json_object_get(doc, "resources")))
        return ERR_NOMEM;
    return read_nics(f, json_object_get(network, "networkInterfaces"));
}

int facts_vm_parse(struct facts_vm *out, const char *asked, const json_t *doc, struct err *err)
{
    const char *id = text_at(doc, "id");
    memset(out, 0, sizeof(*out));
    if (!json_is_object(json_object_get(doc, "properties")))
        return err_set(err, ERR_PROTOCOL, "what ARM sent is no VM");
    if (!ref_is(id, VM_TYPE) && !ref_is(id, INSTANCE_TYPE))
        id = asked;
    if (fill(out, id, doc) == 0)
        return 0;
    facts_vm_done(out);
    return err_set(err, ERR_NOMEM, "out of memory");
}

void facts_vm_done(struct facts_vm *f)
{
    mem_free(f->id);
    mem_free(f->subscription);
    mem_free(f->group);
    mem_free(f->name);
    mem_free(f->location);
    mem_free(f->zone);
    mem_free(f->vm_id);
    mem_free(f->admin);
    mem_free(f->extension);
    for (size_t i = 0; i < f->nic_count; i++)
        mem_free(f->nics[i]);
    memset(f, 0, sizeof(*f));
}

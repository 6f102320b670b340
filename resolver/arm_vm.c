/*
 * arm_vm: the parser of a VM's reply.
 */
#include "arm_vm.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "facts_build.h"

/* The statuses are a list of which one is the power state; the last one wins, as in the portal. */
static enum resolver_power power_of(const json_t *properties)
{
    const json_t *statuses = json_object_get(json_object_get(properties, "instanceView"), "statuses");
    enum resolver_power power = RESOLVER_POWER_UNKNOWN;
    size_t i;
    json_t *status;
    json_array_foreach(statuses, i, status)
    {
        enum resolver_power p = facts_power_of(facts_text(status, "code"));
        power = p != RESOLVER_POWER_UNKNOWN ? p : power;
    }
    return power;
}

static int nics_of(struct arm_vm *vm, const json_t *properties)
{
    const json_t *list = json_object_get(json_object_get(properties, "networkProfile"), "networkInterfaces");
    size_t i, primary = 0;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *id = facts_text(item, "id");
        if (!id || !arm_id_is(id, "Microsoft.Network/networkInterfaces"))
            continue;
        if (vm->nic_count == ARM_VM_NICS_MAX) {
            log_warn((&(struct log_ctx){.module = "resolver", .vm = vm->facts->name}),
                     "it has more than %d network interfaces; the others are left out", ARM_VM_NICS_MAX);
            break;
        }
        if (json_is_true(json_object_get(json_object_get(item, "properties"), "primary")))
            primary = vm->nic_count;
        vm->nics[vm->nic_count].id = mem_strdup(id);
        if (!vm->nics[vm->nic_count].id)
            return ERR_NOMEM;
        vm->nic_count++;
    }
    /* A single interface need not say that it is the primary one. */
    if (vm->nic_count) {
        struct arm_vm_nic first = vm->nics[primary];
        memmove(vm->nics + 1, vm->nics, primary * sizeof(first));
        first.primary = true;
        vm->nics[0] = first;
    }
    return 0;
}

int arm_vm_parse(struct arm_vm *out, const json_t *json, struct err *err)
{
    const json_t *properties = json_object_get(json, "properties");
    const json_t *storage = json_object_get(properties, "storageProfile");
    memset(out, 0, sizeof(*out));
    int rc = facts_new(&out->facts, facts_text(json, "id"), RESOLVER_SOURCE_ARM, err);
    if (rc)
        return rc;
    struct resolver_facts *f = out->facts;
    f->power = power_of(properties);
    f->os = facts_os_of(facts_text(json_object_get(storage, "osDisk"), "osType"));
    if (facts_keep(&f->vm_id, facts_text(properties, "vmId")) ||
        facts_keep(&f->location, facts_text(json, "location")) ||
        facts_keep(&f->admin_user, facts_text(json_object_get(properties, "osProfile"), "adminUsername")) ||
        facts_keep(&f->provisioning, facts_text(properties, "provisioningState")) ||
        nics_of(out, properties)) {
        arm_vm_done(out);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    return 0;
}

int arm_vm_check(const struct arm_vm *vm, const struct arm_vm_id *asked, struct err *err)
{
    struct arm_vm_id got;
    if (arm_vm_id_parse(vm->facts->id, &got) && strcasecmp(got.subscription, asked->subscription) == 0 &&
        strcasecmp(got.group, asked->group) == 0 && strcasecmp(got.name, asked->name) == 0 &&
        strcmp(got.instance, asked->instance) == 0)
        return 0;
    return err_set(err, ERR_PROTOCOL, "ARM's answer is about another VM: %s", vm->facts->id);
}

void arm_vm_done(struct arm_vm *vm)
{
    resolver_facts_unref(vm->facts);
    for (size_t i = 0; i < vm->nic_count; i++)
        mem_free(vm->nics[i].id);
    memset(vm, 0, sizeof(*vm));
}

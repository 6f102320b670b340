/*
 * config_vm: VMs outside a snapshot (copies, and VMs that no file names), and questions about one VM.
 */
#include <string.h>

#include "base/mem.h"
#include "config.h"
#include "snapshot.h"
#include "ssh_settings.h"

void config_vm_free(struct config_vm *vm)
{
    if (!vm)
        return;
    snapshot_vm_done(vm);
    mem_free(vm);
}

const struct config_vm *config_vm_find(const struct config *c, const char *typed)
{
    struct vm_name name;
    const struct config_vm *found = config_vm_by_alias(c, typed);

    if (found || vm_name_parse(&name, typed, NULL) < 0)
        return found;
    for (size_t i = 0; !found && i < c->vm_count; i++)
        if (vm_name_equal(&c->vms[i].vm, &name))
            found = &c->vms[i];
    vm_name_done(&name);
    return found;
}

bool config_vm_is_bulk(const struct config_vm *vm, uint16_t listen_port)
{
    for (size_t i = 0; i < vm->bulk_count; i++)
        if (vm->bulk_ports[i] == listen_port)
            return true;
    return false;
}

static int copy_into(struct config_vm *vm, const struct config_vm *in)
{
    if (ssh_settings_copy(&vm->ssh, &in->ssh) < 0 || vm_name_copy(&vm->vm, &in->vm) < 0)
        return ERR_NOMEM;
    vm->up = in->up;
    vm->alias = mem_strdup(in->alias);
    vm->via = mem_strdup(in->via);
    vm->note = mem_strdup(in->note);
    vm->forwards = mem_calloc(in->forward_count + 1, sizeof *vm->forwards);
    vm->bulk_ports = mem_calloc(in->bulk_count + 1, sizeof *vm->bulk_ports);
    if (!vm->alias || (in->via && !vm->via) || (in->note && !vm->note) || !vm->forwards || !vm->bulk_ports)
        return ERR_NOMEM;
    for (; vm->bulk_count < in->bulk_count; vm->bulk_count++)
        vm->bulk_ports[vm->bulk_count] = in->bulk_ports[vm->bulk_count];
    for (; vm->forward_count < in->forward_count; vm->forward_count++)
        if (forward_spec_copy(&vm->forwards[vm->forward_count], &in->forwards[vm->forward_count]) < 0)
            return ERR_NOMEM;
    return 0;
}

int config_vm_copy(const struct config_vm *in, struct config_vm **out)
{
    struct config_vm *vm = mem_zalloc(sizeof *vm);
    if (!vm || copy_into(vm, in) < 0) {
        config_vm_free(vm);
        return ERR_NOMEM;
    }
    *out = vm;
    return 0;
}

static int adhoc_into(struct config_vm *vm, const struct config *c, const char *name, const char *user,
                      struct err *err)
{
    vm->up = true;
    int rc = vm_name_parse(&vm->vm, name, err);
    if (rc < 0)
        return rc;
    const struct raw_ssh raw = {.user = (char *)user};
    rc = ssh_settings_apply(&vm->ssh, &c->defaults, &raw, NULL, err);
    if (rc < 0)
        return rc;
    vm->alias = vm_name_text(&vm->vm);
    vm->forwards = mem_calloc(1, sizeof *vm->forwards);
    vm->bulk_ports = mem_calloc(1, sizeof *vm->bulk_ports);
    return vm->alias && vm->forwards && vm->bulk_ports ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

int config_vm_adhoc(const struct config *c, const char *name, const char *user, struct config_vm **out,
                    struct err *err)
{
    struct config_vm *vm = mem_zalloc(sizeof *vm);
    if (!vm)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = adhoc_into(vm, c, name, user, err);
    if (rc < 0)
        config_vm_free(vm);
    else
        *out = vm;
    return rc;
}

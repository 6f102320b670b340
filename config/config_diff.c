/*
 * config_diff: what changed between two snapshots, VM by VM.
 */
#include <string.h>
#include <strings.h>

#include "config.h"
#include "ssh_settings.h"

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_reach(const struct config_vm *a, const struct config_vm *b)
{
    bool via = a->via && b->via ? strcasecmp(a->via, b->via) == 0 : a->via == b->via;
    return via && vm_name_equal(&a->vm, &b->vm) && ssh_settings_equal(&a->ssh, &b->ssh);
}

static bool same_end(const struct forward_end *a, const struct forward_end *b)
{
    return a->port == b->port && same_text(a->host, b->host) && same_text(a->path, b->path);
}

static bool same_forwards(const struct config_vm *a, const struct config_vm *b)
{
    if (a->forward_count != b->forward_count || a->bulk_count != b->bulk_count || a->up != b->up)
        return false;
    for (size_t i = 0; i < a->forward_count; i++) {
        const struct forward_spec *f = &a->forwards[i], *g = &b->forwards[i];
        if (f->kind != g->kind || !same_end(&f->listen, &g->listen) || !same_end(&f->target, &g->target) ||
            strcmp(f->text, g->text) != 0)
            return false;
    }
    return a->bulk_count == 0 ||
           memcmp(a->bulk_ports, b->bulk_ports, a->bulk_count * sizeof *a->bulk_ports) == 0;
}

enum config_change config_vm_change(const struct config_vm *before, const struct config_vm *after)
{
    if (!same_reach(before, after))
        return CONFIG_VM_REACH_CHANGED;
    return same_forwards(before, after) ? CONFIG_VM_SAME : CONFIG_VM_FORWARDS_CHANGED;
}

void config_diff(const struct config *before, const struct config *after, config_diff_cb cb, void *arg)
{
    for (size_t i = 0; before && i < before->vm_count; i++)
        if (!after || !config_vm_by_alias(after, before->vms[i].alias))
            cb(arg, CONFIG_VM_REMOVED, &before->vms[i], NULL);
    for (size_t i = 0; after && i < after->vm_count; i++) {
        const struct config_vm *now = &after->vms[i];
        const struct config_vm *then = before ? config_vm_by_alias(before, now->alias) : NULL;
        enum config_change change = then ? config_vm_change(then, now) : CONFIG_VM_ADDED;
        if (change != CONFIG_VM_SAME)
            cb(arg, change, then, now);
    }
}

/*
 * table: the VMs that the main loop knows: by alias, by id, and on which worker each one lives.
 *
 * A VM that is reached through another lives on that one's worker, so that bytes between the two cross no
 * thread.
 */
#include <string.h>

#include "base/mem.h"
#include "front.h"

#define SLOT_BITS 16
_Static_assert(FRONT_VMS_MAX <= 1 << SLOT_BITS, "a slot number fits into the id");

struct front_vm *table_find(const struct proxy *p, const char *alias)
{
    return map_get(p->by_alias, alias);
}

struct front_vm *table_by_id(const struct proxy *p, uint64_t id)
{
    size_t slot = id & ((1u << SLOT_BITS) - 1);
    struct front_vm *vm = slot < FRONT_VMS_MAX ? p->slots[slot] : NULL;
    return vm && vm->id == id ? vm : NULL;
}

int table_add(struct proxy *p, struct config_vm *config, struct front_vm **out, struct err *err)
{
    size_t slot = 0;
    while (slot < FRONT_VMS_MAX && p->slots[slot])
        slot++;
    struct front_vm *vm = slot < FRONT_VMS_MAX ? mem_zalloc(sizeof *vm) : NULL;
    if (!vm) {
        config_vm_free(config);
        if (slot == FRONT_VMS_MAX)
            return err_set(err, ERR_LIMIT, "there are %zu VMs already", FRONT_VMS_MAX);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    if (map_set(p->by_alias, config->alias, vm, NULL) < 0) {
        config_vm_free(config);
        mem_free(vm);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    vm->proxy = p;
    vm->config = config;
    vm->id = ++p->next_id << SLOT_BITS | slot;
    vm->order = CONFIG_VMS_MAX + ++p->next_order;
    list_init(&vm->runtimes);
    list_push(&p->vms, &vm->node);
    p->slots[slot] = vm;
    p->vm_count++;
    *out = vm;
    return 0;
}

static void runtime_free(struct front_runtime *r)
{
    list_remove(&r->node);
    forward_spec_done(&r->spec);
    mem_free(r);
}

void table_remove(struct front_vm *vm)
{
    struct proxy *p = vm->proxy;
    if (vm->reach)
        reach_cancel(vm->reach);
    struct list *node;
    while ((node = list_first(&vm->runtimes)) != NULL)
        runtime_free(container_of(node, struct front_runtime, node));
    map_remove(p->by_alias, vm->config->alias);
    p->slots[vm->id & ((1u << SLOT_BITS) - 1)] = NULL;
    p->vm_count--;
    list_remove(&vm->node);
    config_vm_free(vm->config);
    mem_free(vm);
}

bool table_is_via(const struct front_vm *vm)
{
    const struct front_vm *other;
    list_each(other, &vm->proxy->vms, struct front_vm, node)
    {
        if (other->via == vm->id)
            return true;
    }
    return false;
}

void table_collect(struct front_vm *vm)
{
    if (vm->configured || !vm->adhoc || !list_empty(&vm->runtimes))
        return;
    if (table_is_via(vm)) {
        vm->adhoc = vm->wanted =
            false; /* others still need it; it is not kept up for its own sake any more */
        front_post_set(vm, 0, NULL);
        return;
    }
    if (vm->placed)
        front_post_drop(vm, NULL);
    table_remove(vm);
}

int table_via(struct proxy *p, const char *name, const struct front_vm *self, struct front_vm **out,
              struct err *err)
{
    *out = table_find(p, name);
    if (*out)
        return 0;
    struct config_vm *config;
    int r = config_vm_adhoc(p->config, name, NULL, &config, err);
    if (r < 0) {
        err_wrap(err, "via %s", name);
        return r;
    }
    /* The name may be that of a known VM under another alias. */
    struct front_vm *other;
    list_each(other, &p->vms, struct front_vm, node)
    {
        if (other != self && vm_name_equal(&other->config->vm, &config->vm)) {
            config_vm_free(config);
            *out = other;
            return 0;
        }
    }
    return table_add(p, config, out, err);
}

int table_route(struct front_vm *vm, bool *moved, struct err *err)
{
    struct proxy *p = vm->proxy;
    struct front_vm *root = vm;
    for (int depth = 0; root->config->via; depth++) {
        struct front_vm *next;
        if (depth == FRONT_VIA_DEPTH_MAX)
            return err_set(err, ERR_INVAL, "vm %s: via: leads in a circle, or through more than %d VMs",
                           vm->config->alias, FRONT_VIA_DEPTH_MAX);
        int r = table_via(p, root->config->via, root, &next, err);
        if (r < 0) {
            err_wrap(err, "vm %s", vm->config->alias);
            return r;
        }
        root->via = next->id;
        root = next;
    }
    root->via = 0;
    if (!root->placed && root != vm) {
        root->worker = p->next_worker++ % p->worker_count;
        root->placed = front_post_set(root, 0, NULL);
    }
    unsigned worker = root == vm && !vm->placed ? p->next_worker++ % p->worker_count : root->worker;
    *moved = vm->placed && worker != vm->worker;
    vm->worker = worker;
    /* Those in between that are new must be there, too. */
    for (struct front_vm *v = table_by_id(p, vm->via); v; v = table_by_id(p, v->via)) {
        if (v->placed)
            continue;
        v->worker = worker;
        v->placed = front_post_set(v, 0, NULL);
    }
    return 0;
}

int table_runtime_add(struct front_vm *vm, const struct forward_spec *spec)
{
    struct front_runtime *r = mem_zalloc(sizeof *r);
    if (!r || forward_spec_copy(&r->spec, spec) < 0) {
        mem_free(r);
        return ERR_NOMEM;
    }
    list_push(&vm->runtimes, &r->node);
    return 0;
}

void table_runtime_remove(struct front_vm *vm, const struct forward_spec *spec)
{
    char *wanted = forward_spec_canonical(spec);
    struct front_runtime *r;
    list_each(r, &vm->runtimes, struct front_runtime, node)
    {
        char *has = r->spec.kind == spec->kind ? forward_spec_canonical(&r->spec) : NULL;
        bool same = wanted && has && strcmp(wanted, has) == 0;
        mem_free(has);
        if (same) {
            runtime_free(r);
            break;
        }
    }
    mem_free(wanted);
}

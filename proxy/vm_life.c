/*
 * vm_life: making a VM, giving it its configuration, taking it down, removing it.
 *
 * A removed VM is out of everybody's sight at once; its memory goes when its last connection has said
 * goodbye.
 */
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "forward.h"
#include "vm.h"

static void on_timer(struct timer *t)
{
    vm_timer_fired(container_of(t, struct vm, timer));
}

static void vm_free(struct vm *vm)
{
    struct plane *plane = vm->plane;
    list_remove(&vm->node);
    pool_done(&vm->pool);
    vm_forget_reach(vm);
    timer_stop(&vm->timer);
    asking_forget(vm); /* a last connection may have come up late */
    config_vm_free(vm->config);
    mem_free(vm);
    plane_vm_gone(plane);
}

static void on_kick(struct ready *r)
{
    struct vm *vm = container_of(r, struct vm, kick);
    if (!vm->dropped)
        vm_step(vm);
    else if (pool_total(&vm->pool) == 0)
        vm_free(vm);
}

void vm_pool_empty(struct vm *vm)
{
    if (vm->dropped)
        ready_push(vm->plane->o.ready, &vm->kick);
}

int vm_new(struct vm **out, struct plane *plane, uint64_t id, struct err *err)
{
    struct vm *vm = mem_zalloc(sizeof *vm);
    if (!vm)
        return err_set(err, ERR_NOMEM, "out of memory");
    vm->plane = plane;
    vm->id = id;
    vm->since_wall_ms = clock_wall_ms();
    timer_init(&vm->timer, plane->o.clock, on_timer);
    ready_init(&vm->kick, on_kick);
    list_init(&vm->forwards);
    list_init(&vm->waits);
    pool_init(&vm->pool, vm);
    list_push(&plane->vms, &vm->node);
    *out = vm;
    return 0;
}

void vm_set(struct vm *vm, struct config_vm *config, uint64_t via, unsigned flags, struct err *listen_err)
{
    bool first = !vm->config;
    config_vm_free(vm->config);
    vm->config = config;
    vm->via = via;
    snprintf(vm->label, sizeof vm->label, "vm %s", config->alias);
    if (flags & MAIL_TRIM) {
        vm_forwards_sync(vm, true, NULL);
        return;
    }
    bool wanted = (flags & MAIL_WANTED) != 0;
    bool down = vm->wanted && !wanted;
    vm->wanted = wanted;
    if (down) {
        log_info(VM_LOG_CTX(vm), "%s: taken down", vm->label);
        vm_stop_listening(vm);
        vm_stop_trying(vm);
        asking_forget(vm);
    } else if ((flags & MAIL_REACH_CHANGED) && !first) {
        pool_drain(&vm->pool);
        vm_forwards_down(vm);
        vm_forget_reach(vm);
        asking_forget(vm);
    }
    if (wanted)
        vm_forwards_sync(vm, false, listen_err);
    vm_demand(vm);
}

void vm_stop_listening(struct vm *vm)
{
    struct forward *f;
    list_each(f, &vm->forwards, struct forward, node)
    {
        if (vm->plane->stopping)
            forward_mute(f);
        else
            forward_stop(f);
    }
}

void vm_drop(struct vm *vm)
{
    if (vm->dropped)
        return;
    struct err err = {0};
    err_set(&err, ERR_CANCELED, "%s was removed", vm->label);
    vm->dropped = true;
    asking_forget(vm);
    vm_forget_reach(vm);
    vm_wait_cancel_all(vm, &err);
    vm_forwards_free(vm);
    pool_fail_waiters(&vm->pool, &err);
    pool_close(&vm->pool);
    ready_push(vm->plane->o.ready, &vm->kick);
}

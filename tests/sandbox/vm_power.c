/*
 * vm_power: starts, deallocates and re-creates a VM, and keeps its door as its state says.
 *
 *   DEALLOCATED --vm_boot--> STARTING --process ready--> RUNNING --vm_deallocate--> DEALLOCATED
 *        STOPPED --vm_boot--^                               +-------vm_stop-------> STOPPED
 *
 * Failures: the process cannot be started or says why it could not come up (the VM is deallocated again and
 * the caller told); it ends by itself later (said on standard error; the VM stays RUNNING and refuses).
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "sandbox.h"
#include "sshd.h"
#include "vm.h"
#include "vmhost.h"

static enum door_state door_wanted(const struct vm *vm)
{
    if (!*vm->address || !vm->ready)
        return DOOR_SHUT;
    if (!vm_port_open(vm) || vm->faults.blackhole)
        return DOOR_SWALLOW;
    return vm_has_sshd(vm) ? DOOR_OPEN : DOOR_SHUT;
}

int vm_update(struct vm *vm, struct err *err)
{
    enum door_state want = door_wanted(vm);
    int rc = 0;
    if (want == DOOR_SHUT)
        vm->relay_listens = false;
    if (vm->ready && vm_has_sshd(vm))
        rc = vm_ask(vm, VMHOST_SSHD, -1, err);
    /* The relay must not take our filler for a client: it stops accepting first and starts again last. */
    vm->faults.swallow = want == DOOR_SWALLOW;
    if (!rc && vm->ready && want == DOOR_SWALLOW)
        rc = vm_ask(vm, VMHOST_FAULTS, -1, err);
    rc = rc ? rc : door_set(&vm->door, vm->address, vm->port, want, err);
    if (!rc && want == DOOR_OPEN && !vm->relay_listens) {
        rc = vm_ask(vm, VMHOST_OPEN, vm->door.fd, err);
        vm->relay_listens = rc == 0;
    }
    if (!rc && vm->ready && want != DOOR_SWALLOW)
        rc = vm_ask(vm, VMHOST_FAULTS, -1, err);
    return rc;
}

static void boot_end(struct vm *vm, const struct err *err)
{
    vm_done_cb cb = vm->booted;
    void *arg = vm->booted_arg;
    vm->booted = NULL;
    if (err)
        vm_deallocate(vm);
    if (cb)
        cb(arg, err);
}

static void on_control(uv_poll_t *p, int status, int events)
{
    (void)events;
    (void)status;
    struct vm *vm = p->data;
    struct vmhost_reply r;
    struct err err = {0};
    ssize_t n = recv(vm->control, &r, sizeof r, MSG_DONTWAIT);
    if (n == (ssize_t)sizeof r) {
        if (r.err.code == 0) {
            vm->ready = true;
            vm->power = VM_RUNNING;
            r.err.code = vm_update(vm, &r.err);
        }
        err_copy(&err, &r.err, 0);
        err_wrap(&err, "vm %s", vm->spec->name);
        boot_end(vm, r.err.code ? &err : NULL);
        return;
    }
    if (n < 0)
        return;
    err_set(&err, ERR_CLOSED, "vm %s: its process ended", vm->spec->name);
    bool was_ready = vm->ready;
    vm_process_end(vm);
    door_shut(&vm->door);
    if (was_ready)
        fprintf(stderr, "adit-sandbox: %s\n", err.msg);
    else
        boot_end(vm, &err);
}

int vm_boot(struct vm *vm, vm_done_cb cb, void *arg, struct err *err)
{
    if (vm_runs(vm))
        return err_set(err, ERR_EXISTS, "vm %s is %s", vm->spec->name, vm_power_name(vm));
    if (vm->spec->synthetic)
        return vm_synthetic_boot(vm, cb, arg, err);
    int rc = 0;
    if (vm->ip)
        rc = public_ip_allocate(vm->sb, vm->ip, err);
    rc = rc ? rc : vm_process_start(vm, err);
    if (rc)
        return rc;
    vm->power = VM_STARTING;
    vm->booted = cb;
    vm->booted_arg = arg;
    vm->poll = mem_zalloc(sizeof *vm->poll);
    if (!vm->poll) {
        vm_deallocate(vm);
        return err_set(err, ERR_NOMEM, "vm %s: out of memory", vm->spec->name);
    }
    uv_poll_init(&vm->sb->loop, vm->poll, vm->control);
    vm->poll->data = vm;
    uv_poll_start(vm->poll, UV_READABLE, on_control);
    return 0;
}

static void end(struct vm *vm, enum vm_power power)
{
    door_shut(&vm->door);
    vm_process_end(vm);
    vm_synthetic_end(vm);
    if (vm->ip && power == VM_DEALLOCATED)
        public_ip_release(vm->sb, vm->ip);
    vm->power = power;
    vm->stats = (struct relay_stats){0};
    if (vm->booted) {
        struct err err = {0};
        err_set(&err, ERR_CANCELED, "vm %s was %s while it started", vm->spec->name, vm_power_name(vm));
        vm_done_cb cb = vm->booted;
        vm->booted = NULL;
        cb(vm->booted_arg, &err);
    }
}

void vm_deallocate(struct vm *vm)
{
    end(vm, VM_DEALLOCATED);
}

void vm_stop(struct vm *vm)
{
    end(vm, VM_STOPPED);
}

int vm_recreate(struct vm *vm, vm_done_cb cb, void *arg, struct err *err)
{
    bool ran = vm_runs(vm);
    if (vm->power == VM_STARTING)
        return err_set(err, ERR_UNAVAILABLE, "vm %s is starting; wait until it runs", vm->spec->name);
    door_shut(&vm->door);
    vm_process_end(vm);
    world_uuid(vm->vm_id);
    vm->power = VM_DEALLOCATED;
    int rc = vm->spec->synthetic ? 0 : sshd_host_keys_new(vm->dir, err);
    if (rc)
        return rc;
    if (ran)
        return vm_boot(vm, cb, arg, err);
    cb(arg, NULL);
    return 0;
}

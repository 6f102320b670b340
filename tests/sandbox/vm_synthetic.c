/*
 * vm_synthetic: a VM that exists in ARM only: no process, no directory, and nothing behind its address.
 *
 * Its public address is one of 127.68.0.0/14, where connections are refused unless another server on this
 * machine listens on every address.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox.h"
#include "vm.h"

#define HOSTS 250U
#define FIRST 4U
#define NETS 250U

void vm_synthetic_address(struct vm *vm, char out[ADDRESS_LEN])
{
    unsigned n = vm->sb->synthetic_serial++;
    snprintf(out, ADDRESS_LEN, "127.%u.%u.%u", 68 + n / (HOSTS * NETS) % 4, n / HOSTS % NETS,
             FIRST + n % HOSTS);
}

void vm_synthetic_init(struct vm *vm)
{
    snprintf(vm->private_address, sizeof vm->private_address, "10.%u.%u.%u",
             67 + vm->index / (HOSTS * NETS) % 4, vm->index / HOSTS % NETS, FIRST + vm->index % HOSTS);
    vm->port = 22;
    if (vm->spec->power == INITIAL_RUNNING)
        vm->power = VM_RUNNING;
}

static void on_timer_closed(uv_handle_t *h)
{
    mem_free(h);
}

void vm_synthetic_end(struct vm *vm)
{
    if (vm->boot)
        uv_close((uv_handle_t *)vm->boot, on_timer_closed);
    vm->boot = NULL;
}

static void on_boot(uv_timer_t *t)
{
    struct vm *vm = t->data;
    vm_done_cb cb = vm->booted;
    vm_synthetic_end(vm);
    vm->power = VM_RUNNING;
    vm->booted = NULL;
    if (cb)
        cb(vm->booted_arg, NULL);
}

int vm_synthetic_boot(struct vm *vm, vm_done_cb cb, void *arg, struct err *err)
{
    vm->boot = mem_zalloc(sizeof *vm->boot);
    if (!vm->boot)
        return err_set(err, ERR_NOMEM, "vm %s: out of memory", vm->spec->name);
    int rc = vm->ip ? public_ip_allocate(vm->sb, vm->ip, err) : 0;
    if (rc)
        return rc;
    vm->power = VM_STARTING;
    vm->booted = cb;
    vm->booted_arg = arg;
    uv_timer_init(&vm->sb->loop, vm->boot);
    vm->boot->data = vm;
    uv_timer_start(vm->boot, on_boot, 0, 0);
    return 0;
}

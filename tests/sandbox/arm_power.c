/*
 * arm_power: start, deallocate, powerOff and restart of a VM.
 *
 * The power state says at once that the change is under way; the change itself comes with the operation's
 * end, but for the end of the machine, which does not wait.
 */
#include "lro.h"
#include "sandbox.h"
#include "vm.h"

static struct lro *operation(struct arm_call *c, struct vm *vm, lro_work_cb work)
{
    struct lro *o = lro_new(c, LRO_ACTION, vm, NULL, work);
    if (o)
        o->input = json_pack("{s:i}", "power", (int)vm->power);
    return o;
}

static void power_back(struct lro *o)
{
    if (!vm_runs(o->vm))
        o->vm->power = (enum vm_power)json_integer_value(json_object_get(o->input, "power"));
}

static void on_booted(void *arg, const struct err *err)
{
    lro_finish(arg, err);
}

static void start_work(struct lro *o)
{
    struct err err = {0};
    if (vm_runs(o->vm))
        lro_finish(o, NULL);
    else if (vm_boot(o->vm, on_booted, o, &err) < 0)
        lro_finish(o, &err);
}

void arm_vm_start(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    struct lro *o = vm ? operation(c, vm, start_work) : NULL;
    if (!o)
        return;
    o->spoil = power_back;
    if (vm->power == VM_DEALLOCATED || vm->power == VM_STOPPED)
        vm->power = VM_STARTING;
}

static void restart_work(struct lro *o)
{
    if (o->vm->power == VM_RUNNING)
        vm_stop(o->vm);
    start_work(o);
}

void arm_vm_restart(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    if (vm && vm->power != VM_RUNNING)
        arm_error(c->r, 409, "OperationNotAllowed",
                  "The operation requires the VM to be running (or set to run).");
    else if (vm)
        operation(c, vm, restart_work);
}

static void deallocate_work(struct lro *o)
{
    if (o->vm->power == VM_DEALLOCATING)
        o->vm->power = VM_DEALLOCATED;
    lro_finish(o, NULL);
}

void arm_vm_deallocate(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    struct lro *o = vm ? operation(c, vm, deallocate_work) : NULL;
    if (!o || *o->told_code || vm->power == VM_DEALLOCATED)
        return;
    vm_deallocate(vm);
    vm->power = VM_DEALLOCATING;
}

static void power_off_work(struct lro *o)
{
    if (o->vm->power == VM_STOPPING)
        o->vm->power = VM_STOPPED;
    lro_finish(o, NULL);
}

void arm_vm_power_off(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    struct lro *o = vm ? operation(c, vm, power_off_work) : NULL;
    if (!o || *o->told_code || vm->power == VM_DEALLOCATED || vm->power == VM_STOPPED)
        return;
    vm_stop(vm);
    vm->power = VM_STOPPING;
}

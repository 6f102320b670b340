/*
 * step_vm: signed in to Azure, and the VM is there: one look-up and one GET answer both.
 *
 *   locate ──its ID──▶ GET the VM ──▶ sign-in passes; what came of the GET is the next step's to tell
 *
 * Failure modes: no token, or Azure does not answer: sign-in fails and nothing else is known. Anything that
 * ARM itself says (no such VM, several, not allowed) means that signing in worked.
 */
#include <string.h>

#include "base/mem.h"
#include "ref.h"
#include "run.h"

#define VM_QUERY "$expand=instanceView&api-version=" COMPUTE_API

static bool is_about_signing_in(const struct err *err)
{
    switch (err->code) {
    case ERR_AUTH:
    case ERR_UNAVAILABLE:
    case ERR_UNREACHABLE:
    case ERR_TIMEOUT:
    case ERR_CLOSED:
    case ERR_THROTTLED:
        return true;
    default:
        return false;
    }
}

/* err: why the VM is not known, or NULL. */
static void judge(struct prepare_run *run, const struct err *err)
{
    const enum prepare_step s = PREPARE_SIGN_IN;
    err_copy(&run->vm_err, err, 0);
    if (err && err->code == ERR_NOMEM) {
        run_break(run, err);
    } else if (err && (err->code == ERR_INVAL || err->code == ERR_CONFIG) && !run->id) {
        step_skip(run, s, "Azure was not asked"); /* the name itself is no VM's */
    } else if (err && is_about_signing_in(err)) {
        step_fail(run, s, err->code, "%s", err->msg);
        step_hint(run, s, false, "%s",
                  err->code == ERR_AUTH ? "sign in with `adit login` or `az login`, and run it again"
                                        : "look at the network, and run it again");
    } else {
        step_pass(run, s, "Azure gives a token");
    }
}

static int take_vm(struct prepare_run *run, const json_t *doc, struct err *err)
{
    struct facts_vm vm;
    int rc = facts_vm_parse(&vm, run->id, doc, err);
    if (rc < 0)
        return rc;
    if (run->vm_known)
        facts_vm_done(&run->vm);
    run->vm = vm;
    run->vm_known = true;
    return 0;
}

static void on_vm(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    struct err why = {0};
    if (!err && take_vm(run, doc, &why) == 0)
        plan_build(run, &why);
    judge(run, err ? err : why.code ? &why : NULL);
}

static void on_located(struct prepare_run *run, const char *id, const struct err *err)
{
    struct err why = {0};
    if (err) {
        judge(run, err);
        return;
    }
    run->id = mem_strdup(id);
    if (!run->id)
        err_set(&why, ERR_NOMEM, "out of memory");
    else if (!ref_is(id, "Microsoft.Compute/virtualMachines") &&
             !ref_is(id, "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"))
        err_set(&why, ERR_UNSUPPORTED, "%s is no VM of Azure Resource Manager", id);
    else
        call_get(run, run->id, NULL, VM_QUERY, on_vm, 0, &why);
    if (why.code)
        judge(run, &why);
}

void sign_in_check(struct prepare_run *run, enum prepare_step s)
{
    struct err why = {0};
    step_doing(run, s, "looking for %s in Azure", run->o.alias);
    if (call_locate(run, on_located, &why) < 0)
        judge(run, &why);
}

/* What earlier runs changed must be readable before this one changes more. */
static bool record_fits(struct prepare_run *run)
{
    if (run->o.mode == PREPARE_CHECK)
        return true;
    struct record_vm *r = run_recall(run);
    record_free(r);
    return r != NULL;
}

void vm_step_check(struct prepare_run *run, enum prepare_step s)
{
    const struct facts_vm *vm = &run->vm;
    if (run->vm_err.code) {
        step_fail_err(run, s, &run->vm_err);
        if (run->vm_err.code == ERR_UNSUPPORTED)
            step_hint(run, s, false, "classic VMs are not supported: move it to Azure Resource Manager");
        else if (run->vm_err.code == ERR_NOTFOUND || run->vm_err.code == ERR_AMBIGUOUS)
            step_hint(run, s, false, "`adit resolve --all` lists the VMs that there are");
    } else if (record_fits(run)) {
        step_pass(run, s, "%s in %s (%s%s%s%s)", vm->name, vm->group, vm->windows ? "Windows" : "Linux",
                  vm->location[0] ? ", " : "", vm->location,
                  vm->uniform ? ", an instance of a Uniform scale set" : "");
    }
}

/* ---- the record, by the VM's identity ---- */

struct record_vm *run_recall(struct prepare_run *run)
{
    struct record_vm *r = NULL;
    struct err why = {0};
    if (record_read(&r, run->o.record, run->vm.id, run->vm.vm_id, &why) < 0)
        run_break(run, &why);
    return r;
}

bool run_undo_recall(struct prepare_run *run)
{
    record_free(run->undo);
    run->undo = run_recall(run);
    return run->undo != NULL;
}

bool run_record(struct prepare_run *run, record_edit_cb edit, const void *arg)
{
    struct err why = {0};
    if (record_edit(run->o.record, run->vm.id, run->vm.vm_id, edit, arg, &why) == 0)
        return true;
    run_break(run, &why);
    return false;
}

/* ---- read anew, after a change ---- */

static void on_again(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    struct err why = {0};
    if (!err)
        take_vm(run, doc, &why);
    run->vm_again(run, err ? err : why.code ? &why : NULL);
}

void vm_load(struct prepare_run *run, vm_cb done)
{
    struct err why = {0};
    run->vm_again = done;
    if (call_get(run, run->id, NULL, VM_QUERY, on_again, 0, &why) < 0)
        done(run, &why);
}

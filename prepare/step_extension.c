/*
 * step_extension: Windows has an SSH server: the extension WindowsOpenSSH, which installs and starts it.
 *
 * A port that answers proves more than ARM could say. Undone by removing the extension, if we added it and
 * it is still what we added. Failure modes: a VM agent that is not ready installs nothing, so it is named.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "run.h"

#define QUERY "api-version=" COMPUTE_API
#define INSTALL_MS 1200000u

static bool agent_is_away(const struct facts_vm *vm)
{
    return vm->agent[0] && strcasecmp(vm->agent, "Ready") != 0;
}

static void judge(struct prepare_run *run, const struct err *err)
{
    const enum prepare_step s = PREPARE_EXTENSION;
    const struct facts_vm *vm = &run->vm;
    if (err) {
        step_fail_err(run, s, err);
        return;
    }
    if (vm->extension && strcasecmp(vm->extension_state, "Succeeded") == 0) {
        step_pass(run, s, "the extension %s is installed", vm->extension);
        return;
    }
    if (vm->extension)
        step_fail(run, s, ERR_UNAVAILABLE, "the extension %s is there, but its state is %s", vm->extension,
                  vm->extension_state[0] ? vm->extension_state : "not told");
    else
        step_fail(run, s, ERR_NOTFOUND,
                  "%s has no SSH server: the extension " PLAN_EXTENSION_NAME " is missing", vm->name);
    step_hint(run, s, true, "`adit prepare %s` installs it%s%s%s", run->o.alias,
              agent_is_away(vm) ? "; the VM agent is needed for that and says \"" : "",
              agent_is_away(vm) ? vm->agent : "", agent_is_away(vm) ? "\"" : "");
}

void extension_check(struct prepare_run *run, enum prepare_step s)
{
    if (!run->vm.windows)
        step_skip(run, s, "Linux: no extension is needed");
    else if (run->answered)
        step_pass(run, s, "an SSH server answers");
    else if (run->vm.uniform)
        step_skip(run, s, "Uniform scale set: extensions are the scale set's");
    else if (run->steps[s].changed)
        vm_load(run, judge);
    else
        judge(run, NULL);
}

static const char *name_of(const struct prepare_run *run)
{
    return run->vm.extension ? run->vm.extension : PLAN_EXTENSION_NAME;
}

static int note(struct record_vm *r, const void *name)
{
    return record_text_set(&r->extension, name);
}

static void on_installed(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    const enum prepare_step s = PREPARE_EXTENSION;
    if (!err)
        step_mended(run, s, "installed the extension %s on %s", name_of(run), run->vm.name);
    else if (err->code != ERR_DENIED || run->vm.extension || run_record(run, note, NULL))
        step_mend_failed(run, s, err);
}

void extension_mend(struct prepare_run *run, enum prepare_step s)
{
    struct err why = {0};
    char *below = mem_printf("extensions/%s", name_of(run));
    json_t *body = json_pack("{s:s,s:{s:s,s:s,s:s,s:b}}", "location", run->vm.location, "properties",
                             "publisher", PLAN_EXTENSION_PUBLISHER, "type", PLAN_EXTENSION_NAME,
                             "typeHandlerVersion", PLAN_EXTENSION_VERSION, "autoUpgradeMinorVersion", 1);
    struct call_change put = {.method = "PUT",
                              .id = run->vm.id,
                              .below = below,
                              .query = QUERY,
                              .body = body,
                              .deadline_ms = INSTALL_MS};
    step_doing(run, s, "installing the extension %s on %s", name_of(run), run->vm.name);
    /* One that was there before, failed, is not ours to remove. */
    if (!below || !body)
        err_set(&why, ERR_NOMEM, "out of memory");
    else if (run->vm.extension || run_record(run, note, PLAN_EXTENSION_NAME))
        call_write(run, &put, on_installed, 0, &why);
    if (why.code)
        step_mend_failed(run, s, &why);
    json_decref(body);
    mem_free(below);
}

/* ---- undo ---- */

static void on_removed(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    const enum prepare_step s = PREPARE_EXTENSION;
    if (err && err->code != ERR_NOTFOUND) {
        step_undo_failed(run, s, err);
    } else if (run_record(run, note, NULL)) {
        step_changed(run, s, "removed the extension %s from %s", name_of(run), run->vm.name);
        step_undone(run, s, "%s is removed", name_of(run));
    }
}

void extension_undo(struct prepare_run *run, enum prepare_step s)
{
    struct err why = {0};
    if (!run_undo_recall(run))
        return;
    const char *added = run->undo->extension;
    if (!added) {
        step_skip(run, s, "adit installed no extension");
        return;
    }
    if (!run->vm.extension || strcasecmp(run->vm.extension, added) != 0) {
        if (run_record(run, note, NULL))
            step_skip(run, s, "%s is gone already", added);
        return;
    }
    char *below = mem_printf("extensions/%s", added);
    struct call_change call = {
        .method = "DELETE", .id = run->vm.id, .below = below, .query = QUERY, .deadline_ms = INSTALL_MS};
    step_doing(run, s, "removing the extension %s from %s", added, run->vm.name);
    if (!below)
        err_set(&why, ERR_NOMEM, "out of memory");
    else
        call_write(run, &call, on_removed, 0, &why);
    if (why.code)
        step_undo_failed(run, s, &why);
    mem_free(below);
}

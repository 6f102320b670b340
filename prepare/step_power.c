/*
 * step_power: the VM runs; mended by starting it.
 *
 * Source: instanceView's PowerState/…, POST …/start. A VM that is on its way down is started as soon as Azure
 * lets us (write.h).
 */
#include <string.h>

#include "run.h"

#define START_MS 900000u

static void judge(struct prepare_run *run, const struct err *err)
{
    const enum prepare_step s = PREPARE_POWER;
    const char *power = run->vm.power, *name = run->vm.name;
    if (err) {
        step_fail_err(run, s, err);
    } else if (!power[0] || strcmp(power, "unknown") == 0) {
        step_pass(run, s, "Azure does not say whether it runs; the port will show");
    } else if (strcmp(power, "running") == 0) {
        step_pass(run, s, "running");
    } else {
        step_fail(run, s, ERR_UNAVAILABLE, "%s is %s", name, power);
        if (run->vm.uniform)
            step_hint(run, s, false, "start instance %s: az vmss start -g %s -n %s --instance-ids N", name,
                      run->vm.group, name);
        else
            step_hint(run, s, true, "`adit prepare %s` starts it; so does `adit start %s`", run->o.alias,
                      run->o.alias);
    }
}

void power_check(struct prepare_run *run, enum prepare_step s)
{
    if (run->steps[s].changed)
        vm_load(run, judge);
    else
        judge(run, NULL);
}

static int note_started(struct record_vm *r, const void *arg)
{
    r->started = arg != NULL;
    return 0;
}

static void on_started(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    const enum prepare_step s = PREPARE_POWER;
    if (err)
        step_mend_failed(run, s, err);
    else if (run_record(run, note_started, run))
        step_mended(run, s, "started %s", run->vm.name);
}

void power_mend(struct prepare_run *run, enum prepare_step s)
{
    struct err why = {0};
    struct call_change start = {.method = "POST",
                                .id = run->vm.id,
                                .below = "start",
                                .query = "api-version=" COMPUTE_API,
                                .deadline_ms = START_MS};
    step_doing(run, s, "starting %s", run->vm.name);
    if (call_write(run, &start, on_started, 0, &why) < 0)
        step_mend_failed(run, s, &why);
}

/* It may be in use by now: whoever wants it off says so. */
void power_undo(struct prepare_run *run, enum prepare_step s)
{
    struct record_vm *r = run_recall(run);
    if (r && !r->started)
        step_skip(run, s, "adit did not start it");
    else if (r && run_record(run, note_started, NULL))
        step_skip(run, s,
                  "adit started it, and it goes on running: `adit deallocate %s` ends that and its cost",
                  run->o.alias);
    record_free(r);
}

/*
 * step_enter: host key, login, forwarding and RDP: four steps told by the stages of one login.
 *
 *   host-key: KEYS ──by Run Command──▶ ENTER ──stage by stage──▶ each step takes its own
 *                └──not to be had: why is kept──┘
 *
 * A step that finds its stage not told, and nothing under way, begins another login: so does the login step
 * once its key was added. Failure modes: a login that ends early is told to the step that waits, whichever
 * it is; keys that Azure does not give leave the check to the policy of host-key-check, and the text says so.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "enter.h"

#define KEYS_MS 300000u
#define RDP_PORT 3389

static enum prepare_step step_of(enum prepare_stage stage)
{
    return PREPARE_HOST_KEY + (enum prepare_step)stage;
}

static bool has_rdp(const struct prepare_run *run)
{
    return run->vm.windows || run->o.rdp;
}

uint16_t enter_target_port(const struct prepare_run *run)
{
    return run->o.target_port ? run->o.target_port : run->vm.windows ? RDP_PORT : run->o.port;
}

const char *enter_target_host(const struct prepare_run *run)
{
    return run->o.target_host ? run->o.target_host : "localhost";
}

/* The furthest stage that this run is about. */
static enum prepare_stage last_stage(const struct prepare_run *run)
{
    enum prepare_stage last = PREPARE_STAGE_HOST_KEY;
    for (enum prepare_stage k = last; k < RUN_STAGES; k++)
        if (run->steps[step_of(k)].wanted && (k != PREPARE_STAGE_RDP || has_rdp(run)))
            last = k;
    return last;
}

void enter_forget(struct prepare_run *run, enum prepare_stage from)
{
    for (enum prepare_stage k = from; k < RUN_STAGES; k++)
        memset(&run->stages[k], 0, sizeof(run->stages[k]));
}

static void take(struct prepare_run *run, enum prepare_stage k)
{
    if (run->steps[step_of(k)].state == STEP_CHECKING)
        enter_judge(run, k, &run->stages[k]);
}

/* A failure is that of every later stage too: one of them may be waited for. */
static void note(struct prepare_run *run, enum prepare_stage stage, const char *detail, const struct err *err)
{
    for (enum prepare_stage k = stage; k < (err ? RUN_STAGES : stage + 1); k++) {
        struct run_stage *st = &run->stages[k];
        st->told = true;
        snprintf(st->detail, sizeof(st->detail), "%s", detail ? detail : "");
        err_copy(&st->err, err, 0);
    }
    run_wake(run);
    for (enum prepare_stage k = stage; k < RUN_STAGES; k++)
        if (run->stages[k].told)
            take(run, k);
}

static void on_stage(void *arg, enum prepare_stage stage, const char *detail, const struct err *err)
{
    struct prepare_run *run = arg;
    if (err || stage == last_stage(run))
        run->enter = NULL;
    note(run, stage, detail, err);
}

static void enter(struct prepare_run *run)
{
    struct err why = {0};
    enter_forget(run, PREPARE_STAGE_HOST_KEY);
    run->enter = run->o.hands.enter(run->o.hands.self, run->keys, enter_target_host(run),
                                    enter_target_port(run), last_stage(run), on_stage, run, &why);
    if (!run->enter)
        note(run, PREPARE_STAGE_HOST_KEY, "", &why);
}

static void stage_check(struct prepare_run *run, enum prepare_stage k)
{
    if (run->stages[k].told)
        take(run, k);
    else if (!run->enter)
        enter(run);
}

static void on_keys(void *arg, const char *keys, const struct err *err)
{
    struct prepare_run *run = arg;
    run->keys_fetch = NULL;
    run_wake(run);
    if (!err && !(run->keys = mem_strdup(keys))) {
        struct err why = {0};
        err_set(&why, ERR_NOMEM, "out of memory");
        run_break(run, &why);
    } else if (err && err->code == ERR_NOMEM) {
        run_break(run, err);
    } else {
        snprintf(run->keys_why, sizeof(run->keys_why), "%.600s", err ? err->msg : "");
        step_doing(run, PREPARE_HOST_KEY, "connecting to %s", run->vm.name);
        enter(run);
    }
}

void host_key_check(struct prepare_run *run, enum prepare_step s)
{
    struct err why = {0};
    if (run->keys || run->keys_why[0] || run->vm.uniform) {
        stage_check(run, PREPARE_STAGE_HOST_KEY);
        return;
    }
    step_doing(run, s, "asking %s for its host keys through Azure", run->vm.name);
    if (prepare_keys_fetch(&run->keys_fetch, run->o.azure, run->o.clock, run->vm.id, run->vm.windows, KEYS_MS,
                           on_keys, run, &why) < 0)
        on_keys(run, NULL, &why);
}

void login_check(struct prepare_run *run, enum prepare_step s)
{
    step_doing(run, s, "logging in to %s", run->vm.name);
    stage_check(run, PREPARE_STAGE_LOGIN);
}

void forward_check(struct prepare_run *run, enum prepare_step s)
{
    step_doing(run, s, "opening %s:%u on %s", enter_target_host(run), enter_target_port(run), run->vm.name);
    stage_check(run, PREPARE_STAGE_FORWARD);
}

void rdp_check(struct prepare_run *run, enum prepare_step s)
{
    if (!has_rdp(run)) {
        step_skip(run, s, "Linux: no RDP is expected");
        return;
    }
    step_doing(run, s, "waiting for RDP at %s:%u", enter_target_host(run), enter_target_port(run));
    stage_check(run, PREPARE_STAGE_RDP);
}

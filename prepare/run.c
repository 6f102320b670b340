/*
 * run: begins, turns and ends a run; the one place from which it calls out.
 *
 * A turn does one thing and then sets the timer again: tell a change, tell an outcome, let the engine go on,
 * tell how long something takes; at the end tell what was printed, and that it is done. Whoever is called may
 * cancel the run: nothing is touched after it. Failure modes: out of memory and a record that cannot be kept
 * break it (no more outcomes, `done` with why); the deadline ends what is under way as failures.
 */
#include "run.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "print.h"

#define TURN_LONGEST_MS 60000u

void run_wake(struct prepare_run *run)
{
    run->stirred = true;
    timer_start(&run->turn, 0);
}

void run_break(struct prepare_run *run, const struct err *err)
{
    if (!run->broke.code)
        run->broke = *err;
    run_wake(run);
}

const char *run_name(const struct prepare_run *run)
{
    return run->vm_known ? run->vm.name : run->o.alias;
}

const char *run_user(const struct prepare_run *run)
{
    if (run->o.user)
        return run->o.user;
    return run->vm_known && run->vm.admin[0] ? run->vm.admin : NULL;
}

static void tell_change(struct prepare_run *run)
{
    struct run_change c = run->changes[0];
    memmove(run->changes, run->changes + 1, --run->change_count * sizeof(c));
    run->events.changed(run->arg, c.step, c.text);
}

static void tell_outcome(struct prepare_run *run)
{
    enum prepare_step s = run->over[run->over_told++];
    struct step st = run->steps[s];
    struct prepare_outcome o = {.step = s,
                                .status = st.status,
                                .text = st.text,
                                .mend = st.status == PREPARE_FAIL ? st.mend : "",
                                .mendable = st.status == PREPARE_FAIL && st.mendable,
                                .because = st.status == PREPARE_SKIP ? st.because : PREPARE_STEPS,
                                .action = st.status == PREPARE_FAIL ? st.action : "",
                                .code = st.status == PREPARE_FAIL ? st.code : 0,
                                .took_ms = st.began_at ? clock_now(run->o.clock) - st.began_at : 0};
    run->events.outcome(run->arg, &o);
}

/* True when something was told. */
static bool tell_progress(struct prepare_run *run)
{
    uint64_t now = clock_now(run->o.clock);
    for (enum prepare_step s = 0; s < PREPARE_STEPS; s++) {
        struct step *st = &run->steps[s];
        char text[STEP_TEXT_MAX], note[STEP_DOING_MAX];
        if (st->state == STEP_OVER || !st->doing[0] || st->told_at > now)
            continue;
        call_write_note(run, note, sizeof(note));
        snprintf(text, sizeof(text), "%s (%llu s%s%s)", st->doing,
                 (unsigned long long)(now - st->doing_at) / 1000, note[0] ? "; " : "", note);
        st->told_at = now + 1000;
        run->events.progress(run->arg, s, text);
        return true;
    }
    return false;
}

/* True when there was something to print: it has been told then, or the run is broken. */
static bool tell_printed(struct prepare_run *run)
{
    bool asked = run->o.mode == PREPARE_CHECK && run->o.print != PREPARE_FORM_NONE;
    if (run->printed || run->broke.code || !run->vm_known || run->vm.uniform ||
        !(asked || (run->denied && run->o.mode == PREPARE_MEND)))
        return false;
    run->printed = true;
    run->plan.steps = plan_missing(run);
    char *text = print_plan(&run->plan, asked ? run->o.print : PREPARE_FORM_AZ);
    if (text) {
        run->events.printed(run->arg, text);
    } else {
        struct err why = {0};
        err_set(&why, ERR_NOMEM, "out of memory");
        run_break(run, &why);
    }
    mem_free(text);
    return true;
}

static void judge(const struct prepare_run *run, struct err *err)
{
    struct strbuf failed;
    unsigned count = 0;
    err_clear(err);
    strbuf_init(&failed);
    for (enum prepare_step s = 0; s < PREPARE_STEPS; s++) {
        if (run->steps[s].state == STEP_OVER && run->steps[s].status == PREPARE_FAIL)
            strbuf_printf(&failed, "%s%s", count++ ? ", " : "", step_table[s].title);
    }
    const char *which = failed.data ? failed.data : "";
    if (run->broke.code)
        *err = run->broke;
    else if (run->expired)
        err_set(err, ERR_TIMEOUT, "not done within %u s (%s)", run->o.deadline_ms / 1000, which);
    else if (run->denied)
        err_set(err, ERR_DENIED, "a change was refused (%s)", which);
    else if (count)
        err_set(err, ERR_UNAVAILABLE, "%u %s: %s", count, count == 1 ? "check fails" : "checks fail", which);
    if (err->code && !run->broke.code)
        err_wrap(err, "vm %s", run->o.alias);
    strbuf_done(&failed);
}

static void finish(struct prepare_run *run)
{
    struct err why;
    void (*done)(void *, const struct err *) = run->events.done;
    void *arg = run->arg;
    judge(run, &why);
    prepare_cancel(run);
    done(arg, why.code ? &why : NULL);
}

static void set_timer(struct prepare_run *run)
{
    uint64_t now = clock_now(run->o.clock), due = engine_due(run);
    due = run->deadline_at < due ? run->deadline_at : due;
    uint64_t ms = due > now ? due - now : 0;
    timer_start(&run->turn, ms < TURN_LONGEST_MS ? ms : TURN_LONGEST_MS);
}

void run_turn(struct timer *t)
{
    struct prepare_run *run = container_of(t, struct prepare_run, turn);
    run_wake(run); /* the timer runs whatever comes now */
    if (run->broke.code) {
        finish(run);
    } else if (run->change_count) {
        tell_change(run);
    } else if (run->over_told < run->over_count) {
        tell_outcome(run);
    } else if (engine_over(run)) {
        if (!tell_printed(run))
            finish(run);
    } else if (clock_now(run->o.clock) >= run->deadline_at) {
        run->expired = true;
        run_cancel_all(run);
        engine_expire(run);
    } else {
        run->stirred = false;
        engine_advance(run);
        if (!run->stirred && !tell_progress(run))
            set_timer(run);
    }
}

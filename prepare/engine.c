/*
 * engine: takes each step of the table from waiting to its end.
 *
 *   WAITING ──all it needs passed──▶ CHECKING ──passes──▶ OVER (pass, mended)
 *      │                             ▲  │  └──has nothing to do──▶ OVER (skip)
 *      └──one failed──▶ OVER (skip)  │  ▼
 *                                    │ FAILING ──not to be mended──▶ OVER (fail)
 *            SETTLING ──in a moment──┘  │  └──MEND, others may help──▶ PARKED ──they did──▶ SETTLING
 *                ▲                      ▼                               └──nothing was changed──▶ OVER (fail)
 *                └──it was made──── MENDING ──it could not be──▶ OVER (fail)
 *
 * CHECK begins whatever can begin; MEND and UNDO do one step at a time, in order, so that what the user reads
 * is what happens. Failure modes: a check that fails after its change is repeated until its time to settle is
 * up; the deadline ends what is under way as a failure and skips the rest because of it.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "run.h"

#define SETTLE_PAUSE_MS 2000u

static bool is_active(const struct step *st)
{
    return st->state != STEP_WAITING && st->state != STEP_PARKED && st->state != STEP_OVER;
}

static bool any_active(const struct prepare_run *run)
{
    for (enum prepare_step s = 0; s < PREPARE_STEPS; s++)
        if (is_active(&run->steps[s]))
            return true;
    return false;
}

/* It passes, or has nothing to do here. */
static bool passed(const struct prepare_run *run, enum prepare_step s)
{
    const struct step *st = &run->steps[s];
    return st->state == STEP_OVER && (st->status == PREPARE_PASS || st->status == PREPARE_MENDED ||
                                      (st->status == PREPARE_SKIP && st->because == PREPARE_STEPS));
}

/* The first of them that keeps it from beginning, or PREPARE_STEPS. */
static enum prepare_step first_of(const struct prepare_run *run, unsigned bits,
                                  bool (*is)(const struct prepare_run *run, enum prepare_step s))
{
    enum prepare_step s = 0;
    while (s < PREPARE_STEPS && !((bits & PREPARE_BIT(s)) && is(run, s)))
        s++;
    return s;
}

static bool not_over(const struct prepare_run *run, enum prepare_step s)
{
    return run->steps[s].state != STEP_OVER;
}

static bool not_looked_at(const struct prepare_run *run, enum prepare_step s)
{
    const struct step *st = &run->steps[s];
    return st->wanted && st->state != STEP_OVER && st->state != STEP_PARKED;
}

static bool not_passed(const struct prepare_run *run, enum prepare_step s)
{
    return !passed(run, s);
}

static bool failed(const struct prepare_run *run, enum prepare_step s)
{
    return run->steps[s].wanted && !passed(run, s);
}

static bool was_changed(const struct prepare_run *run, enum prepare_step s)
{
    return run->steps[s].changed;
}

void engine_end(struct prepare_run *run, enum prepare_step s, enum prepare_status status)
{
    struct step *st = &run->steps[s];
    if (st->state == STEP_OVER)
        return;
    st->state = STEP_OVER;
    st->status = status;
    st->doing[0] = 0;
    run->over[run->over_count++] = s;
    run_wake(run);
}

/* Skipped because of the one that really failed. */
static void skip(struct prepare_run *run, enum prepare_step s, enum prepare_step because)
{
    const struct step *why = &run->steps[because];
    struct step *st = &run->steps[s];
    if (why->state == STEP_OVER && why->status == PREPARE_SKIP && why->because < PREPARE_STEPS)
        because = why->because;
    st->because = because;
    snprintf(st->text, sizeof(st->text), "not known before %s passes", step_table[because].title);
    engine_end(run, s, PREPARE_SKIP);
}

static void check(struct prepare_run *run, enum prepare_step s)
{
    struct step *st = &run->steps[s];
    if (!st->began_at)
        st->began_at = clock_now(run->o.clock);
    st->state = STEP_CHECKING;
    bool undo = run->o.mode == PREPARE_UNDO && step_table[s].undo;
    (undo ? step_table[s].undo : step_table[s].check)(run, s);
}

static void begin(struct prepare_run *run, enum prepare_step s)
{
    const struct step_row *row = &step_table[s];
    bool undo = run->o.mode == PREPARE_UNDO && row->undo;
    unsigned needs = undo ? PREPARE_BIT(PREPARE_VM) : row->needs;
    if (!run->steps[s].wanted || first_of(run, needs, not_over) < PREPARE_STEPS ||
        (!undo && first_of(run, row->after, not_looked_at) < PREPARE_STEPS))
        return;
    enum prepare_step because = first_of(run, needs, not_passed);
    if (because < PREPARE_STEPS)
        skip(run, s, because);
    else if (run->o.mode == PREPARE_CHECK || !any_active(run))
        check(run, s);
}

static bool to_mend(const struct prepare_run *run, enum prepare_step s)
{
    const struct step *st = &run->steps[s];
    return run->o.mode == PREPARE_MEND && st->mendable && !st->changed && step_table[s].mend &&
           (!run->o.only || (run->o.only & PREPARE_BIT(s))) &&
           first_of(run, step_table[s].mend_needs, not_passed) == PREPARE_STEPS;
}

static void decide(struct prepare_run *run, enum prepare_step s)
{
    struct step *st = &run->steps[s];
    uint64_t now = clock_now(run->o.clock);
    if (st->settle_till > now) {
        st->state = STEP_SETTLING;
        st->again_at = now + SETTLE_PAUSE_MS;
    } else if (to_mend(run, s)) {
        st->state = STEP_MENDING;
        step_table[s].mend(run, s);
    } else if (run->o.mode == PREPARE_MEND && step_table[s].waits && !st->settle_till) {
        st->state = STEP_PARKED;
        st->doing[0] = 0;
        run_wake(run); /* those that come before it in the table wait for this */
    } else {
        engine_end(run, s, PREPARE_FAIL);
    }
}

/* Those that it waits for are over: has anything been changed since the machine was as it was? */
static void unpark(struct prepare_run *run, enum prepare_step s)
{
    struct step *st = &run->steps[s];
    const struct step_row *row = &step_table[s];
    if (any_active(run) || first_of(run, row->waits, not_looked_at) < PREPARE_STEPS)
        return;
    if (first_of(run, row->waits | row->needs, was_changed) == PREPARE_STEPS ||
        first_of(run, row->waits, failed) < PREPARE_STEPS) {
        engine_end(run, s, PREPARE_FAIL);
        return;
    }
    st->state = STEP_SETTLING;
    st->again_at = clock_now(run->o.clock);
    /* A machine that has to start takes longer than a service on it. */
    st->settle_till = st->again_at + row->settle_ms * (run->steps[PREPARE_POWER].changed ? 3 : 1);
}

static void advance_one(struct prepare_run *run, enum prepare_step s)
{
    struct step *st = &run->steps[s];
    switch (st->state) {
    case STEP_WAITING:
        begin(run, s);
        break;
    case STEP_FAILING:
        decide(run, s);
        break;
    case STEP_PARKED:
        unpark(run, s);
        break;
    case STEP_SETTLING:
        if (clock_now(run->o.clock) >= st->again_at)
            check(run, s);
        break;
    case STEP_CHECKING:
    case STEP_MENDING:
    case STEP_OVER:
        break;
    }
}

void engine_advance(struct prepare_run *run)
{
    if (run->o.mode == PREPARE_UNDO)
        for (const enum prepare_step *s = step_undo_order; *s < PREPARE_STEPS && !run->broke.code; s++)
            advance_one(run, *s);
    else
        for (enum prepare_step s = 0; s < PREPARE_STEPS && !run->broke.code; s++)
            advance_one(run, s);
}

bool engine_over(const struct prepare_run *run)
{
    for (enum prepare_step s = 0; s < PREPARE_STEPS; s++)
        if (run->steps[s].wanted && run->steps[s].state != STEP_OVER)
            return false;
    return true;
}

uint64_t engine_due(const struct prepare_run *run)
{
    uint64_t due = UINT64_MAX;
    for (enum prepare_step s = 0; s < PREPARE_STEPS; s++) {
        const struct step *st = &run->steps[s];
        if (st->state == STEP_SETTLING && st->again_at < due)
            due = st->again_at;
        if (st->state != STEP_OVER && st->doing[0] && st->told_at < due)
            due = st->told_at;
    }
    return due;
}

void engine_expire(struct prepare_run *run)
{
    enum prepare_step late = PREPARE_STEPS;
    for (enum prepare_step s = 0; s < PREPARE_STEPS; s++) {
        struct step *st = &run->steps[s];
        if (!st->wanted || st->state == STEP_OVER || st->state == STEP_WAITING)
            continue;
        late = late < PREPARE_STEPS ? late : s;
        if (st->state == STEP_CHECKING || st->state == STEP_MENDING) {
            char doing[STEP_DOING_MAX];
            memcpy(doing, st->doing, sizeof(doing));
            snprintf(st->text, sizeof(st->text), "not done within %u s%s%s", run->o.deadline_ms / 1000,
                     doing[0] ? ": still " : "", doing);
            snprintf(st->mend, sizeof(st->mend), "%s",
                     st->state == STEP_MENDING ? "Azure goes on with it: look again in a while" : "");
            st->code = ERR_TIMEOUT;
        }
        engine_end(run, s, PREPARE_FAIL);
    }
    for (enum prepare_step s = 0; s < PREPARE_STEPS; s++)
        if (run->steps[s].wanted && run->steps[s].state == STEP_WAITING)
            skip(run, s, late < PREPARE_STEPS ? late : PREPARE_SIGN_IN);
}

/*
 * outcome: what a step says of itself, noted for the engine and for the user.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "azure/reason.h"
#include "run.h"

#define TEXT(to, fmt)                                                                                        \
    do {                                                                                                     \
        va_list ap;                                                                                          \
        va_start(ap, fmt);                                                                                   \
        vsnprintf(to, sizeof(to), fmt, ap);                                                                  \
        va_end(ap);                                                                                          \
    } while (0)

void step_pass(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
{
    struct step *st = &run->steps[s];
    TEXT(st->text, fmt);
    st->mend[0] = 0;
    st->code = 0;
    engine_end(run, s, st->changed ? PREPARE_MENDED : PREPARE_PASS);
}

void step_undone(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
{
    struct step *st = &run->steps[s];
    TEXT(st->text, fmt);
    st->code = 0;
    engine_end(run, s, PREPARE_MENDED);
}

void step_skip(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
{
    struct step *st = &run->steps[s];
    TEXT(st->text, fmt);
    st->because = PREPARE_STEPS;
    engine_end(run, s, PREPARE_SKIP);
}

void step_fail(struct prepare_run *run, enum prepare_step s, int code, const char *fmt, ...)
{
    struct step *st = &run->steps[s];
    TEXT(st->text, fmt);
    st->code = code;
    st->mend[0] = 0;
    st->mendable = false;
    st->state = STEP_FAILING;
    run_wake(run);
}

void step_hint(struct prepare_run *run, enum prepare_step s, bool mendable, const char *fmt, ...)
{
    struct step *st = &run->steps[s];
    TEXT(st->mend, fmt);
    st->mendable = mendable;
}

/* "ARM PUT /subscriptions/…: 409 Conflict: …" without the path, which says nothing that the step does not. */
static const char *words_of(const struct err *err)
{
    const char *p = strncmp(err->msg, "ARM", 3) == 0 ? strstr(err->msg, ": ") : NULL;
    return p ? p + 2 : err->msg;
}

/* A 403 of ARM's names what is missing; where it does not, the table does. False: it is none. */
static bool note_denied(struct prepare_run *run, enum prepare_step s, const struct err *err)
{
    struct step *st = &run->steps[s];
    if (err->code != ERR_DENIED || words_of(err) == err->msg)
        return false;
    if (!azure_error_action(err, st->action, sizeof(st->action)) && step_table[s].action)
        snprintf(st->action, sizeof(st->action), "%s", step_table[s].action);
    step_hint(run, s, false, "somebody who has %s can do it, or give this identity a role that has it",
              st->action[0] ? st->action : "the right");
    return true;
}

void step_fail_err(struct prepare_run *run, enum prepare_step s, const struct err *err)
{
    if (err->code == ERR_NOMEM) {
        run_break(run, err);
        return;
    }
    const char *words = words_of(err);
    step_fail(run, s, err->code, "%s%s", words == err->msg ? "" : "Azure says: ", words);
    if (!note_denied(run, s, err) || !run->steps[s].action[0])
        return;
    char action[STEP_ACTION_MAX];
    memcpy(action, run->steps[s].action, sizeof(action));
    snprintf(run->steps[s].text, STEP_TEXT_MAX, "this identity is not allowed to (403): it lacks %s", action);
}

void step_mended(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
{
    char text[STEP_TEXT_MAX];
    TEXT(text, fmt);
    step_changed(run, s, "%s", text);
    step_settle(run, s);
}

void step_settle(struct prepare_run *run, enum prepare_step s)
{
    struct step *st = &run->steps[s];
    uint64_t now = clock_now(run->o.clock);
    st->changed = true;
    st->state = STEP_SETTLING;
    st->again_at = now;
    st->settle_till = now + step_table[s].settle_ms;
    st->doing[0] = 0;
    run_wake(run);
}

void step_mend_failed(struct prepare_run *run, enum prepare_step s, const struct err *err)
{
    struct step *st = &run->steps[s];
    if (err->code == ERR_NOMEM) {
        run_break(run, err);
        return;
    }
    char was[STEP_TEXT_MAX];
    snprintf(was, sizeof(was), "%s", st->text);
    st->mendable = false;
    st->code = err->code;
    /* What was wrong before goes on being so; why it could not be mended is what matters now. */
    if (err->code == ERR_DENIED)
        snprintf(st->text, sizeof(st->text), "%.400s; this identity is not allowed to change that", was);
    else
        snprintf(st->text, sizeof(st->text), "%.200s; mending it failed: %.400s", was, words_of(err));
    snprintf(st->mend, sizeof(st->mend), "%s",
             err->code == ERR_TIMEOUT ? "Azure may still do it: look at it in a while with adit doctor"
                                      : "see what Azure says, then run adit prepare again");
    st->refused = err->code == ERR_DENIED;
    run->denied |= st->refused;
    note_denied(run, s, err);
    engine_end(run, s, PREPARE_FAIL);
}

void step_undo_failed(struct prepare_run *run, enum prepare_step s, const struct err *err)
{
    if (err->code == ERR_NOMEM) {
        run_break(run, err);
        return;
    }
    step_fail_err(run, s, err);
    if (err->code != ERR_DENIED)
        step_hint(run, s, false, "it stays recorded: `adit prepare %s --undo` tries again", run->o.alias);
    run->steps[s].refused = err->code == ERR_DENIED;
    run->denied |= err->code == ERR_DENIED;
}

void step_doing(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
{
    struct step *st = &run->steps[s];
    TEXT(st->doing, fmt);
    st->doing_at = clock_now(run->o.clock);
    st->told_at = st->doing_at + 1000;
    run_wake(run);
}

void step_changed(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
{
    struct run_change *c =
        &run->changes[run->change_count < RUN_CHANGES_MAX ? run->change_count++ : RUN_CHANGES_MAX - 1];
    c->step = s;
    TEXT(c->text, fmt);
    run_wake(run);
}

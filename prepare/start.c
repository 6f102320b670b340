/*
 * start: makes a run from its options, and takes it down.
 */
#include <string.h>

#include "base/mem.h"
#include "key.h"
#include "run.h"

#define DEADLINE_DEFAULT_MS (30u * 60000u)
#define PORT_DEFAULT 22

static const char **option_text(struct prepare_options *o, unsigned i)
{
    const char **texts[] = {&o->alias,      &o->user,   &o->via,   &o->target_host,
                            &o->public_key, &o->source, &o->record};
    return i < sizeof(texts) / sizeof(texts[0]) ? texts[i] : NULL;
}

void run_cancel_all(struct prepare_run *run)
{
    calls_cancel(run);
    if (run->enter)
        run->o.hands.cancel(run->o.hands.self, run->enter);
    run->enter = NULL;
    if (run->keys_fetch)
        prepare_keys_cancel(run->keys_fetch);
    run->keys_fetch = NULL;
}

void prepare_cancel(struct prepare_run *run)
{
    const char **text;
    run_cancel_all(run);
    timer_stop(&run->turn);
    for (unsigned i = 0; (text = option_text(&run->o, i)); i++)
        mem_free((char *)*text);
    plan_done(&run->plan);
    if (run->vm_known)
        facts_vm_done(&run->vm);
    nics_forget(run);
    rule_forget(run);
    mem_free(run->id);
    mem_free(run->keys);
    mem_free(run->public_id);
    record_free(run->undo);
    mem_free(run);
}

/* What they need is checked as well. */
static unsigned closure(unsigned only)
{
    for (unsigned was = 0; was != only;) {
        was = only;
        for (enum prepare_step s = 0; s < PREPARE_STEPS; s++)
            if (only & PREPARE_BIT(s))
                only |= step_table[s].needs;
    }
    return only;
}

static void want(struct prepare_run *run)
{
    unsigned all = closure(run->o.only ? run->o.only : PREPARE_BIT(PREPARE_STEPS) - 1);
    if (run->o.mode == PREPARE_UNDO)
        all = (run->o.only ? run->o.only : all) | step_table[PREPARE_POWER].needs |
              step_table[PREPARE_VM].needs;
    for (enum prepare_step s = 0; s < PREPARE_STEPS; s++)
        run->steps[s].wanted =
            (all & PREPARE_BIT(s)) && (run->o.mode != PREPARE_UNDO || step_table[s].undo || s <= PREPARE_VM);
}

/* The key and the source are checked before anything is done, and kept in their normal form. */
static int take_options(struct prepare_run *run, struct err *err)
{
    struct prepare_options *o = &run->o;
    const char **text;
    for (unsigned i = 0; (text = option_text(o, i)); i++)
        if (*text && !(*text = mem_strdup(*text))) {
            while ((text = option_text(o, ++i)))
                *text = NULL; /* not ours yet */
            return err_set(err, ERR_NOMEM, "out of memory");
        }
    o->deadline_ms = o->deadline_ms ? o->deadline_ms : DEADLINE_DEFAULT_MS;
    o->port = o->port ? o->port : PORT_DEFAULT;
    if (o->mode != PREPARE_CHECK && (!o->record || o->record[0] != '/'))
        return err_set(err, ERR_INVAL,
                       "nowhere to remember what is changed: the record's path is not absolute");
    if (o->public_key) {
        char *line;
        int rc = key_line_check(o->public_key, strlen(o->public_key), &line, err);
        if (rc < 0)
            return rc;
        mem_free((char *)o->public_key);
        o->public_key = line;
    }
    return o->source ? nsg_source_normal(o->source, run->rule.source, sizeof(run->rule.source), err) : 0;
}

int prepare_start(struct prepare_run **out, const struct prepare_options *options,
                  const struct prepare_events *events, void *arg, struct err *err)
{
    struct prepare_run *run = mem_zalloc(sizeof(*run));
    if (!run)
        return err_set(err, ERR_NOMEM, "out of memory");
    run->o = *options;
    run->events = *events;
    run->arg = arg;
    list_init(&run->calls);
    timer_init(&run->turn, run->o.clock, run_turn);
    int rc = take_options(run, err);
    if (rc == 0 && timer_start(&run->turn, 0) < 0)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (rc < 0) {
        prepare_cancel(run);
        return rc;
    }
    run->deadline_at = clock_now(run->o.clock) + run->o.deadline_ms;
    want(run);
    *out = run;
    return 0;
}

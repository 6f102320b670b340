/*
 * run_rig: sets a run up, turns the clock, and keeps what it tells.
 */
#include "run_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define PATIENCE_MS (3u * 3600000u)

int run_rig_setup(void **state)
{
    struct run_rig *r = calloc(1, sizeof(*r));
    /* In memory where that can be: hundreds of runs each sync their record to the disk. */
    snprintf(r->dir, sizeof(r->dir), "/dev/shm/adit-prepare-XXXXXX");
    if (!mkdtemp(r->dir)) {
        snprintf(r->dir, sizeof(r->dir), "/tmp/adit-prepare-XXXXXX");
        if (!mkdtemp(r->dir))
            return -1;
    }
    snprintf(r->record, sizeof(r->record), "%s/record.json", r->dir);
    fake_world_init(&r->w);
    r->o = (struct prepare_options){.azure = r->w.azure,
                                    .clock = r->w.clock,
                                    .hands = fake_world_hands(&r->w),
                                    .alias = "win-new",
                                    .port = 22,
                                    .public_key = USER_KEY,
                                    .record = r->record};
    *state = r;
    return 0;
}

int run_rig_teardown(void **state)
{
    struct run_rig *r = *state;
    unlink(r->record);
    rmdir(r->dir);
    fake_world_done(&r->w);
    free(r);
    return 0;
}

/* True when the run is gone: nothing of it may be told any more. */
static bool called(struct run_rig *r)
{
    if (++r->calls != r->cancel_at)
        return false;
    prepare_cancel(r->run);
    r->run = NULL;
    return true;
}

static void on_outcome(void *arg, const struct prepare_outcome *o)
{
    struct run_rig *r = arg;
    struct told_outcome *t = &r->told[o->step];
    assert_non_null(r->run);
    t->count++;
    t->status = o->status;
    t->mendable = o->mendable;
    t->because = o->because;
    t->code = o->code;
    snprintf(t->text, sizeof(t->text), "%s", o->text);
    snprintf(t->mend, sizeof(t->mend), "%s", o->mend);
    snprintf(t->action, sizeof(t->action), "%s", o->action);
    r->order[r->outcomes++] = o->step;
    called(r);
}

static void on_progress(void *arg, enum prepare_step step, const char *text)
{
    struct run_rig *r = arg;
    assert_non_null(r->run);
    r->progresses++;
    snprintf(r->progress, sizeof(r->progress), "%s", text);
    called(r);
}

static void on_changed(void *arg, enum prepare_step step, const char *text)
{
    struct run_rig *r = arg;
    assert_non_null(r->run);
    r->changes++;
    snprintf(r->changed + strlen(r->changed), sizeof(r->changed) - strlen(r->changed), "%s\n", text);
    called(r);
}

static void on_printed(void *arg, const char *text)
{
    struct run_rig *r = arg;
    assert_non_null(r->run);
    r->prints++;
    snprintf(r->printed, sizeof(r->printed), "%s", text);
    called(r);
}

static void on_done(void *arg, const struct err *err)
{
    struct run_rig *r = arg;
    assert_non_null(r->run);
    r->run = NULL;
    r->dones++;
    err_copy(&r->err, err, 0);
}

int rig_begin(struct run_rig *r, enum prepare_mode mode)
{
    static const struct prepare_events events = {.outcome = on_outcome,
                                                 .progress = on_progress,
                                                 .changed = on_changed,
                                                 .printed = on_printed,
                                                 .done = on_done};
    memset(r->told, 0, sizeof(r->told));
    r->outcomes = r->changes = r->prints = r->dones = r->progresses = r->calls = 0;
    r->changed[0] = r->printed[0] = r->progress[0] = 0;
    r->w.writes = r->w.scripts = r->w.requests = r->w.knocks = r->w.enters = r->w.learns = 0;
    r->w.log[0] = 0;
    err_clear(&r->err);
    r->o.mode = mode;
    int rc = prepare_start(&r->run, &r->o, &events, r, &r->err);
    assert_int_equal(r->calls, 0);
    return rc;
}

void rig_finish(struct run_rig *r)
{
    uint64_t end = clock_now(r->w.clock) + PATIENCE_MS;
    while (r->run && clock_now(r->w.clock) < end)
        clock_test_advance(r->w.clock, 20);
    assert_null(r->run);
    assert_int_equal(r->w.open, 0); /* nothing is left under way */
}

void rig_run(struct run_rig *r, enum prepare_mode mode)
{
    if (rig_begin(r, mode))
        fail_msg("%s", r->err.msg);
    rig_finish(r);
    assert_int_equal(r->dones, 1);
}

enum prepare_status rig_status(const struct run_rig *r, enum prepare_step s)
{
    assert_int_equal(r->told[s].count, 1);
    return r->told[s].status;
}

void rig_expect(const struct run_rig *r, enum prepare_step s, enum prepare_status status)
{
    if (r->told[s].count != 1 || r->told[s].status != status)
        fail_msg("%s: told %u times, %s, not %s: %s (%s)", prepare_step_name(s), r->told[s].count,
                 prepare_status_name(r->told[s].status), prepare_status_name(status), r->told[s].text,
                 r->err.msg);
    assert_true(r->told[s].text[0] != 0);
}

void rig_all_pass(const struct run_rig *r)
{
    for (enum prepare_step s = 0; s < PREPARE_STEPS; s++) {
        const struct told_outcome *t = &r->told[s];
        bool fine = t->status == PREPARE_PASS || t->status == PREPARE_MENDED ||
                    (t->status == PREPARE_SKIP && t->because == PREPARE_STEPS);
        if (t->count != 1 || !fine)
            fail_msg("%s: told %u times, %s: %s; %s", prepare_step_name(s), t->count,
                     prepare_status_name(t->status), t->text, t->mend);
    }
    if (r->err.code)
        fail_msg("%s", r->err.msg);
}

char *rig_record(const struct run_rig *r)
{
    char *text = calloc(1, 65536);
    FILE *f = fopen(r->record, "r");
    if (f) {
        size_t n = fread(text, 1, 65535, f);
        text[n] = 0;
        fclose(f);
    }
    return text;
}

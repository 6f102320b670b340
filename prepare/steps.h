/*
 * steps: the table of the steps, and how a step says what it found.
 *
 * Private to prepare/. A check or a mend is begun by the engine and ends with exactly one of the step_ calls
 * below, at once or later; none of them calls out, none may be made after it. Texts are clauses for people
 * and are cut to what fits.
 */
#ifndef ADIT_PREPARE_STEPS_H
#define ADIT_PREPARE_STEPS_H

#include "prepare.h"

#define STEP_TEXT_MAX 640
#define STEP_ACTION_MAX 128
#define STEP_DOING_MAX 160

enum step_state {
    STEP_WAITING,
    STEP_CHECKING,
    STEP_FAILING, /* its check failed: the engine decides what now */
    STEP_PARKED,  /* looked at again when those that it waits for are over */
    STEP_MENDING,
    STEP_SETTLING, /* something was changed: looked at again in a moment */
    STEP_OVER,
};

struct step {
    enum step_state state;
    bool wanted; /* it is part of this run */
    enum prepare_status status;
    enum prepare_step because;
    bool mendable, changed, refused; /* changed: a mend of it was made; refused: by ARM, 403 */
    int code;
    char text[STEP_TEXT_MAX], mend[STEP_TEXT_MAX], action[STEP_ACTION_MAX];
    char doing[STEP_DOING_MAX];     /* "starting win-new", while it takes its time */
    uint64_t began_at, doing_at;    /* clock_now() */
    uint64_t told_at;               /* the next progress is due */
    uint64_t again_at, settle_till; /* STEP_SETTLING */
};

typedef void (*step_fn)(struct prepare_run *run, enum prepare_step s);

struct step_row {
    const char *name, *title;
    unsigned needs; /* must have passed, else it is skipped because of the first that has not */
    unsigned after; /* are looked at before it, where they are wanted */
    unsigned waits; /* MEND: failing, it waits for these and is checked again if one of them was changed */
    unsigned mend_needs;       /* must have passed for its mend */
    step_fn check, mend, undo; /* mend, undo: NULL = there is none */
    uint32_t settle_ms;        /* how long its check may fail after a change */
    const char *action;        /* of its change, or of its check */
};
extern const struct step_row step_table[PREPARE_STEPS];

/* The order in which an undo runs through the table; ends with PREPARE_STEPS. */
extern const enum prepare_step step_undo_order[];

/* Of a check: it passes; it fails, and what then is to be done; it has nothing to do here. */
void step_pass(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void step_fail(struct prepare_run *run, enum prepare_step s, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void step_skip(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The error says it all. A 403 names the action; out of memory ends the run. */
void step_fail_err(struct prepare_run *run, enum prepare_step s, const struct err *err);

/* After step_fail(): what mends it. mendable: prepare can. */
void step_hint(struct prepare_run *run, enum prepare_step s, bool mendable, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Of a mend: it was made (the check will show), or it cannot be made. */
void step_mended(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4))); /* in the past tense: "started win-new" */
void step_settle(struct prepare_run *run,
                 enum prepare_step s); /* the same, what was changed is told already */
void step_mend_failed(struct prepare_run *run, enum prepare_step s, const struct err *err);
void step_undo_failed(struct prepare_run *run, enum prepare_step s, const struct err *err);
void step_undone(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4))); /* of an undo: done for good */

/* While it takes its time. */
void step_doing(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A change that was made on the way, told at once: "made the public IP address win-new-ip". */
void step_changed(struct prepare_run *run, enum prepare_step s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif

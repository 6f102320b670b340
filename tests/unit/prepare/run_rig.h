/*
 * run_rig: a fake world, a record of its own, and what a run told.
 */
#ifndef ADIT_TESTS_RUN_RIG_H
#define ADIT_TESTS_RUN_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_world.h"

struct told_outcome {
    unsigned count;
    enum prepare_status status;
    char text[800], mend[800], action[128];
    bool mendable;
    enum prepare_step because;
    int code;
};

struct run_rig {
    struct fake_world w;
    char dir[64], record[96];
    struct prepare_options o; /* of the next run; modes are set by rig_run() */

    struct prepare_run *run; /* NULL once done */
    struct told_outcome told[PREPARE_STEPS];
    enum prepare_step order[PREPARE_STEPS];
    unsigned outcomes, changes, prints, dones, progresses;
    char changed[4096]; /* lines */
    char printed[16384];
    char progress[512]; /* the last one */
    struct err err;     /* of done */
    unsigned cancel_at; /* the call out after which the run is canceled; 0: never */
    unsigned calls;
};

int run_rig_setup(void **state);
int run_rig_teardown(void **state);

/* Runs it to its end. The frozen clock moves as far as it takes. */
void rig_run(struct run_rig *r, enum prepare_mode mode);
int rig_begin(struct run_rig *r, enum prepare_mode mode);
void rig_finish(struct run_rig *r);

enum prepare_status rig_status(const struct run_rig *r, enum prepare_step s);
void rig_expect(const struct run_rig *r, enum prepare_step s, enum prepare_status status);
void rig_all_pass(const struct run_rig *r); /* each step passes, was mended, or does not apply */
char *rig_record(const struct run_rig *r);  /* its text, "" when there is none; free() */

#define assert_contains(text, part)                                                                          \
    do {                                                                                                     \
        if (!strstr((text), (part)))                                                                         \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                                      \
    } while (0)

#endif

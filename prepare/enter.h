/*
 * enter: what the files about logging in share.
 *
 * Private to prepare/.
 */
#ifndef ADIT_PREPARE_ENTER_H
#define ADIT_PREPARE_ENTER_H

#include "run.h"

uint16_t enter_target_port(const struct prepare_run *run);
const char *enter_target_host(const struct prepare_run *run);

/* What was told of this stage and later ones no longer holds: who asks next begins another login. */
void enter_forget(struct prepare_run *run, enum prepare_stage from);

/* enter_judge.c: what the stage's step says of it. */
void enter_judge(struct prepare_run *run, enum prepare_stage stage, const struct run_stage *told);

#endif

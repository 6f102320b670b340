/*
 * rule: what the files about security rules share.
 *
 * Private to prepare/.
 */
#ifndef ADIT_PREPARE_RULE_H
#define ADIT_PREPARE_RULE_H

#include "run.h"

/* What marks a rule as ours, at the beginning of its description. */
#define RULE_MARK "Added by adit prepare"

/* Judges the groups in run->rule: ends the step, or has those in the way read. */
void rule_judge(struct prepare_run *run);

/* Whether this group lets the source reach the SSH port; *decided (may be NULL): the rule that decides, or
 * NULL. */
bool rule_lets_in(const struct prepare_run *run, const struct nsg *g, const struct nsg_rule **decided);

/* Whom the judging is about: the source, or everybody while that is not known. */
const char *rule_source(const struct prepare_run *run);

void rule_read_blocked(struct prepare_run *run); /* step_rule.c; rule_plan() comes after it */

/* rule_plan.c: fails the step and fills the plan with a rule for each group in the way. */
void rule_plan(struct prepare_run *run);

#endif

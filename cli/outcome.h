/*
 * outcome: the answer of "up" and "down", VM by VM.
 */
#ifndef ADIT_CLI_OUTCOME_H
#define ADIT_CLI_OUTCOME_H

#include "cli.h"

/* Prints `WORD NAME` for each that went well and an error for each that did not (as_json: the answer as it
 * is). The status to exit with: that of the first error. */
int outcome_print(const json_t *answer, const char *op, const char *word, bool as_json);

#endif

/*
 * power: what `adit start` and `adit deallocate` share: their options, the call, and its answer VM by VM.
 */
#ifndef ADIT_CLI_POWER_H
#define ADIT_CLI_POWER_H

#include "cli.h"

struct power_words {
    const char *op;        /* the daemon's operation */
    const char *done;      /* "started" */
    const char *unchanged; /* "runs already" */
    const char *question;  /* asked first, or NULL: "Deallocate" */
};

/* The status to exit with: that of the first VM that failed. */
int power_run(struct cli *cli, const struct power_words *words, int argc, char **argv);

#endif

/*
 * name_hint: "did you mean" behind a failure that tells of a VM which is not there.
 *
 * The resolver knows the names that Azure has; this knows those of the configuration, of the cache and of a
 * daemon that runs, among them VMs that are given by their address and that Azure knows nothing of.
 */
#ifndef ADIT_CLI_NAME_HINT_H
#define ADIT_CLI_NAME_HINT_H

#include <stdio.h>

#include "cli.h"

void name_hint_begin(const struct cli *cli); /* borrowed; for the rest of the process */

/* Prints "; did you mean web1?", or nothing. what: as cli_fail()'s, the name being its last word. */
void name_hint_print(FILE *f, const struct err *err, const char *what);

#endif

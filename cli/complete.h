/*
 * complete: what a user may mean at the cursor of a command line: commands, options, VMs, forwards.
 *
 * All of it is read from the table of commands: what may stand behind a command from its synopsis, its
 * options and their values from its help. A new row is completed without another line of code.
 */
#ifndef ADIT_CLI_COMPLETE_H
#define ADIT_CLI_COMPLETE_H

#include "base/strbuf.h"
#include "cli.h"

#define COMPLETE_FILES ":files"     /* instead of a candidate: the shell is to complete names of files */
#define COMPLETE_FOLDERS ":folders" /* of directories */

/* words: those behind "adit", the last one as far as it has been typed. Adds a line for each candidate,
 * "candidate" or "candidate<TAB>what it is". Says nothing and starts nothing, whatever is wrong. */
void complete_words(const struct cli *cli, char **words, int count, struct strbuf *out);

#endif

/*
 * completion_scripts: the files of docs/completion/, which the build puts into the program.
 */
#ifndef ADIT_CLI_COMPLETION_SCRIPTS_H
#define ADIT_CLI_COMPLETION_SCRIPTS_H

struct completion_script {
    const char *shell, *text;
};

extern const struct completion_script COMPLETION_SCRIPTS[]; /* ends with a NULL shell */

#endif

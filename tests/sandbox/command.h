/*
 * command: runs a short helper program (ssh-keygen, sshd -t) to its end and keeps the last of what it said.
 *
 * Blocking, at start-up and on re-creation only. Thread: the main one.
 */
#ifndef ADIT_SANDBOX_COMMAND_H
#define ADIT_SANDBOX_COMMAND_H

#include "base/err.h"

/* argv ends with NULL; argv[0] is looked up in PATH. Fails unless it exits 0; the message holds its output.
 */
int command_run(const char *const argv[], struct err *err);

#endif

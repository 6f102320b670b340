/*
 * logfile: the file that aditd logs to in the background, and its reopening after somebody moved it away.
 */
#ifndef ADIT_DAEMON_LOGFILE_H
#define ADIT_DAEMON_LOGFILE_H

#include "base/err.h"

int logfile_open(const char *path, struct err *err); /* a descriptor, or negative */

/* Makes the descriptor `fd` (and standard output and error) the file that is at `path` now. The number stays
 * the same, so that other threads never see a closed one. */
int logfile_reopen(const char *path, int fd, struct err *err);

#endif

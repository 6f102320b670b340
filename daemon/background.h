/*
 * background: the way into the background, and the pipe over which the starter hears how the start went.
 *
 * The starter (a shell, or adit) gets its prompt back only when the daemon serves, or with its error and exit
 * status.
 */
#ifndef ADIT_DAEMON_BACKGROUND_H
#define ADIT_DAEMON_BACKGROUND_H

#include <stdbool.h>

struct background {
    int pipe;   /* to the starter; −1 in the foreground or once told */
    int log_fd; /* −1: standard error */
};

/* 0: go on, in the daemon's process. Otherwise the status to exit with; it has been said why. In the starter
 * it does not return. log_file is opened for appending and becomes standard output and error. */
int background_enter(struct background *b, bool foreground, const char *log_file);

/* The daemon serves. warning (may be NULL): printed by the starter; lines end with LF. */
void background_ready(struct background *b, const char *warning);
/* It will not: `text` (lines end with LF) goes to the user, who gets `status`. Nothing happens once ready. */
void background_fail(struct background *b, int status, const char *text);

#endif

/*
 * ask_terminal: a line typed on the terminal of this command, /dev/tty, whatever its standard input is.
 */
#ifndef ADIT_CLI_ASK_TERMINAL_H
#define ADIT_CLI_ASK_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "control/control.h"

struct ask_terminal {
    bool active; /* the prompt is on the screen */
    bool echo;
    int fd;
    struct termios before;
    size_t len;
    char line[CONTROL_ANSWER_MAX + 2]; /* what was read, with its LF */
    bool too_long;
};

/* Whether there is one, and this command is in its foreground. */
bool ask_terminal_there(void);

/* Shows the prompt (the first time; control characters escaped) and waits for the line, or for wake_fd. While
 * it is active, signals that end or stop the process restore the terminal before they do; one that this
 * process catches is CONTROL_ASKED_LATER. */
enum control_asked ask_terminal_read(struct ask_terminal *t, const char *prompt, bool echo, int wake_fd,
                                     char answer[CONTROL_ANSWER_MAX + 1]);
void ask_terminal_stop(struct ask_terminal *t); /* as it was before; nothing when it is not active */

#endif

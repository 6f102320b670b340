/*
 * ask_program: a line from the program that $SSH_ASKPASS names, as ssh(1) runs it.
 */
#ifndef ADIT_CLI_ASK_PROGRAM_H
#define ADIT_CLI_ASK_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "control/control.h"

struct ask_program {
    bool active; /* it runs */
    pid_t pid;
    int fd;
    size_t len;
    char line[CONTROL_ANSWER_MAX + 2];
};

/* How $SSH_ASKPASS, $SSH_ASKPASS_REQUIRE and the display want it (ssh(1), ENVIRONMENT). */
enum ask_program_use {
    ASK_PROGRAM_NEVER,
    ASK_PROGRAM_ELSE,  /* where there is no terminal */
    ASK_PROGRAM_FIRST, /* rather than the terminal */
    ASK_PROGRAM_ONLY,  /* never the terminal; without a program nobody can be asked */
};
enum ask_program_use ask_program_use(void);
bool ask_program_there(void); /* $SSH_ASKPASS can be run */

/* Starts it (the first time) and waits for its answer, or for wake_fd. Exit status 0 is an answer. */
enum control_asked ask_program_read(struct ask_program *p, const char *prompt, int wake_fd,
                                    char answer[CONTROL_ANSWER_MAX + 1]);
void ask_program_stop(struct ask_program *p); /* ends it; nothing when it does not run */

#endif

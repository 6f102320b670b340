/*
 * shell: runs the scripts for Linux with a real shell, in a folder of their own.
 *
 * In front of PATH stand a getent that knows one user, whose home is in the folder, and a runuser that checks
 * its arguments and stays the same user. As root, shell_become_real() takes that runuser away.
 */
#ifndef ADIT_TESTS_PREPARE_SHELL_H
#define ADIT_TESTS_PREPARE_SHELL_H

#include <stddef.h>

#define SHELL_TEXT_MAX 32768

struct shell {
    char dir[64], home[80];
    const char *program; /* "dash", "bash" */
    char out[SHELL_TEXT_MAX], bad[SHELL_TEXT_MAX];
};

void shell_init(struct shell *s, const char *program);
void shell_done(
    struct shell *s); /* removes the folder; fails if a command left its mark ("pwned") anywhere */
/* Runs it for the user of that name; returns its exit status. */
int shell_run(struct shell *s, const char *user, const char *script);
/* Files below the home. */
void shell_write(struct shell *s, const char *name, const char *data, size_t n, unsigned mode);
const char *shell_read(struct shell *s, const char *name, size_t *n); /* valid until the next; NULL: none */
unsigned shell_mode(struct shell *s, const char *name);               /* permission bits */
void shell_program(struct shell *s, const char *name, const char *text); /* puts one in front of PATH */
/* The home belongs to uid, and the machine's runuser makes the script that user. */
void shell_become_real(struct shell *s, unsigned uid);

#endif

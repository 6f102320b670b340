/*
 * cred_rig: a rig whose credentials are the test's to choose: a directory of its own for files and fake
 * tools, and a metadata service that speaks plain HTTP.
 */
#ifndef ADIT_TESTS_CRED_RIG_H
#define ADIT_TESTS_CRED_RIG_H

#include "rig.h"

#define CRED_CLIENT "22222222-2222-2222-2222-222222222222"
#define CRED_PATHS 8

struct cred_rig {
    struct rig *rig;
    struct fake_arm *metadata;
    char dir[64];
    char paths[CRED_PATHS][128]; /* what cred_path() gave last */
    unsigned next_path;
};

/* The setup takes the service principal of rig_setup() away: nothing is set up. */
int cred_setup(void **state);
int cred_teardown(void **state);

const char *cred_path(struct cred_rig *c, const char *name); /* in its directory */
const char *cred_write(struct cred_rig *c, const char *name, int mode, const char *text);

/* Makes `name` a program that the credentials find on PATH: the body of a shell script without any other
 * tool. */
void cred_tool(struct cred_rig *c, const char *name, const char *script);

/* Has ARM asked once with this credential. */
void cred_get(struct cred_rig *c, struct told *told);
void cred_open(struct cred_rig *c,
               const char *credential); /* another struct azure; login file: "login.json" */

/* Fails unless ARM was sent this token last. */
void cred_used(struct cred_rig *c, const char *token);

/* Runs a command of the system's by the shell, for making keys; fails the test if it fails. */
void cred_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

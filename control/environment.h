/*
 * environment: finds out whether two processes have the same settings for Azure, without telling their
 * values.
 *
 * aditd uses the variables that it was started with, however those of the shell have changed since. What
 * travels are sums under a key of the asker's own, so no secret does. docs/protocol.md, "environment".
 * Thread: any that does not race with setenv.
 */
#ifndef ADIT_CONTROL_ENVIRONMENT_H
#define ADIT_CONTROL_ENVIRONMENT_H

#include "base/err.h"

struct json_t;

/* The arguments of the operation, of this process's variables. New reference; NULL when out of memory or
 * when none is set. */
struct json_t *environment_describe(void);

/* The answer: {"differ": […]}: which of those described have another value here, or none. New reference.
 * ERR_INVAL, ERR_NOMEM. */
int environment_compare(const struct json_t *args, struct json_t **out, struct err *err);

#endif

/*
 * forward_args: the `forwards` argument of the operations "forward" and "cancel".
 */
#ifndef ADIT_DAEMON_FORWARD_ARGS_H
#define ADIT_DAEMON_FORWARD_ARGS_H

#include <jansson.h>
#include <stddef.h>

#include "config/forward_spec.h"

#define FORWARD_ARGS_MAX 64

struct forward_args {
    struct forward_spec specs[FORWARD_ARGS_MAX];
    size_t count;
};

/* ERR_INVAL (the message names the spec), ERR_NOMEM. forward_args_done() only after success. */
int forward_args_parse(struct forward_args *out, const json_t *args, struct err *err);
void forward_args_done(struct forward_args *a);

const char *forward_args_kind_name(enum forward_kind kind); /* "local", "dynamic", "remote" */

#endif

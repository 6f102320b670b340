/*
 * prepare_args: what a request for doctor or prepare asks for.
 */
#ifndef ADIT_DAEMON_PREPARE_ARGS_H
#define ADIT_DAEMON_PREPARE_ARGS_H

#include <jansson.h>

#include "prepare/prepare.h"

struct prepare_args {
    unsigned only; /* PREPARE_BIT()s */
    enum prepare_mode mode;
    enum prepare_form print;
    bool create_public_ip;
    char *source, *public_key; /* or NULL */
    uint32_t timeout_ms;
};

/* a: zeroed; prepare_args_done() in any case. changes: "prepare", else "doctor". ERR_INVAL, ERR_NOMEM. */
int prepare_args_read(struct prepare_args *a, const json_t *args, bool changes, struct err *err);
void prepare_args_done(struct prepare_args *a);

#endif

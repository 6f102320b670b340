/*
 * prepare: the course of `adit prepare`, from its plan to what was changed.
 */
#ifndef ADIT_CLI_PREPARE_H
#define ADIT_CLI_PREPARE_H

#include "cli.h"

/* What the command line asks for. Strings are borrowed; NULL: not given. */
struct prepare_cmd {
    const char *vm, *source, *key_file, *form;
    json_t *only; /* array of steps' names */
    bool yes, dry_run, undo, create_public_ip, make_key, as_json;
    uint32_t timeout_ms;
};

/* The status to exit with. */
int prepare_run(struct cli *cli, const struct prepare_cmd *o);

#endif

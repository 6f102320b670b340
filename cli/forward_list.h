/*
 * forward_list: the -L and -D options of `adit forward` and `adit cancel`, checked before anybody is asked.
 */
#ifndef ADIT_CLI_FORWARD_LIST_H
#define ADIT_CLI_FORWARD_LIST_H

#include "cli.h"
#include "config/forward_spec.h"

/* Appends {"kind": "local", "spec": text}; option is the letter of ssh(1) for the kind. 0, or 64 after the
 * error has been reported. */
int forward_list_add(const struct cli *cli, json_t *list, int option, const char *text);

/* False: no option of ssh(1) for a forward. */
bool forward_list_kind(int option, enum forward_kind *kind);
const char *forward_list_kind_name(enum forward_kind kind); /* "local", "dynamic", "remote" */

#define FORWARD_LIST_ANYWHERE "SOCKS, HTTP" /* what stands in the place of a dynamic forward's target */
bool forward_list_is(const json_t *forward,
                     enum forward_kind kind); /* as "status" and "forward" answer with it */

/* "USER@VM" or "VM"; mem_free() it. NULL when out of memory. */
char *forward_list_vm(const char *vm, const char *user);

#endif

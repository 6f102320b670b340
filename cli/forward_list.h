/*
 * forward_list: the -L options of `adit forward` and `adit cancel`, checked before anybody is asked.
 */
#ifndef ADIT_CLI_FORWARD_LIST_H
#define ADIT_CLI_FORWARD_LIST_H

#include "cli.h"

/* Appends {"kind": "local", "spec": text}. 0, or 64 after the error has been reported. */
int forward_list_add(const struct cli *cli, json_t *list, const char *text);

/* "USER@VM" or "VM"; mem_free() it. NULL when out of memory. */
char *forward_list_vm(const char *vm, const char *user);

#endif

/*
 * address: the change of a network interface that giving and taking a public IP address have in common.
 *
 * Private to prepare/.
 */
#ifndef ADIT_PREPARE_ADDRESS_H
#define ADIT_PREPARE_ADDRESS_H

#include "calls.h"

#define ADDRESS_TRIES 3 /* at an interface that others change meanwhile */

/* PUTs the interface as `nic` (a GET's document) has it, but for the public IP address of the ipConfiguration
 * `config`, which goes from `old` to `new`; NULL: none. ERR_EXISTS: it has another one than `old` by now.
 * ERR_NOTFOUND: there is no such ipConfiguration. Otherwise as call_write(). */
int address_nic_put(struct prepare_run *run, const struct json_t *nic, const char *config, const char *old,
                    const char *new, call_cb done, size_t tag, struct err *err);

#endif

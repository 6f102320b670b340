/*
 * plans: plans to be printed, with ordinary names and with those that try to get out of their quotes.
 */
#ifndef ADIT_TESTS_PREPARE_PLANS_H
#define ADIT_TESTS_PREPARE_PLANS_H

#include "prepare/plan.h"

#define PLANS_SUBSCRIPTION "33333333-3333-3333-3333-333333333333"
#define PLANS_ALL                                                                                            \
    (PREPARE_BIT(PREPARE_POWER) | PREPARE_BIT(PREPARE_ADDRESS) | PREPARE_BIT(PREPARE_EXTENSION) |            \
     PREPARE_BIT(PREPARE_RULE) | PREPARE_BIT(PREPARE_LOGIN))
#define PLANS_KEY                                                                                            \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVWfA3Pu3gV9w7/w6DN5aHNHcXSKjO2+4oICBN+jXCB it's $(touch pwned)"
#define PLANS_HOSTILE 9

/* Everything is missing: NIC and first NSG beside the VM, the second NSG in the group rg-net of another
 * subscription. plan_done() it. */
void plans_make(struct plan *p, bool windows);
/* The same with the n-th hostile text at the end of every name, place and source, and at the start of those
 * of them that Azure lets begin so. */
void plans_make_hostile(struct plan *p, bool windows, unsigned n);
const char *plans_hostile(unsigned n);

#endif

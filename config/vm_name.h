/*
 * vm_name: what a user may type for a VM, taken apart (DESIGN: "The resolver").
 *
 *   win11                                   alias of the configuration, else a VM name
 *   rg-desk/win11                           resource group / VM
 *   SUBSCRIPTION/rg-desk/win11              the same in a given subscription (GUID or display name)
 *   rg/scaleset/3                           instance 3 of a Uniform scale set (third part all digits)
 *   /subscriptions/…/virtualMachines/win11  resource ID (also …/virtualMachineScaleSets/…/virtualMachines/3)
 *   win11.rg-desk.adit, win11.adit          for ssh_config's Host *.adit
 *   10.0.0.4, 2001:db8::1, host.example     an address: nothing to look up
 * Pure functions; any thread. Azure's own limits on characters and length are enforced.
 */
#ifndef ADIT_CONFIG_VM_NAME_H
#define ADIT_CONFIG_VM_NAME_H

#include <stdbool.h>

#include "base/err.h"

enum vm_name_kind {
    VM_NAME_BARE,     /* name only */
    VM_NAME_GROUP,    /* group + name, subscription perhaps */
    VM_NAME_INSTANCE, /* group + scale set (name) + instance, subscription perhaps */
    VM_NAME_ADDRESS,  /* name is an IP literal or a DNS name with a dot */
};

struct vm_name {
    enum vm_name_kind kind;
    char *subscription; /* NULL = the configured one(s) */
    char *group;        /* NULL for BARE and ADDRESS */
    char *name;         /* VM, scale set or address */
    char *instance;     /* digits, for INSTANCE */
};

int vm_name_parse(struct vm_name *out, const char *text, struct err *err); /* ERR_INVAL, ERR_NOMEM */

/* What stands in `address:`: as the last form above, and a host name without a dot too. ERR_INVAL, ERR_NOMEM.
 */
int vm_name_parse_address(struct vm_name *out, const char *text, struct err *err);
int vm_name_copy(struct vm_name *out, const struct vm_name *in); /* ERR_NOMEM */
void vm_name_done(struct vm_name *n);
bool vm_name_equal(const struct vm_name *a, const struct vm_name *b); /* without regard to case */
char *vm_name_text(const struct vm_name *n); /* shortest text that parses back; mem_free() */

#endif

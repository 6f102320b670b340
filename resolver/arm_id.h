/*
 * arm_id: resource IDs and names, checked, taken apart, and made fit for a URL.
 *
 * Source: Azure's resource naming rules; IDs are compared without regard to case. Pure functions; any thread.
 */
#ifndef ADIT_RESOLVER_ARM_ID_H
#define ADIT_RESOLVER_ARM_ID_H

#include <stdbool.h>

#include "base/strbuf.h"

#define ARM_SUBSCRIPTION_MAX 37 /* a GUID and its NUL */
#define ARM_NAME_MAX 361        /* 90 characters of four bytes */
#define ARM_ID_MAX 2048
#define ARM_INSTANCE_MAX 12 /* ten digits */

struct arm_vm_id {
    char subscription[ARM_SUBSCRIPTION_MAX];
    char group[ARM_NAME_MAX];
    char name[ARM_NAME_MAX];         /* of the VM, or of the Uniform scale set */
    char instance[ARM_INSTANCE_MAX]; /* "" for a VM */
};

/* "/subscriptions/GUID/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/N", or
 * "…/virtualMachineScaleSets/N/virtualMachines/INSTANCE", and nothing behind it. */
bool arm_vm_id_parse(const char *text, struct arm_vm_id *out);

/* Whether it is an ID of that type, "Microsoft.Network/networkInterfaces" say, and fit to be asked for. */
bool arm_id_is(const char *text, const char *type);

/* The path of its resource, percent-encoded. */
void arm_vm_path_add(struct strbuf *out, const struct arm_vm_id *vm);

bool arm_instance_ok(const char *text); /* digits */
bool arm_guid_ok(const char *text);
bool arm_name_ok(const char *text); /* of a resource group or a VM: letters of any script, digits, "-_.()" */

/* Adds text with everything percent-encoded that a URL's path does not hold as it is; slashes stay. */
void arm_path_add(struct strbuf *out, const char *text);

#endif

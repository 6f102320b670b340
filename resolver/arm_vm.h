/*
 * arm_vm: takes ARM's VM with its instance view apart.
 *
 * Source: Microsoft.Compute/virtualMachines GET with $expand=instanceView, api-version 2024-11-01. Every
 * member but the ID may be missing or of another type; what cannot be read is unknown. Thread: any.
 */
#ifndef ADIT_RESOLVER_ARM_VM_H
#define ADIT_RESOLVER_ARM_VM_H

#include <jansson.h>

#include "arm_id.h"
#include "facts.h"

#define ARM_VM_NICS_MAX 16 /* twice what Azure allows a VM to have */

struct arm_vm_nic {
    char *id; /* of a network interface, checked */
    bool primary;
};

struct arm_vm {
    struct resolver_facts *facts;            /* without addresses; the caller's once set to NULL */
    struct arm_vm_nic nics[ARM_VM_NICS_MAX]; /* the primary one first */
    size_t nic_count;
};

/* ERR_PROTOCOL (no VM), ERR_NOMEM. Zero-initialised by it; arm_vm_done() only after success. */
int arm_vm_parse(struct arm_vm *out, const json_t *json, struct err *err);
void arm_vm_done(struct arm_vm *vm);

/* An answer about another VM than the one that was asked for is none: ERR_PROTOCOL. */
int arm_vm_check(const struct arm_vm *vm, const struct arm_vm_id *asked, struct err *err);

#endif

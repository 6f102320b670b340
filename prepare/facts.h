/*
 * facts: what ARM's documents of a VM and of its network interface say, as far as the steps need it.
 *
 * Sources: Microsoft.Compute/virtualMachines GET with $expand=instanceView, api-version 2024-11-01;
 * Microsoft.Network/networkInterfaces GET with $expand=IPConfigurations/PublicIPAddress, 2024-05-01. Every
 * member but the ID may be missing or of another type: what cannot be read is unknown. Private to prepare/.
 */
#ifndef ADIT_PREPARE_FACTS_H
#define ADIT_PREPARE_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct json_t;

#define FACTS_NICS_MAX 8   /* as many as Azure lets a VM have */
#define FACTS_STATE_MAX 32 /* "running", "Succeeded" */

struct facts_vm {
    char *id;                              /* as ARM writes it */
    char *subscription, *group, *name;     /* of id; of a scale set's instance the set's name */
    char *location, *zone, *vm_id, *admin; /* "" where ARM does not say */
    bool windows, uniform;                 /* uniform: an instance of a Uniform scale set */
    char power[FACTS_STATE_MAX];           /* "running", "deallocated", …; "" */
    char agent[FACTS_STATE_MAX];           /* of the VM agent: "Ready", "Not Ready"; "" */
    char *extension;                       /* the OpenSSH extension's name, or NULL */
    char extension_state[FACTS_STATE_MAX]; /* its provisioningState */
    char *nics[FACTS_NICS_MAX];            /* IDs, the primary one first */
    size_t nic_count;
};

/* asked: the ID it was asked for by. ERR_PROTOCOL (no VM), ERR_NOMEM: then nothing is to be freed. */
int facts_vm_parse(struct facts_vm *out, const char *asked, const struct json_t *doc, struct err *err);
void facts_vm_done(struct facts_vm *f);

/* One way in: an ipConfiguration of an interface. */
struct facts_way {
    char *nic, *nsg, *subnet; /* resource IDs; nsg: the interface's own, or NULL; subnet or NULL */
    char *config;             /* the ipConfiguration's name */
    char *private_address;    /* or NULL */
    char *public_id;          /* or NULL: it has no public IP address */
    char *public_address;     /* NULL: none is allocated now */
    bool standard;            /* the public IP's SKU: closed unless an NSG opens it */
};

/* The best of the interface's ipConfigurations: one with a public address before one without, the primary one
 * before others. ERR_PROTOCOL, ERR_NOMEM. */
int facts_way_parse(struct facts_way *out, const struct json_t *nic, struct err *err);
void facts_way_done(struct facts_way *w);

#endif

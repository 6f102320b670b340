/*
 * arm_nic: takes ARM's network interface with its public IP addresses apart.
 *
 * Source: Microsoft.Network/networkInterfaces GET with $expand=IPConfigurations/PublicIPAddress, api-version
 * 2024-05-01. A public address that is not allocated has no ipAddress. Any member may be missing or of
 * another type. Thread: any.
 */
#ifndef ADIT_RESOLVER_ARM_NIC_H
#define ADIT_RESOLVER_ARM_NIC_H

#include <jansson.h>

#include "facts.h"

/* Adds the interface's addresses to facts that no one else holds yet. ERR_PROTOCOL (not even an object),
 * ERR_NOMEM. */
int arm_nic_parse(struct resolver_facts *facts, const json_t *json, bool primary_nic, struct err *err);

#endif

/*
 * facts_build: how the parsers fill facts before anyone else holds them.
 */
#ifndef ADIT_RESOLVER_FACTS_BUILD_H
#define ADIT_RESOLVER_FACTS_BUILD_H

#include <jansson.h>

#include "facts.h"

#define FACTS_TEXT_MAX 2048 /* a longer text of ARM's counts as absent */

/* With the parts of a VM's resource ID; one reference, all texts but admin_user and provisioning set ("" when
 * unknown). ERR_PROTOCOL when id is none, ERR_NOMEM. */
int facts_new(struct resolver_facts **out, const char *id, enum resolver_source source, struct err *err);

/* The member `name` of `object` if it is a text of sane length, else NULL. Borrowed. */
const char *facts_text(const json_t *object, const char *name);

/* Replaces *slot by a copy; NULL leaves it as it is. ERR_NOMEM. */
int facts_keep(char **slot, const char *text);

/* "PowerState/running" → RUNNING. */
enum resolver_power facts_power_of(const char *code);
enum resolver_os facts_os_of(const char *text);

/* Adds an address once; what is no address, unspecified, or beyond RESOLVER_ADDRESSES_MAX is left out.
 * ERR_NOMEM. */
int facts_address_add(struct resolver_facts *f, const char *ip, bool is_public, bool primary_nic,
                      bool primary_ip);

/* Best first. Once, after the last one was added. */
void facts_address_sort(struct resolver_facts *f);

/* Reads what resolver_facts_to_json() wrote; as mistrustful as with ARM's own answers. ERR_PROTOCOL,
 * ERR_NOMEM. */
int facts_of_json(struct resolver_facts **out, const json_t *json, struct err *err);

/* A copy that says where it came from now; `unconfirmed` stays behind. ERR_NOMEM. */
int facts_copy(const struct resolver_facts **out, const struct resolver_facts *in,
               enum resolver_source source);

#endif

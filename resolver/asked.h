/*
 * asked: a name taken apart, checked, and made the key under which it is remembered.
 *
 *   bare name            "*" and "/name"
 *   group/name           "SUBSCRIPTION/group/name": the default one's GUID, "" while it is unknown
 *   a scale set's        "SUBSCRIPTION/group/set#3": no name has a '#' in it
 *
 * SUBSCRIPTION may be a display name as well. Case does not count. Pure functions; any thread.
 */
#ifndef ADIT_RESOLVER_ASKED_H
#define ADIT_RESOLVER_ASKED_H

#include "arm_id.h"
#include "cache.h"
#include "facts.h"
#include "resolver.h"

#define ASKED_SUBSCRIPTION_MAX (2 * (size_t)ARM_NAME_MAX)

struct asked {
    char key[CACHE_KEY_MAX];
    char label[2 * ARM_NAME_MAX + ARM_INSTANCE_MAX + 2]; /* as messages name it */
    char subscription[ASKED_SUBSCRIPTION_MAX];           /* GUID or display name, or "" */
    char group[ARM_NAME_MAX];                            /* "" for a bare name */
    char name[ARM_NAME_MAX];
    char instance[ARM_INSTANCE_MAX]; /* of a Uniform scale set; "" for a VM */
};

/* default_subscription: its GUID, or NULL. ERR_INVAL. */
int asked_of(struct asked *out, const struct resolver_name *n, const char *default_subscription,
             struct err *err);

/* Back from a key; false when it is none. */
bool asked_of_key(struct asked *out, const char *key);

/* The key by GUID, which means this VM whoever asks. */
void asked_full_key(char out[CACHE_KEY_MAX], const struct resolver_facts *f);
bool asked_key_is_full(const char *key, const struct resolver_facts *f);
bool asked_key_fits(const char *key, const struct resolver_facts *f); /* it may be a name of this VM */

#endif

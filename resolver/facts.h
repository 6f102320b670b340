/*
 * facts: what ARM says of one VM, immutable and reference-counted.
 *
 * Thread: may be held by any; nothing in it changes.
 */
#ifndef ADIT_RESOLVER_FACTS_H
#define ADIT_RESOLVER_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RESOLVER_ADDRESSES_MAX 64 /* of one VM; more are ignored with a warning */

enum resolver_os { RESOLVER_OS_UNKNOWN, RESOLVER_OS_LINUX, RESOLVER_OS_WINDOWS };

enum resolver_power {
    RESOLVER_POWER_UNKNOWN,
    RESOLVER_POWER_STARTING,
    RESOLVER_POWER_RUNNING,
    RESOLVER_POWER_STOPPING,
    RESOLVER_POWER_STOPPED,
    RESOLVER_POWER_DEALLOCATING,
    RESOLVER_POWER_DEALLOCATED,
};

enum resolver_source { RESOLVER_SOURCE_ARM, RESOLVER_SOURCE_GRAPH, RESOLVER_SOURCE_CACHE };

struct resolver_address {
    char ip[46]; /* textual, as inet_ntop would write it */
    bool is_public;
    bool is_ipv6;
    bool primary_nic; /* the NIC is the VM's primary one */
    bool primary_ip;  /* the ipConfiguration is its NIC's primary one */
};

struct resolver_facts {
    char *id;    /* resource ID, as ARM writes it */
    char *vm_id; /* properties.vmId: immutable for the VM's life */
    char *name;  /* "set/3" for an instance of a Uniform scale set */
    char *group, *subscription, *location;
    char *admin_user; /* or NULL */
    enum resolver_os os;
    enum resolver_power power;
    char *provisioning; /* "Succeeded", … or NULL */
    struct resolver_address
        *addresses; /* best first: primary NIC, primary ipConfiguration, public before private */
    size_t address_count;
    enum resolver_source source;
    uint64_t fetched_wall_ms; /* when ARM said so */
    char *unconfirmed;        /* why ARM could not be asked now, so that an old answer must do; or NULL */
    /* private */
    int refs;
};

const struct resolver_facts *resolver_facts_ref(const struct resolver_facts *f);
void resolver_facts_unref(const struct resolver_facts *f); /* NULL is fine */

const char *resolver_power_name(enum resolver_power p); /* "running", … */
const char *resolver_os_name(enum resolver_os os);

enum resolver_family { RESOLVER_FAMILY_ANY, RESOLVER_FAMILY_IPV4, RESOLVER_FAMILY_IPV6 };

/* Which addresses to try, in order. `private_only`: the VM is reached from inside its network (via:). */
struct resolver_want {
    enum resolver_family family;
    bool prefer_private;
    bool private_only;
};

/* Writes at most max addresses to out; returns how many (≥ 1), or negative with a message that says why there
 * is none: ERR_UNAVAILABLE (not running: says `adit start`-like next step), ERR_UNREACHABLE (no public
 * address: names `via:` and `prefer-private-ip:`; none of the wanted family). */
int resolver_facts_pick(const struct resolver_facts *f, const struct resolver_want *want,
                        const struct resolver_address **out, size_t max, struct err *err);

/* As the JSON of `adit resolve --json`. A new reference for the caller, NULL when out of memory. */
struct json_t *resolver_facts_to_json(const struct resolver_facts *f);

#endif

/*
 * facts_pick: which of a VM's addresses to try, in order, or why there is none.
 */
#include "facts.h"

#include <string.h>

/* The next one from `i` on of this kind, or address_count. */
static size_t next_of(const struct resolver_facts *f, size_t i, bool is_public, bool is_ipv6)
{
    while (i < f->address_count &&
           (f->addresses[i].is_public != is_public || f->addresses[i].is_ipv6 != is_ipv6))
        i++;
    return i;
}

/* Best first, but the families by turns (RFC 8305 §4): one that is broken here costs one stagger, not all of
 * its addresses. */
static size_t take(const struct resolver_facts *f, enum resolver_family family, bool is_public,
                   const struct resolver_address **out, size_t n, size_t max)
{
    size_t at[2] = {next_of(f, 0, is_public, false), next_of(f, 0, is_public, true)}, end = f->address_count;
    if (family == RESOLVER_FAMILY_IPV4)
        at[1] = end;
    if (family == RESOLVER_FAMILY_IPV6)
        at[0] = end;
    for (bool v6 = at[1] < at[0]; n < max && (at[0] < end || at[1] < end); v6 = !v6) {
        if (at[v6] == end)
            continue;
        out[n++] = &f->addresses[at[v6]];
        at[v6] = next_of(f, at[v6] + 1, is_public, v6);
    }
    return n;
}

static size_t count(const struct resolver_facts *f, bool is_public)
{
    size_t n = 0;
    for (size_t i = 0; i < f->address_count; i++)
        n += f->addresses[i].is_public == is_public;
    return n;
}

static int not_running(const struct resolver_facts *f, struct err *err)
{
    bool stops = f->power == RESOLVER_POWER_STOPPING || f->power == RESOLVER_POWER_DEALLOCATING;
    return err_set(err, ERR_UNAVAILABLE, "the VM is %s; %sstart it: adit start %s/%s/%s",
                   resolver_power_name(f->power), stops ? "once it has stopped, " : "", f->subscription,
                   f->group, f->name);
}

static int no_address(const struct resolver_facts *f, const struct resolver_want *want, struct err *err)
{
    const char *family = want->family == RESOLVER_FAMILY_IPV6   ? "IPv6 "
                         : want->family == RESOLVER_FAMILY_IPV4 ? "IPv4 "
                                                                : "";
    bool public_only = !want->private_only && !want->prefer_private;
    if (f->address_count == 0)
        return err_set(err, ERR_UNREACHABLE,
                       "the VM has no address at all; does it have a network interface that you may read?");
    if (want->private_only && count(f, false) > 0)
        return err_set(err, ERR_UNREACHABLE,
                       "the VM has no private %saddress; change address-family:", family);
    if (public_only && count(f, true) == 0)
        return err_set(
            err, ERR_UNREACHABLE,
            "the VM has no public IP address (private: %s); reach it through another VM with via:, or, where "
            "its network can be reached from here, set prefer-private-ip: true",
            f->addresses[0].ip);
    return err_set(err, ERR_UNREACHABLE, "the VM has no %s%saddress (it has %s); change address-family:",
                   public_only ? "public " : "", family, f->addresses[0].ip);
}

int resolver_facts_pick(const struct resolver_facts *f, const struct resolver_want *want,
                        const struct resolver_address **out, size_t max, struct err *err)
{
    size_t n = 0;
    switch (f->power) {
    case RESOLVER_POWER_STOPPING:
    case RESOLVER_POWER_STOPPED:
    case RESOLVER_POWER_DEALLOCATING:
    case RESOLVER_POWER_DEALLOCATED:
        return not_running(f, err);
    case RESOLVER_POWER_UNKNOWN:
    case RESOLVER_POWER_STARTING:
    case RESOLVER_POWER_RUNNING:
        break;
    }
    if (want->private_only || want->prefer_private)
        n = take(f, want->family, false, out, n, max);
    if (!want->private_only)
        n = take(f, want->family, true, out, n, max);
    return n ? (int)n : no_address(f, want, err);
}

/*
 * nsg: makes the groups of a VM, and judges packets by their rules.
 */
#include "nsg.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define VNET "10.0.0.0/8" /* what "VirtualNetwork" stands for here */

const struct nsg_default nsg_defaults[] = {
    {"AllowVnetInBound", 65000, true, true, "VirtualNetwork", "VirtualNetwork"},
    {"AllowAzureLoadBalancerInBound", 65001, true, true, "AzureLoadBalancer", "*"},
    {"DenyAllInBound", 65500, true, false, "*", "*"},
    {"AllowVnetOutBound", 65000, false, true, "VirtualNetwork", "VirtualNetwork"},
    {"AllowInternetOutBound", 65001, false, true, "*", "Internet"},
    {"DenyAllOutBound", 65500, false, false, "*", "*"},
    {0},
};

json_t *nsg_name(const struct world_vm *spec, enum nsg_place place)
{
    return json_sprintf("%s%s", spec->name, place == NSG_OF_NIC ? "-nsg" : "-subnet-nsg");
}

json_t *nsg_values(const json_t *rule, const char *one, const char *several)
{
    json_t *all = json_object_get(rule, several), *single = json_object_get(rule, one);
    if (json_array_size(all) > 0)
        return json_incref(all);
    return single ? json_pack("[O]", single) : json_array();
}

/* Sets the member that fits: `one` for a single value, `several` for a list with commas. */
static void values_set(json_t *rule, const char *one, const char *several, const char *text)
{
    if (!strchr(text, ',')) {
        json_object_set_new(rule, one, json_string(text));
        return;
    }
    json_t *all = json_array();
    for (const char *p = text; *p;) {
        p += strspn(p, ", ");
        size_t n = strcspn(p, ",");
        json_array_append_new(all, json_stringn(p, n));
        p += n;
    }
    json_object_set_new(rule, several, all);
}

static json_t *rule_new(const struct world_rule *r)
{
    static const char *const protocols[] = {"Tcp", "Udp", "*"};
    json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:s}", "provisioningState", "Succeeded", "protocol",
                          protocols[r->protocol], "access", r->access == RULE_DENY ? "Deny" : "Allow",
                          "direction", r->direction == RULE_OUTBOUND ? "Outbound" : "Inbound", "priority",
                          (int)r->priority, "sourcePortRange", "*", "destinationAddressPrefix", "*");
    values_set(j, "sourceAddressPrefix", "sourceAddressPrefixes", r->source ? r->source : "*");
    values_set(j, "destinationPortRange", "destinationPortRanges", r->port ? r->port : "22");
    return j;
}

void nsg_init(struct nsg groups[NSG_PLACES], const struct world_vm *spec)
{
    static char name[] = "allow-SSH";
    const struct world_rule open = {.name = name, .priority = 1000};
    for (unsigned i = 0; i < NSG_PLACES; i++) {
        enum world_nsgs own = i == NSG_OF_NIC ? NSGS_NIC : NSGS_SUBNET;
        groups[i].exists = groups[i].attached = spec->nsg == own || spec->nsg == NSGS_BOTH;
        groups[i].rules = json_object();
        if (!(spec->lacks & LACK_RULE))
            json_object_set_new(groups[i].rules, open.name, rule_new(&open));
        for (unsigned k = 0; k < spec->rules_count; k++)
            if (spec->rules[k].on == own)
                json_object_set_new(groups[i].rules, spec->rules[k].name, rule_new(&spec->rules[k]));
    }
}

void nsg_done(struct nsg groups[NSG_PLACES])
{
    for (unsigned i = 0; i < NSG_PLACES; i++)
        json_decref(groups[i].rules);
}

static bool prefix_holds(const char *prefix, const char *address)
{
    char net[INET_ADDRSTRLEN + 1];
    struct in_addr a, b;
    size_t n = strcspn(prefix, "/");
    long bits = prefix[n] ? strtol(prefix + n + 1, NULL, 10) : 32;
    if (n >= sizeof net || bits < 0 || bits > 32)
        return false;
    snprintf(net, sizeof net, "%.*s", (int)n, prefix);
    if (inet_pton(AF_INET, net, &a) != 1 || inet_pton(AF_INET, address, &b) != 1)
        return false;
    uint32_t mask = bits ? htonl(UINT32_MAX << (32 - bits)) : 0;
    return (a.s_addr & mask) == (b.s_addr & mask);
}

static bool place_holds(const char *text, const char *address)
{
    bool inside = prefix_holds(VNET, address);
    if (strcmp(text, "*") == 0)
        return true;
    if (strcasecmp(text, "VirtualNetwork") == 0)
        return inside;
    if (strcasecmp(text, "Internet") == 0)
        return !inside;
    return prefix_holds(text, address); /* other tags: none of them is us */
}

static bool ports_hold(const char *text, uint16_t port)
{
    char *end;
    if (strcmp(text, "*") == 0)
        return true;
    unsigned long from = strtoul(text, &end, 10), to = *end == '-' ? strtoul(end + 1, &end, 10) : from;
    return *text && !*end && port >= from && port <= to;
}

static bool any_place(json_t *values, const char *address)
{
    size_t i;
    json_t *v;
    bool found = false;
    json_array_foreach(values, i, v) found =
        found || (json_is_string(v) && place_holds(json_string_value(v), address));
    json_decref(values);
    return found;
}

static bool any_port(json_t *values, uint16_t port)
{
    size_t i;
    json_t *v;
    bool found = false;
    json_array_foreach(values, i, v) found =
        found || (json_is_string(v) && ports_hold(json_string_value(v), port));
    json_decref(values);
    return found;
}

static bool word_is(const json_t *rule, const char *member, const char *word)
{
    const char *text = json_string_value(json_object_get(rule, member));
    return text && strcasecmp(text, word) == 0;
}

static bool rule_fits(const json_t *rule, const struct nsg_packet *p)
{
    bool ready =
        !word_is(rule, "provisioningState", "Updating") && !word_is(rule, "provisioningState", "Failed");
    bool tcp = word_is(rule, "protocol", "Tcp") || word_is(rule, "protocol", "*");
    /* The client's own port may be any. */
    json_t *from = nsg_values(rule, "sourcePortRange", "sourcePortRanges");
    const char *first = json_string_value(json_array_get(from, 0));
    bool any_source = first && (strcmp(first, "*") == 0 || strcmp(first, "0-65535") == 0);
    json_decref(from);
    return ready && tcp && any_source && word_is(rule, "direction", "Inbound") &&
           any_place(nsg_values(rule, "sourceAddressPrefix", "sourceAddressPrefixes"), p->source) &&
           any_place(nsg_values(rule, "destinationAddressPrefix", "destinationAddressPrefixes"),
                     p->destination) &&
           any_port(nsg_values(rule, "destinationPortRange", "destinationPortRanges"), p->port);
}

bool nsg_lets_in(const json_t *rules, const struct nsg_packet *p)
{
    json_int_t first = INT_MAX;
    bool allow = false;
    const char *name;
    json_t *rule;
    json_object_foreach((json_t *)(uintptr_t)rules, name, rule)
    {
        json_int_t priority = json_integer_value(json_object_get(rule, "priority"));
        if (priority >= first || !rule_fits(rule, p))
            continue;
        first = priority;
        allow = word_is(rule, "access", "Allow");
    }
    for (const struct nsg_default *d = nsg_defaults; d->name; d++) {
        if (!d->inbound || d->priority >= first || !place_holds(d->from, p->source) ||
            !place_holds(d->to, p->destination))
            continue;
        first = d->priority;
        allow = d->allow;
    }
    return allow;
}

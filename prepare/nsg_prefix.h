/*
 * nsg_prefix: what a security rule's addresses and ports cover. Private to prepare/. Pure functions.
 *
 * Source: Azure's "Virtual network service tags": Internet is what is outside of the virtual network and
 * public, VirtualNetwork also what is reached over peerings and gateways. Without a look at the network the
 * line between the two is drawn at the private ranges.
 */
#ifndef ADIT_PREPARE_NSG_PREFIX_H
#define ADIT_PREPARE_NSG_PREFIX_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct json_t;

enum cover { COVER_NONE, COVER_PART, COVER_ALL };

/* A range of addresses, or what a service tag stands for. */
struct prefix {
    enum { PREFIX_ANY, PREFIX_INTERNET, PREFIX_VNET, PREFIX_RANGE } kind;
    bool is_ipv6;
    unsigned bits; /* of `addr` that count */
    uint8_t addr[16];
};

/* "203.0.113.7", "10.0.0.0/8", "fd00::/8", "*", "Any", "Internet", "VirtualNetwork", "AzureLoadBalancer" in
 * any case. An IPv4 address mapped into IPv6 is IPv4; bits behind the prefix are cleared. False: none of
 * these. */
bool prefix_parse(const char *text, struct prefix *out);

/* How much of `what` the prefix has. */
enum cover prefix_cover(const struct prefix *p, const struct prefix *what);

/* The most that one of the list's texts has of it; what cannot be parsed has nothing. */
enum cover prefix_list_cover(const struct json_t *list, const struct prefix *what);

/* "22", "3389-3390", "*" in the list: how much of first…last one of them has. */
enum cover ports_list_cover(const struct json_t *list, uint16_t first, uint16_t last);

#endif

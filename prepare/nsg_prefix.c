/*
 * nsg_prefix: what a security rule's addresses and ports cover.
 */
#include "nsg_prefix.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROBES "168.63.129.16" /* where the load balancer's health probes come from */

static const char *const private_ranges[] = {"10.0.0.0/8",    "172.16.0.0/12",  "192.168.0.0/16",
                                             "100.64.0.0/10", "169.254.0.0/16", "fc00::/7",
                                             "fe80::/10"};

static bool number(const char *text, size_t n, unsigned max, unsigned *out)
{
    unsigned long v = 0;
    if (n == 0 || n > 5)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        v = v * 10 + (unsigned long)(text[i] - '0');
    }
    *out = (unsigned)v;
    return v <= max;
}

static bool range_parse(const char *text, struct prefix *out)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    if (n >= sizeof address)
        return false;
    memcpy(address, text, n);
    address[n] = 0;
    memset(out, 0, sizeof *out);
    out->kind = PREFIX_RANGE;
    out->is_ipv6 = strchr(address, ':') != NULL;
    if (inet_pton(out->is_ipv6 ? AF_INET6 : AF_INET, address, out->addr) != 1)
        return false;
    out->bits = out->is_ipv6 ? 128 : 32;
    if (slash && !number(slash + 1, strlen(slash + 1), out->bits, &out->bits))
        return false;
    if (out->is_ipv6 && out->bits >= 96 && memcmp(out->addr, mapped, sizeof mapped) == 0) {
        memmove(out->addr, out->addr + 12, 4);
        memset(out->addr + 4, 0, 12);
        out->is_ipv6 = false;
        out->bits -= 96;
    }
    for (unsigned i = out->bits; i < 128; i++)
        out->addr[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
    return true;
}

bool prefix_parse(const char *text, struct prefix *out)
{
    memset(out, 0, sizeof *out);
    if (strcmp(text, "*") == 0 || strcasecmp(text, "Any") == 0)
        out->kind = PREFIX_ANY;
    else if (strcasecmp(text, "Internet") == 0)
        out->kind = PREFIX_INTERNET;
    else if (strcasecmp(text, "VirtualNetwork") == 0)
        out->kind = PREFIX_VNET;
    else if (strcasecmp(text, "AzureLoadBalancer") == 0)
        return range_parse(PROBES, out);
    else
        return range_parse(text, out);
    return true;
}

static enum cover range_cover(const struct prefix *p, const struct prefix *what)
{
    if (p->is_ipv6 != what->is_ipv6)
        return COVER_NONE;
    unsigned common = p->bits < what->bits ? p->bits : what->bits;
    for (unsigned i = 0; i < common; i++)
        if ((p->addr[i / 8] ^ what->addr[i / 8]) & (0x80u >> i % 8))
            return COVER_NONE;
    return p->bits <= what->bits ? COVER_ALL : COVER_PART;
}

/* How much of a range is private. */
static enum cover private_cover(const struct prefix *what)
{
    enum cover most = COVER_NONE;
    for (size_t i = 0; i < sizeof private_ranges / sizeof *private_ranges; i++) {
        struct prefix p;
        range_parse(private_ranges[i], &p);
        enum cover c = range_cover(&p, what);
        most = c > most ? c : most;
    }
    return most;
}

/* Azure's portal writes "any" in both ways; what comes by a tag is taken to come by IPv4. */
static bool is_any(const struct prefix *p)
{
    return p->kind == PREFIX_ANY || (p->kind == PREFIX_RANGE && p->bits == 0 && !p->is_ipv6);
}

enum cover prefix_cover(const struct prefix *p, const struct prefix *what)
{
    if (p->kind == PREFIX_RANGE && what->kind == PREFIX_RANGE)
        return range_cover(p, what);
    if (is_any(p) || p->kind == what->kind)
        return COVER_ALL;
    if (what->kind == PREFIX_ANY)
        return COVER_PART;
    if (what->kind == PREFIX_RANGE) { /* of a tag */
        enum cover c = private_cover(what);
        if (p->kind == PREFIX_VNET)
            return c;
        return c == COVER_ALL ? COVER_NONE : c == COVER_NONE ? COVER_ALL : COVER_PART;
    }
    if (p->kind != PREFIX_RANGE) /* one tag of the other */
        return COVER_NONE;
    if (what->kind == PREFIX_VNET) /* which part of the network it is, is not known */
        return COVER_NONE;
    return private_cover(p) == COVER_ALL ? COVER_NONE : COVER_PART;
}

enum cover prefix_list_cover(const struct json_t *list, const struct prefix *what)
{
    enum cover most = COVER_NONE;
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        struct prefix p;
        const char *text = json_string_value(item);
        if (!text || !prefix_parse(text, &p))
            continue;
        enum cover c = prefix_cover(&p, what);
        most = c > most ? c : most;
    }
    return most;
}

static bool ports_parse(const char *text, unsigned *first, unsigned *last)
{
    const char *dash = strchr(text, '-');
    *first = 0;
    *last = 65535;
    if (strcmp(text, "*") == 0 || strcasecmp(text, "Any") == 0)
        return true;
    if (!dash) {
        bool ok = number(text, strlen(text), 65535, first);
        *last = *first;
        return ok;
    }
    return number(text, (size_t)(dash - text), 65535, first) &&
           number(dash + 1, strlen(dash + 1), 65535, last) && *first <= *last;
}

enum cover ports_list_cover(const struct json_t *list, uint16_t first, uint16_t last)
{
    enum cover most = COVER_NONE;
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        unsigned from, to;
        const char *text = json_string_value(item);
        if (!text || !ports_parse(text, &from, &to) || to < first || from > last)
            continue;
        enum cover c = from <= first && to >= last ? COVER_ALL : COVER_PART;
        most = c > most ? c : most;
    }
    return most;
}

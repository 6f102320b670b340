/*
 * nsg: which rule decides, which priority is free, and how a source is written.
 */
#include "nsg.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "nsg_parse.h"
#include "nsg_prefix.h"

/* Where clients' own ports lie once gateways have rewritten them. */
#define CLIENT_PORT_FIRST 1024
#define CLIENT_PORT_LAST 65535

#define PRIORITY_FIRST 100
#define PRIORITY_LAST 4096

/* A refusal decides for a part as well as for all of it; a permission only for all. */
static bool rule_decides(const struct nsg_rule *r, const struct prefix *source,
                         const struct prefix *destination, uint16_t port)
{
    enum cover enough = r->allow ? COVER_ALL : COVER_PART;
    return r->inbound && r->tcp && ports_list_cover(r->ports, port, port) == COVER_ALL &&
           prefix_list_cover(r->source, source) >= enough &&
           ports_list_cover(r->source_ports, CLIENT_PORT_FIRST, CLIENT_PORT_LAST) >= enough &&
           (!destination || prefix_list_cover(r->destination, destination) >= enough);
}

const struct nsg_rule *nsg_judge(const struct nsg *g, const char *source, const char *destination,
                                 uint16_t port)
{
    struct prefix from, to;
    if (!prefix_parse(source, &from) || (destination && !prefix_parse(destination, &to)))
        return NULL;
    for (size_t i = 0; i < g->count; i++)
        if (rule_decides(&g->rules[i], &from, destination ? &to : NULL, port))
            return &g->rules[i];
    return NULL;
}

static bool priority_taken(const struct nsg *g, int priority)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->rules[i].inbound && g->rules[i].priority == priority)
            return true;
    return false;
}

int nsg_priority_free(const struct nsg *g, int wanted, int before)
{
    int end = before > PRIORITY_LAST ? PRIORITY_LAST + 1 : before;
    for (int p = wanted < PRIORITY_FIRST ? PRIORITY_FIRST : wanted; p < end; p++)
        if (!priority_taken(g, p))
            return p;
    for (int p = (wanted < end ? wanted : end) - 1; p >= PRIORITY_FIRST; p--)
        if (!priority_taken(g, p))
            return p;
    return 0;
}

int nsg_source_normal(const char *text, char *out, size_t size, struct err *err)
{
    struct prefix p;
    char address[INET6_ADDRSTRLEN];
    int n = -1;
    if (strcmp(text, "*") == 0)
        n = snprintf(out, size, "*");
    else if (strcasecmp(text, "Internet") == 0)
        n = snprintf(out, size, "Internet");
    else if (prefix_parse(text, &p) && p.kind == PREFIX_RANGE && strpbrk(text, ".:") &&
             inet_ntop(p.is_ipv6 ? AF_INET6 : AF_INET, p.addr, address, sizeof address))
        n = snprintf(out, size, "%s/%u", address, p.bits);
    if (n < 0)
        return err_set(err, ERR_INVAL,
                       "source '%.100s': not an address, a prefix such as 203.0.113.0/24, or '*'", text);
    return (size_t)n < size ? 0 : err_set(err, ERR_INVAL, "source '%.100s': too long", text);
}

void nsg_done(struct nsg *g)
{
    for (size_t i = 0; i < g->count; i++)
        nsg_rule_done(&g->rules[i]);
    mem_free(g->rules);
    mem_free(g->id);
    memset(g, 0, sizeof *g);
}

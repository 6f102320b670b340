/*
 * plans: plans to be printed, with ordinary names and with those that try to get out of their quotes.
 */
#include "plans.h"

#include <string.h>

#include "base/mem.h"

#define OTHER_SUBSCRIPTION "44444444-4444-4444-4444-444444444444"

static const char *const hostile[PLANS_HOSTILE] = {
    "-_.(x)",    /* a resource group may be named so */
    "Ännä_東京", /* and so */
    "'; touch pwned; '",
    "$(touch pwned)`touch pwned`",
    "${touch pwned}\\",
    "’; touch pwned ‘‚‛ \"",
    "]",
    "'''\n@\"\n'@\n",
    "\\u{41} %s %n //x",
};

const char *plans_hostile(unsigned n)
{
    return hostile[n];
}

static char *nsg_id(const char *subscription, const char *group, const char *name, const char *more)
{
    return mem_printf(
        "/subscriptions/%s/resourceGroups/%s%s/providers/Microsoft.Network/networkSecurityGroups/%s%s",
        subscription, group, more, name, more);
}

static void make(struct plan *p, bool windows, const char *more)
{
    *p = (struct plan){
        .steps = PLANS_ALL,
        .subscription = mem_strdup(PLANS_SUBSCRIPTION),
        .group = mem_printf("rg-desk%s", more),
        .vm = mem_printf("win-new%s", more),
        .location = mem_printf("westeurope%s", more),
        .windows = windows,
        .port = 22,
        .rule_count = 2,
        .nic_id = mem_printf("/subscriptions/" PLANS_SUBSCRIPTION "/resourceGroups/RG-DESK%s/providers/"
                             "Microsoft.Network/networkInterfaces/nic1%s",
                             more, more),
        .ip_config = mem_printf("ipconfig1%s", more),
        .public_ip = mem_printf("win-new-ip%s", more),
        .user = mem_printf("ann%s", more),
        .administrator = true,
        .public_key = mem_strdup(PLANS_KEY),
    };
    p->rules[0] = (struct plan_rule){nsg_id(PLANS_SUBSCRIPTION, "RG-desk", "nsg1", more),
                                     mem_strdup("allow-SSH"), 1000, mem_printf("203.0.113.7/32%s", more)};
    p->rules[1] = (struct plan_rule){nsg_id(OTHER_SUBSCRIPTION, "rg-net", "nsg2", more),
                                     mem_printf("allow-SSH-2%s", more), 1001, mem_strdup("*")};
}

void plans_make(struct plan *p, bool windows)
{
    make(p, windows, "");
}

void plans_make_hostile(struct plan *p, bool windows, unsigned n)
{
    static const char slashless[] = "/";
    char *more = mem_strdup(hostile[n]);
    for (char *c = more; *c; c++)
        if (*c == slashless[0]) /* it would be another resource ID */
            *c = '|';
    make(p, windows, more);
    char **first[] = {&p->vm, &p->public_ip, &p->ip_config, &p->location};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        char *both = mem_printf("%s%s", more[0] == ']' ? "[" : more, *first[i]);
        mem_free(*first[i]);
        *first[i] = both;
    }
    mem_free(more);
}

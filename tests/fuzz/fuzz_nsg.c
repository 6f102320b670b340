/*
 * fuzz_nsg: takes any JSON as security rules, both shapes; whoever decides is one of them, and a free
 * priority is free.
 */
#include <jansson.h>

#include "base/mem.h"
#include "fuzz.h"
#include "prepare/nsg.h"

static void check(const struct nsg *g)
{
    static const char *const sources[] = {"203.0.113.7/32", "10.0.0.0/8",    "2001:db8::/32", "*",
                                          "Internet",       "VirtualNetwork"};
    FUZZ_CHECK(g->id && g->count <= NSG_RULES_MAX);
    for (size_t i = 1; i < g->count; i++)
        FUZZ_CHECK(g->rules[i - 1].priority <= g->rules[i].priority);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        const struct nsg_rule *r = nsg_judge(g, sources[i], i & 1 ? "10.0.0.4" : NULL, 22);
        FUZZ_CHECK(!r || (r >= g->rules && r < g->rules + g->count && r->inbound && r->tcp));
    }
    int free_one = nsg_priority_free(g, 1000, 65500);
    FUZZ_CHECK(free_one == 0 || (free_one >= 100 && free_one <= 4096));
    for (size_t i = 0; i < g->count; i++)
        FUZZ_CHECK(!g->rules[i].inbound || g->rules[i].priority != free_one || free_one == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
    struct nsg one, *all;
    size_t n;
    struct err err = {0};
    if (nsg_from_resource(json, &one, &err) == 0) {
        check(&one);
        nsg_done(&one);
    }
    if (nsg_from_effective(json, &all, &n, &err) == 0) {
        for (size_t i = 0; i < n; i++) {
            check(&all[i]);
            nsg_done(&all[i]);
        }
        mem_free(all);
    }
    json_decref(json);
    return 0;
}

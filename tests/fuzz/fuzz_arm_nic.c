/*
 * fuzz_arm_nic: parses any JSON as ARM's network interface; every address that comes out must be one, once,
 * in order.
 */
#include <arpa/inet.h>
#include <string.h>

#include "fuzz.h"
#include "resolver/arm_nic.h"
#include "resolver/facts_build.h"

#define ID                                                                                                   \
    "/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/g/providers/Microsoft.Compute/"      \
    "virtualMachines/v"

static void check_address(const struct resolver_facts *f, size_t i)
{
    unsigned char bytes[16];
    const struct resolver_address *a = &f->addresses[i];
    FUZZ_CHECK(inet_pton(a->is_ipv6 ? AF_INET6 : AF_INET, a->ip, bytes) == 1);
    for (size_t k = 0; k < i; k++)
        FUZZ_CHECK(strcmp(f->addresses[k].ip, a->ip) != 0);
    FUZZ_CHECK(i == 0 || f->addresses[i - 1].primary_ip >= a->primary_ip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, 0, NULL);
    struct resolver_facts *f;
    const struct resolver_address *picked[RESOLVER_ADDRESSES_MAX];
    struct resolver_want want = {.prefer_private = true};
    struct err err = {0};
    FUZZ_CHECK(facts_new(&f, ID, RESOLVER_SOURCE_ARM, &err) == 0);
    if (arm_nic_parse(f, json, true, &err) == 0) {
        facts_address_sort(f);
        FUZZ_CHECK(f->address_count <= RESOLVER_ADDRESSES_MAX);
        for (size_t i = 0; i < f->address_count; i++)
            check_address(f, i);
        int n = resolver_facts_pick(f, &want, picked, RESOLVER_ADDRESSES_MAX, &err);
        FUZZ_CHECK(f->address_count ? n == (int)f->address_count : n == ERR_UNREACHABLE);
    }
    resolver_facts_unref(f);
    json_decref(json);
    return 0;
}

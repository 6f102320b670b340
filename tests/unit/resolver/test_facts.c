/*
 * Which addresses of a VM are tried, in which order, and what is said when there is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/facts_build.h"

#define ID                                                                                                   \
    "/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/rg-Desk/providers/"                  \
    "Microsoft.Compute/"                                                                                     \
    "virtualMachines/Win11"

static struct resolver_facts *vm(enum resolver_power power)
{
    struct resolver_facts *f;
    struct err err;
    assert_int_equal(facts_new(&f, ID, RESOLVER_SOURCE_ARM, &err), 0);
    f->power = power;
    return f;
}

static void expect(const struct resolver_facts *f, struct resolver_want want, const char *ips)
{
    const struct resolver_address *out[RESOLVER_ADDRESSES_MAX];
    char text[512] = "";
    struct err err;
    err_clear(&err);
    int n = resolver_facts_pick(f, &want, out, RESOLVER_ADDRESSES_MAX, &err);
    if (n < 0)
        fail_msg("%s", err.msg);
    for (int i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "", out[i]->ip);
    assert_string_equal(text, ips);
}

static void refuse(const struct resolver_facts *f, struct resolver_want want, int code, const char *says)
{
    const struct resolver_address *out[4];
    struct err err;
    err_clear(&err);
    assert_int_equal(resolver_facts_pick(f, &want, out, 4, &err), code);
    if (!strstr(err.msg, says))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, says);
}

static void parts_of_the_id(void **state)
{
    struct resolver_facts *f = vm(RESOLVER_POWER_RUNNING);
    assert_string_equal(f->name, "Win11");
    assert_string_equal(f->group, "rg-Desk");
    assert_string_equal(f->subscription, "33333333-3333-3333-3333-333333333333");
    assert_string_equal(f->vm_id, "");
    resolver_facts_unref(f);
}

static void primary_first_public_first(void **state)
{
    struct resolver_facts *f = vm(RESOLVER_POWER_RUNNING);
    facts_address_add(f, "10.0.1.4", false, false, true);
    facts_address_add(f, "20.0.0.9", true, false, true);
    facts_address_add(f, "10.0.0.5", false, true, false);
    facts_address_add(f, "20.0.0.2", true, true, false);
    facts_address_add(f, "fd00::4", false, true, true);
    facts_address_add(f, "2001:DB8:0::1", true, true, true);
    facts_address_add(f, "10.0.0.4", false, true, true);
    facts_address_add(f, "20.0.0.1", true, true, true);
    facts_address_sort(f);
    expect(f, (struct resolver_want){0}, "20.0.0.1 2001:db8::1 20.0.0.2 20.0.0.9");
    expect(f, (struct resolver_want){.family = RESOLVER_FAMILY_IPV6}, "2001:db8::1");
    expect(f, (struct resolver_want){.family = RESOLVER_FAMILY_IPV4}, "20.0.0.1 20.0.0.2 20.0.0.9");
    expect(f, (struct resolver_want){.private_only = true}, "10.0.0.4 fd00::4 10.0.0.5 10.0.1.4");
    expect(f, (struct resolver_want){.prefer_private = true, .family = RESOLVER_FAMILY_IPV4},
           "10.0.0.4 10.0.0.5 10.0.1.4 20.0.0.1 20.0.0.2 20.0.0.9");
    const struct resolver_address *one[1];
    assert_int_equal(resolver_facts_pick(f, &(struct resolver_want){0}, one, 1, NULL), 1);
    assert_string_equal(one[0]->ip, "20.0.0.1");
    resolver_facts_unref(f);
}

static void families_take_turns(void **state)
{
    struct resolver_facts *f = vm(RESOLVER_POWER_RUNNING);
    facts_address_add(f, "20.0.0.1", true, true, true);
    facts_address_add(f, "20.0.0.2", true, true, false);
    facts_address_add(f, "20.0.0.3", true, true, false);
    facts_address_add(f, "2001:db8::1", true, false, false);
    facts_address_add(f, "2001:db8::2", true, false, false);
    facts_address_sort(f);
    expect(f, (struct resolver_want){0}, "20.0.0.1 2001:db8::1 20.0.0.2 2001:db8::2 20.0.0.3");
    expect(f, (struct resolver_want){.family = RESOLVER_FAMILY_IPV4}, "20.0.0.1 20.0.0.2 20.0.0.3");
    resolver_facts_unref(f);
}

static void an_instance_is_started_as_such(void **state)
{
    struct resolver_facts *f;
    assert_int_equal(
        facts_new(&f,
                  "/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/rg/providers/"
                  "Microsoft.Compute/virtualMachineScaleSets/ss/virtualMachines/3",
                  RESOLVER_SOURCE_ARM, NULL),
        0);
    f->power = RESOLVER_POWER_DEALLOCATED;
    refuse(f, (struct resolver_want){0}, ERR_UNAVAILABLE, "/rg/ss/3");
    resolver_facts_unref(f);
}

/* What was written is read as the same. */
static void json_and_back(void **state)
{
    struct resolver_facts *f = vm(RESOLVER_POWER_STARTING), *back;
    f->os = RESOLVER_OS_LINUX;
    facts_keep(&f->vm_id, "44444444-4444-4444-4444-444444444444");
    facts_keep(&f->admin_user, "ann");
    facts_address_add(f, "10.0.0.4", false, true, true);
    facts_address_add(f, "2001:db8::1", true, true, false);
    facts_address_sort(f);
    json_t *j = resolver_facts_to_json(f);
    assert_int_equal(facts_of_json(&back, j, NULL), 0);
    json_t *again = resolver_facts_to_json(back);
    json_object_set_new(j, "source", json_string("cache"));
    assert_true(json_equal(j, again));
    json_decref(again);
    json_decref(j);
    resolver_facts_unref(back);
    resolver_facts_unref(f);
}

static void why_there_is_none(void **state)
{
    struct resolver_facts *f = vm(RESOLVER_POWER_RUNNING);
    refuse(f, (struct resolver_want){0}, ERR_UNREACHABLE, "no address at all");
    facts_address_add(f, "10.0.0.4", false, true, true);
    refuse(f, (struct resolver_want){0}, ERR_UNREACHABLE, "via:");
    refuse(f, (struct resolver_want){0}, ERR_UNREACHABLE, "prefer-private-ip");
    refuse(f, (struct resolver_want){.private_only = true, .family = RESOLVER_FAMILY_IPV6}, ERR_UNREACHABLE,
           "no private IPv6 address");
    facts_address_add(f, "20.0.0.1", true, true, true);
    refuse(f, (struct resolver_want){.family = RESOLVER_FAMILY_IPV6}, ERR_UNREACHABLE,
           "no public IPv6 address");
    expect(f, (struct resolver_want){0}, "20.0.0.1");
    resolver_facts_unref(f);
}

static void not_running(void **state)
{
    static const enum resolver_power off[] = {RESOLVER_POWER_STOPPED, RESOLVER_POWER_DEALLOCATED,
                                              RESOLVER_POWER_STOPPING, RESOLVER_POWER_DEALLOCATING};
    static const enum resolver_power on[] = {RESOLVER_POWER_UNKNOWN, RESOLVER_POWER_STARTING,
                                             RESOLVER_POWER_RUNNING};
    for (size_t i = 0; i < 4; i++) {
        struct resolver_facts *f = vm(off[i]);
        facts_address_add(f, "20.0.0.1", true, true, true);
        refuse(f, (struct resolver_want){0}, ERR_UNAVAILABLE, resolver_power_name(off[i]));
        refuse(f, (struct resolver_want){0}, ERR_UNAVAILABLE, "/rg-Desk/Win11");
        resolver_facts_unref(f);
    }
    for (size_t i = 0; i < 3; i++) {
        struct resolver_facts *f = vm(on[i]);
        facts_address_add(f, "20.0.0.1", true, true, true);
        expect(f, (struct resolver_want){0}, "20.0.0.1");
        resolver_facts_unref(f);
    }
}

static void what_is_no_address_is_left_out(void **state)
{
    static const char *const wrong[] = {
        "", "x", "0.0.0.0", "::", "10.0.0", "10.0.0.4/24", "10.0.0.256", "fe80::1%eth0"};
    struct resolver_facts *f = vm(RESOLVER_POWER_RUNNING);
    char ip[32];
    assert_int_equal(facts_address_add(f, NULL, true, true, true), 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(facts_address_add(f, wrong[i], true, true, true), 0);
    assert_int_equal(f->address_count, 0);
    for (int i = 0; i < 3 * RESOLVER_ADDRESSES_MAX; i++) {
        snprintf(ip, sizeof(ip), "10.0.%d.1", i / 2); /* each twice */
        assert_int_equal(facts_address_add(f, ip, false, true, true), 0);
    }
    assert_int_equal(f->address_count, RESOLVER_ADDRESSES_MAX);
    resolver_facts_unref(f);
}

static void json_holds_every_fact(void **state)
{
    struct resolver_facts *f = vm(RESOLVER_POWER_DEALLOCATED);
    f->os = RESOLVER_OS_WINDOWS;
    facts_keep(&f->vm_id, "44444444-4444-4444-4444-444444444444");
    facts_address_add(f, "10.0.0.4", false, true, true);
    json_t *j = resolver_facts_to_json(f);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "vm_id")), f->vm_id);
    assert_string_equal(json_string_value(json_object_get(j, "power")), "deallocated");
    assert_string_equal(json_string_value(json_object_get(j, "os")), "windows");
    assert_string_equal(json_string_value(json_object_get(j, "source")), "arm");
    assert_true(json_is_null(json_object_get(j, "admin_user")));
    json_t *a = json_array_get(json_object_get(j, "addresses"), 0);
    assert_string_equal(json_string_value(json_object_get(a, "ip")), "10.0.0.4");
    assert_true(json_is_false(json_object_get(a, "public")));
    json_decref(j);
    resolver_facts_unref(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_the_id),       cmocka_unit_test(primary_first_public_first),
        cmocka_unit_test(families_take_turns),   cmocka_unit_test(an_instance_is_started_as_such),
        cmocka_unit_test(json_and_back),         cmocka_unit_test(why_there_is_none),
        cmocka_unit_test(not_running),           cmocka_unit_test(what_is_no_address_is_left_out),
        cmocka_unit_test(json_holds_every_fact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Qualified names: direct look-ups, what is remembered of them, and what their errors say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static void two_round_trips(void **state)
{
    struct world *w = *state;
    struct found f;
    world_vm(w, "rg-desk", "win11", "running", "10.0.0.4", "20.0.0.1");
    world_find(w, "rg-desk/win11", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_string_equal(f.facts->vm_id, "vmid-win11");
    assert_int_equal(f.facts->source, RESOLVER_SOURCE_ARM);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.1");
    assert_string_equal(f.facts->addresses[1].ip, "10.0.0.4");
    assert_int_equal(world_requests(w), 2);
    found_done(&f);
}

static void warm_look_up_asks_no_one(void **state)
{
    struct world *w = *state;
    struct found f;
    world_vm(w, "rg-desk", "win11", "running", "10.0.0.4", "20.0.0.1");
    world_find(w, "rg-desk/win11", 0, &f);
    found_done(&f);
    static const char *const spellings[] = {"rg-desk/win11", "RG-Desk/WIN11", SUB "/rg-desk/win11",
                                            VM_PATH("rg-desk", "win11")};
    for (size_t i = 0; i < 4; i++) {
        world_find(w, spellings[i], 0, &f);
        assert_int_equal(f.err.code, 0);
        assert_int_equal(f.facts->source, RESOLVER_SOURCE_CACHE);
        found_done(&f);
    }
    assert_int_equal(world_requests(w), 2);
    world_find(w, "rg-desk/win11", RESOLVER_NO_CACHE, &f);
    assert_int_equal(f.facts->source, RESOLVER_SOURCE_ARM);
    found_done(&f);
    assert_int_equal(world_requests(w), 4);
}

static void a_new_address_is_found_after_a_failed_connect(void **state)
{
    struct world *w = *state;
    struct found f;
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    world_find(w, "rg/vm", 0, &f);
    found_done(&f);
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.77");
    world_invalidate(w, SUB "/rg/vm");
    world_find(w, "rg/vm", 0, &f);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.77");
    found_done(&f);
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.78");
    world_invalidate(w, VM_PATH("RG", "VM"));
    world_find(w, "rg/vm", 0, &f);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.78");
    found_done(&f);
}

static void a_bare_name_warms_its_qualified_one(void **state)
{
    struct world *w = *state;
    struct found f;
    world_graph(w, ROW(SUB, "rg-web", "web1", "running", "20.0.0.1"));
    world_find(w, "web1", 0, &f);
    found_done(&f);
    world_find(w, "rg-web/WEB1", 0, &f);
    assert_int_equal(f.err.code, 0);
    found_done(&f);
    assert_int_equal(world_requests(w), 1);
}

static void answers_grow_old(void **state)
{
    struct world *w = *state;
    struct found f;
    clock_test_freeze(w->rig->clock, 1000000);
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    world_ask(w, "rg/vm", 0, 0, &f);
    rig_advance_until(w->rig, &f.count, 1);
    found_done(&f);
    clock_test_advance(w->rig->clock, 500 * 1000);
    world_ask(w, "rg/vm", 0, 0, &f);
    rig_advance_until(w->rig, &f.count, 1);
    found_done(&f);
    assert_int_equal(world_requests(w), 2);
}

/* Used at once, and asked for anew meanwhile. */
static void an_old_answer_is_used_while_it_is_refreshed(void **state)
{
    struct world *w = *state;
    struct found f;
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    w->fresh_ms = 1;
    world_reopen_same(w);
    world_find(w, "rg/vm", 0, &f);
    found_done(&f);
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.2");
    uv_sleep(3);
    rig_turns(w->rig, 2);
    fake_arm_hold(w->rig->arm, true);
    world_find(w, "rg/vm", 0, &f);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.1");
    found_done(&f);
    fake_arm_hold(w->rig->arm, false);
    rig_until_hits(w->rig, "GET " NIC_PATH("vm-nic"), 2);
    for (int i = 0; i < 200 && (!f.facts || strcmp(f.facts->addresses[0].ip, "20.0.0.2") != 0); i++) {
        found_done(&f);
        world_find(w, "rg/vm", 0, &f);
    }
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.2");
    found_done(&f);
}

static void equal_look_ups_share_one(void **state)
{
    struct world *w = *state;
    struct found f[8];
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    for (int i = 0; i < 8; i++)
        world_ask(w, i % 2 ? "RG/vm" : "rg/VM", i == 5 ? RESOLVER_NO_CACHE : 0, 0, &f[i]);
    for (int i = 0; i < 8; i++) {
        rig_until(w->rig, &f[i].count, 1);
        assert_int_equal(f[i].err.code, 0);
        found_done(&f[i]);
    }
    assert_int_equal(world_requests(w), 2);
}

static void one_who_cancels_disturbs_no_other(void **state)
{
    struct world *w = *state;
    struct found gone, stays;
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    struct resolver_req *req = world_ask(w, "rg/vm", 0, 0, &gone);
    world_ask(w, "rg/vm", 0, 0, &stays);
    resolver_cancel(req);
    rig_until(w->rig, &stays.count, 1);
    assert_int_equal(stays.err.code, 0);
    assert_int_equal(gone.count, 0);
    found_done(&stays);
}

static void deadlines_are_each_callers_own(void **state)
{
    struct world *w = *state;
    struct found hasty, patient;
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    fake_arm_on(w->rig->arm, "GET " VM_PATH("rg", "slow") "?", FAKE_HANG, NULL, NULL);
    world_ask(w, "rg/slow", 0, 20000, &patient);
    struct resolver_req *req = world_ask(w, "rg/slow", 0, 100, &hasty);
    (void)req;
    rig_until(w->rig, &hasty.count, 1);
    assert_int_equal(hasty.err.code, ERR_TIMEOUT);
    assert_int_equal(patient.count, 0);
    found_done(&hasty);
}

static void one_with_more_time_flies_on(void **state)
{
    struct world *w = *state;
    struct found hasty, patient;
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    fake_arm_forget(w->rig->arm, "GET " VM_PATH("rg", "vm") "?$expand=instanceView");
    fake_arm_on(w->rig->arm, "GET " VM_PATH("rg", "vm") "?", FAKE_HANG, NULL, NULL);
    world_ask(w, "rg/vm", 0, 300, &hasty);
    world_ask(w, "rg/vm", 0, 20000, &patient);
    rig_until_hits(w->rig, "GET " VM_PATH("rg", "vm"), 1);
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    rig_until(w->rig, &hasty.count, 1);
    assert_int_equal(hasty.err.code, ERR_TIMEOUT);
    rig_until(w->rig, &patient.count, 1);
    assert_int_equal(patient.err.code, 0);
    found_done(&hasty);
    found_done(&patient);
}

static void not_found_says_what_to_check_and_is_remembered(void **state)
{
    struct world *w = *state;
    struct found f;
    world_no_vm(w, "rg-desk", "win12");
    for (int i = 0; i < 3; i++) {
        world_find(w, "rg-desk/win12", 0, &f);
        assert_int_equal(f.err.code, ERR_NOTFOUND);
        assert_contains(f.err.msg, "looking up rg-desk/win12: ARM GET ");
        assert_contains(f.err.msg, "ResourceNotFound");
        assert_contains(f.err.msg, "az vm list");
        found_done(&f);
    }
    assert_int_equal(fake_arm_hits(w->rig->arm, "GET /subscriptions"), 1);
    assert_int_equal(world_requests(w), 2); /* the other one for a hint */
    world_vm(w, "rg-desk", "win12", "running", "10.0.0.4", "20.0.0.1");
    world_find(w, "rg-desk/win12", RESOLVER_NO_CACHE, &f);
    assert_int_equal(f.err.code, 0);
    found_done(&f);
    world_find(w, "rg-desk/win12", 0, &f);
    assert_int_equal(f.err.code, 0);
    found_done(&f);
}

static void interfaces_in_order_and_some_missing(void **state)
{
    struct world *w = *state;
    struct found f;
    fake_arm_on(
        w->rig->arm, "GET " VM_PATH("rg", "vm") "?", 200, NULL,
        "{\"id\":\"" VM_PATH(
            "rg",
            "vm") "\",\"properties\":{\"networkProfile\":{\"networkInterfaces\":["
                  "{\"id\":\"" NIC_PATH(
                      "a") "\",\"properties\":{\"primary\":false}},"
                           "{\"id\":\"" NIC_PATH(
                               "b") "\",\"properties\":{\"primary\":true}},"
                                    "{\"id\":\"" NIC_PATH(
                                        "gone") "\",\"properties\":{\"primary\":false}},"
                                                "{\"id\":\"" NIC_PATH(
                                                    "secret") "\",\"properties\":{\"primary\":false}}]}}}");
    fake_arm_on(
        w->rig->arm, "GET " NIC_PATH("a"), 200, NULL,
        "{\"properties\":{\"ipConfigurations\":[{\"properties\":{\"privateIPAddress\":\"10.0.0.1\"}}]}}");
    fake_arm_on(
        w->rig->arm, "GET " NIC_PATH("b"), 200, NULL,
        "{\"properties\":{\"ipConfigurations\":[{\"properties\":{\"privateIPAddress\":\"10.0.0.2\"}}]}}");
    fake_arm_on(w->rig->arm, "GET " NIC_PATH("gone"), 404, NULL, NO_SUCH("ResourceNotFound"));
    fake_arm_on(w->rig->arm, "GET " NIC_PATH("secret"), 403, NULL, NO_SUCH("AuthorizationFailed"));
    world_find(w, "rg/vm", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_int_equal(f.facts->address_count, 2);
    assert_string_equal(f.facts->addresses[0].ip, "10.0.0.2");
    assert_true(f.facts->addresses[0].primary_nic);
    assert_string_equal(f.facts->addresses[1].ip, "10.0.0.1");
    found_done(&f);
    fake_arm_forget(w->rig->arm, "GET " NIC_PATH("b"));
    fake_arm_on(w->rig->arm, "GET " NIC_PATH("b"), 403, NULL, NO_SUCH("AuthorizationFailed"));
    world_find(w, "rg/vm", RESOLVER_NO_CACHE, &f);
    assert_int_equal(f.err.code, ERR_DENIED);
    found_done(&f);
}

static void names_that_cannot_be(void **state)
{
    static const char *const wrong[] = {"", "a b", "x'y", "..", "a?b", "/subscriptions/x", "a\nb", "a%2fb"};
    struct world *w = *state;
    struct resolver_req *req;
    struct found f = {0};
    struct err err;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct resolver_name vm = {.name = wrong[i]}, group = {.group = wrong[i], .name = "vm"};
        assert_int_equal(resolver_lookup(w->resolver, &vm, 0, 0, found_cb, &f, &req, &err), ERR_INVAL);
        assert_int_equal(resolver_lookup(w->resolver, &group, 0, 0, found_cb, &f, &req, &err), ERR_INVAL);
        resolver_invalidate(w->resolver, &vm);
    }
    struct resolver_name instance = {.group = "rg", .name = "ss", .instance = "x"};
    assert_int_equal(resolver_lookup(w->resolver, &instance, 0, 0, found_cb, &f, &req, &err), ERR_INVAL);
    assert_contains(err.msg, "group/set/number");
    rig_turns(w->rig, 3);
    assert_int_equal(f.count, 0);
    assert_int_equal(world_requests(w), 0);
}

static const char visible[] =
    "{\"value\":[{\"subscriptionId\":\"" SUB "\",\"displayName\":\"Desk\"},"
    "{\"subscriptionId\":\"" SUB2 "\",\"displayName\":\"Lab\"},{\"subscriptionId\":5},null]}";

static void the_only_visible_subscription_is_the_default(void **state)
{
    struct world *w = *state;
    struct found f;
    world_reopen(w, NULL, 0);
    fake_arm_on(w->rig->arm, "GET /subscriptions?", 200, NULL,
                "{\"value\":[{\"subscriptionId\":\"" SUB "\",\"displayName\":\"Desk\"}]}");
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    world_vm(w, "rg", "vm2", "running", "10.0.0.5", "20.0.0.2");
    world_find(w, "rg/vm", 0, &f);
    assert_int_equal(f.err.code, 0);
    found_done(&f);
    world_find(w, "rg/vm2", 0, &f);
    found_done(&f);
    assert_int_equal(fake_arm_hits(w->rig->arm, "GET /subscriptions?"), 1);
}

static void several_visible_subscriptions_need_a_choice(void **state)
{
    struct world *w = *state;
    struct found f;
    world_reopen(w, NULL, 0);
    fake_arm_on(w->rig->arm, "GET /subscriptions?", 200, NULL, visible);
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    world_find(w, "rg/vm", 0, &f);
    assert_int_equal(f.err.code, ERR_AMBIGUOUS);
    assert_contains(f.err.msg, "Desk (" SUB "), Lab (" SUB2 ")");
    assert_contains(f.err.msg, "azure: subscription");
    found_done(&f);
    world_find(w, "desk/rg/vm", 0, &f);
    assert_int_equal(f.err.code, 0);
    found_done(&f);
    struct resolver_name wrong = {.subscription = "Attic", .group = "rg", .name = "vm"};
    struct resolver_req *req;
    struct err err;
    assert_int_equal(resolver_lookup(w->resolver, &wrong, 0, 0, found_cb, &f, &req, &err), ERR_NOTFOUND);
    assert_contains(err.msg, "it sees Desk");
}

static void the_environment_names_the_subscription(void **state)
{
    struct world *w = *state;
    struct found f;
    setenv("AZURE_SUBSCRIPTION_ID", SUB, 1);
    world_reopen(w, NULL, 0);
    unsetenv("AZURE_SUBSCRIPTION_ID");
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    world_find(w, "rg/vm", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_int_equal(fake_arm_hits(w->rig->arm, "GET /subscriptions?"), 0);
    found_done(&f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_round_trips),
        TEST(warm_look_up_asks_no_one),
        TEST(a_new_address_is_found_after_a_failed_connect),
        TEST(a_bare_name_warms_its_qualified_one),
        TEST(answers_grow_old),
        TEST(an_old_answer_is_used_while_it_is_refreshed),
        TEST(equal_look_ups_share_one),
        TEST(one_who_cancels_disturbs_no_other),
        TEST(deadlines_are_each_callers_own),
        TEST(one_with_more_time_flies_on),
        TEST(not_found_says_what_to_check_and_is_remembered),
        TEST(interfaces_in_order_and_some_missing),
        TEST(names_that_cannot_be),
        TEST(the_only_visible_subscription_is_the_default),
        TEST(several_visible_subscriptions_need_a_choice),
        TEST(the_environment_names_the_subscription),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

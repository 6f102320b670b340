/*
 * Instances of Uniform scale sets.
 */
#include <stdio.h>
#include <string.h>

#include "world.h"

#define SET "/subscriptions/" SUB "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/ss"
#define INSTANCE SET "/virtualMachines/3"
#define CONFIGURATION INSTANCE "/networkInterfaces/nic/ipConfigurations/ipc"

static void ask(struct world *w, const char *group, const char *set, const char *number, unsigned flags,
                struct found *f)
{
    const struct resolver_name name = {.group = group, .name = set, .instance = number};
    struct resolver_req *req;
    struct err err;
    memset(f, 0, sizeof(*f));
    if (resolver_lookup(w->resolver, &name, flags, 0, found_cb, f, &req, &err))
        fail_msg("%s", err.msg);
    rig_until(w->rig, &f->count, 1);
}

static void set_up(struct world *w, const char *public_ip)
{
    char body[1024];
    fake_arm_on(
        w->rig->arm, "GET " INSTANCE "?$expand=instanceView&api-version=2024-11-01", 200, NULL,
        "{\"id\":\"" INSTANCE "\",\"name\":\"ss_3\",\"instanceId\":\"3\",\"location\":\"westeurope\","
        "\"properties\":{\"vmId\":\"vmid-ss3\",\"storageProfile\":{\"osDisk\":{\"osType\":\"Linux\"}},"
        "\"networkProfile\":{\"networkInterfaces\":[{\"id\":\"" INSTANCE "/networkInterfaces/nic\"}]},"
        "\"instanceView\":{\"statuses\":[{\"code\":\"PowerState/running\"}]}}}");
    snprintf(body, sizeof(body),
             "{\"value\":[{\"name\":\"nic\",\"properties\":{\"primary\":true,\"ipConfigurations\":[{\"name\":"
             "\"ipc\","
             "\"properties\":{\"primary\":true,\"privateIPAddress\":\"10.0.0.7\"%s}}]}}]}",
             public_ip ? ",\"publicIPAddress\":{\"id\":\"" CONFIGURATION "/publicIPAddresses/pub\"}" : "");
    fake_arm_on(w->rig->arm, "GET " INSTANCE "/networkInterfaces?api-version=2018-10-01", 200, NULL, body);
    snprintf(body, sizeof(body),
             "{\"value\":[{\"id\":\"" SET
             "/virtualMachines/4/networkInterfaces/nic/ipConfigurations/ipc/publicIPAddresses/pub\","
             "\"properties\":{\"ipAddress\":\"20.0.0.4\"}}],\"nextLink\":\"%s/page2\"}",
             fake_arm_url(w->rig->arm));
    fake_arm_on(w->rig->arm, "GET " SET "/publicipaddresses?api-version=2018-10-01", 200, NULL, body);
    snprintf(body, sizeof(body),
             "{\"value\":[null,{\"id\":\"" CONFIGURATION
             "/publicIPADDRESSES/PUB\",\"properties\":{\"ipAddress\":\"%s\"}}]}",
             public_ip ? public_ip : "");
    fake_arm_on(w->rig->arm, "GET /page2", 200, NULL, body);
}

static void with_a_public_address(void **state)
{
    struct world *w = *state;
    struct found f;
    set_up(w, "20.0.0.3");
    ask(w, "rg", "ss", "3", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_string_equal(f.facts->id, INSTANCE);
    assert_string_equal(f.facts->name, "ss/3");
    assert_string_equal(f.facts->vm_id, "vmid-ss3");
    assert_int_equal(f.facts->power, RESOLVER_POWER_RUNNING);
    assert_int_equal(f.facts->address_count, 2);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.3");
    assert_string_equal(f.facts->addresses[1].ip, "10.0.0.7");
    found_done(&f);
    assert_int_equal(world_requests(w), 4);
    ask(w, "RG", "SS", "3", 0, &f);
    assert_int_equal(f.facts->source, RESOLVER_SOURCE_CACHE);
    found_done(&f);
    ask(w, NULL, INSTANCE, NULL, 0, &f);
    assert_int_equal(f.facts->source, RESOLVER_SOURCE_CACHE);
    found_done(&f);
    assert_int_equal(world_requests(w), 4);
}

static void without_one_two_requests_do(void **state)
{
    struct world *w = *state;
    struct found f;
    set_up(w, NULL);
    ask(w, "rg", "ss", "3", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_int_equal(f.facts->address_count, 1);
    assert_string_equal(f.facts->addresses[0].ip, "10.0.0.7");
    assert_false(f.facts->addresses[0].is_public);
    found_done(&f);
    assert_int_equal(world_requests(w), 2);
}

static void addresses_that_may_not_be_read_are_left_out(void **state)
{
    struct world *w = *state;
    struct found f;
    set_up(w, "20.0.0.3");
    fake_arm_forget(w->rig->arm, "GET " SET "/publicipaddresses?api-version=2018-10-01");
    fake_arm_on(w->rig->arm, "GET " SET "/publicipaddresses", 403, NULL, NO_SUCH("AuthorizationFailed"));
    ask(w, "rg", "ss", "3", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_int_equal(f.facts->address_count, 1);
    found_done(&f);
}

static void one_that_is_not_there(void **state)
{
    struct world *w = *state;
    struct found f;
    fake_arm_on(w->rig->arm, "GET " SET, 404, NULL, NO_SUCH("ResourceNotFound"));
    ask(w, "rg", "ss", "3", 0, &f);
    assert_int_equal(f.err.code, ERR_NOTFOUND);
    assert_contains(f.err.msg, "looking up rg/ss/3");
    assert_contains(f.err.msg, "az vmss list-instances");
    found_done(&f);
}

static void odd_answers_are_refused(void **state)
{
    static const char *const bodies[] = {"[]", "{}", "{\"id\":5}", "<html>", "{\"value\":7}"};
    struct world *w = *state;
    struct found f;
    set_up(w, NULL);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        fake_arm_forget(w->rig->arm, "GET " INSTANCE "/networkInterfaces?api-version=2018-10-01");
        fake_arm_on(w->rig->arm, "GET " INSTANCE "/networkInterfaces?api-version=2018-10-01", 200, NULL,
                    bodies[i]);
        ask(w, "rg", "ss", "3", RESOLVER_NO_CACHE, &f);
        assert_int_equal(f.err.code, ERR_PROTOCOL);
        found_done(&f);
    }
}

static void cancelled_after_every_turn(void **state)
{
    struct world *w = *state;
    const struct resolver_name name = {.group = "rg", .name = "ss", .instance = "3"};
    set_up(w, "20.0.0.3");
    for (unsigned n = 0; n < 40; n++) {
        struct resolver_req *req;
        struct found f = {0};
        world_reopen_same(w);
        assert_int_equal(resolver_lookup(w->resolver, &name, 0, 0, found_cb, &f, &req, NULL), 0);
        for (unsigned i = 0; i < n && f.count == 0; i++)
            rig_turns(w->rig, 1);
        if (f.count == 0)
            resolver_cancel(req);
        found_done(&f);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(with_a_public_address),
        TEST(without_one_two_requests_do),
        TEST(addresses_that_may_not_be_read_are_left_out),
        TEST(one_that_is_not_there),
        TEST(odd_answers_are_refused),
        TEST(cancelled_after_every_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

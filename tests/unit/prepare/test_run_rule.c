/*
 * The rule's step: both security groups, names and priorities that are taken, whose address it is, and what
 * is known while the VM is off.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "run_rig.h"

static json_t *rule_of(json_t *rules, const char *name)
{
    json_t *p = json_object_get(rules, name);
    assert_non_null(p);
    return p;
}

static int priority_of(json_t *rules, const char *name)
{
    return (int)json_integer_value(json_object_get(rule_of(rules, name), "priority"));
}

static const char *source_of(json_t *rules, const char *name)
{
    return json_string_value(json_object_get(rule_of(rules, name), "sourceAddressPrefix"));
}

static void both_groups_must_let_it_in(void **state)
{
    struct run_rig *r = *state;
    fake_rule_set(&r->w.subnet_rules, "web", 200, "Allow", "*", "443", NULL);
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_RULE, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_RULE].text,
                    "DenyAllInBound of subnet-nsg keeps 203.0.113.7/32 from port 22");
    fake_world_lack(&r->w, LACK_RULE);
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    assert_int_equal(priority_of(r->w.rules, "allow-SSH"), 1000);
    assert_int_equal(priority_of(r->w.subnet_rules, "allow-SSH"), 1000);
    assert_int_equal(json_object_size(r->w.subnet_rules), 2);
    rig_run(r, PREPARE_UNDO);
    assert_int_equal(json_object_size(r->w.subnet_rules), 1);
    assert_int_equal(json_object_size(r->w.rules), 0);
}

static void refusal_before_it_moves_it_forward(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_RULE);
    fake_rule_set(&r->w.rules, "no-ssh", 500, "Deny", "*", "22", NULL);
    fake_rule_set(&r->w.rules, "other", 499, "Allow", "*", "443", NULL);
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    assert_int_equal(priority_of(r->w.rules, "allow-SSH"), 498);
}

static void name_and_priority_that_are_taken_are_left_alone(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_RULE);
    fake_rule_set(&r->w.rules, "allow-SSH", 1000, "Allow", "192.0.2.1/32", "22", NULL);
    /* another user's adit: its mark, but not in our record */
    fake_rule_set(&r->w.rules, "allow-SSH-2", 1001, "Allow", "192.0.2.2/32", "22",
                  "Added by adit prepare: SSH to win-new");
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    assert_string_equal(source_of(r->w.rules, "allow-SSH"), "192.0.2.1/32");
    assert_string_equal(source_of(r->w.rules, "allow-SSH-2"), "192.0.2.2/32");
    assert_string_equal(source_of(r->w.rules, "allow-SSH-3"), CALLER "/32");
    assert_int_equal(priority_of(r->w.rules, "allow-SSH-3"), 1002);
}

static void our_own_rule_follows_our_address(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_RULE);
    r->o.source = "192.0.2.77";
    rig_run(r, PREPARE_MEND);
    assert_string_equal(source_of(r->w.rules, "allow-SSH"), "192.0.2.77/32");
    rig_expect(r, PREPARE_PORT, PREPARE_FAIL); /* that is not where we are */
    r->o.source = NULL;
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    assert_int_equal(json_object_size(r->w.rules), 1);
    assert_string_equal(source_of(r->w.rules, "allow-SSH"), CALLER "/32");
    assert_int_equal(priority_of(r->w.rules, "allow-SSH"), 1000);
}

static void without_a_priority_left_it_cannot_be_mended(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_RULE);
    fake_rule_set(&r->w.rules, "no-ssh", 100, "Deny", "*", "*", NULL);
    rig_run(r, PREPARE_MEND);
    rig_expect(r, PREPARE_RULE, PREPARE_FAIL);
    assert_false(r->told[PREPARE_RULE].mendable);
    assert_contains(r->told[PREPARE_RULE].mend, "no free priority before its rule no-ssh");
    assert_int_equal(r->w.writes, 0);
}

static void without_our_address_the_user_must_name_it(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_RULE);
    r->w.caller_known = false;
    rig_run(r, PREPARE_MEND);
    rig_expect(r, PREPARE_RULE, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_RULE].mend, "--source ADDRESS/32");
    assert_int_equal(r->w.writes, 0);
    r->o.source = "*";
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    assert_string_equal(source_of(r->w.rules, "allow-SSH"), "*");
}

static void senseless_source_is_refused_before_anything(void **state)
{
    struct run_rig *r = *state;
    r->o.source = "here; rm -rf /";
    assert_int_equal(rig_begin(r, PREPARE_MEND), ERR_INVAL);
    r->o.source = NULL;
    r->o.public_key = "ssh-ed25519 AAAA\nssh-rsa BBBB";
    assert_int_equal(rig_begin(r, PREPARE_MEND), ERR_INVAL);
    r->o.public_key = NULL;
    r->o.record = NULL;
    assert_int_equal(rig_begin(r, PREPARE_MEND), ERR_INVAL);
    assert_int_equal(r->w.requests, 0);
}

static void standard_address_without_a_group_is_closed(void **state)
{
    struct run_rig *r = *state;
    json_decref(r->w.rules);
    r->w.rules = NULL;
    r->w.sshd_by_extension = true;
    fake_world_lack(&r->w, LACK_EXTENSION); /* so that the port does not answer */
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_RULE, PREPARE_FAIL);
    assert_false(r->told[PREPARE_RULE].mendable);
    assert_contains(r->told[PREPARE_RULE].mend, "az network nsg create");
    r->w.basic = true;
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_RULE, PREPARE_PASS);
}

static void through_another_vm_the_internet_needs_no_rule(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_RULE);
    fake_world_lack(&r->w, LACK_EXTENSION);
    r->o.via = "jump";
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_RULE, PREPARE_PASS); /* AllowVnetInBound */
    assert_contains(r->told[PREPARE_RULE].text, "VirtualNetwork");
    assert_contains(r->told[PREPARE_ADDRESS].text, "through jump");
    r->o.via = NULL;
    r->o.private_address = true;
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_RULE, PREPARE_PASS);
    assert_contains(r->told[PREPARE_ADDRESS].text, "10.0.0.4");
}

static void groups_are_read_where_effective_rules_are_not_given(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_RULE);
    fake_rule_set(&r->w.subnet_rules, "in", 200, "Allow", "*", "22", NULL);
    r->w.faults[0] = (struct fake_fault){.match = "/effectiveNetworkSecurityGroups",
                                         .times = UINT_MAX,
                                         .code = ERR_DENIED,
                                         .message = "ARM POST: 403 AuthorizationFailed: no"};
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_RULE, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_RULE].text, "DenyAllInBound of win-new-nsg");
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    fake_world_lack(&r->w, LACK_RULE);
    fake_world_lack(&r->w, LACK_POWER);
    r->w.faults[0].times = 0;
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_RULE, PREPARE_FAIL);
    assert_true(r->told[PREPARE_RULE].mendable);
}

static void rule_that_azure_could_not_put_in_force_is_put_again(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_RULE);
    r->w.faults[0] = (struct fake_fault){.match = "/effectiveNetworkSecurityGroups",
                                         .times = UINT_MAX,
                                         .code = ERR_DENIED,
                                         .message = "ARM POST: 403 AuthorizationFailed: no"};
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    json_t *rule = json_object_get(r->w.rules, "allow-SSH");
    json_object_set_new(rule, "provisioningState", json_string("Failed"));
    fake_world_lack(&r->w, LACK_EXTENSION); /* so that the port does not answer */
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    rig_expect(r, PREPARE_RULE, PREPARE_MENDED);
    assert_int_equal(json_object_size(r->w.rules), 1);
    assert_int_equal(priority_of(r->w.rules, "allow-SSH"), 1000);
}

static void group_that_may_not_be_read_is_named(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_POWER);
    r->w.faults[0] = (struct fake_fault){
        .match = "GET " NSG_ID,
        .times = UINT_MAX,
        .code = ERR_DENIED,
        .message = "ARM GET: 403 AuthorizationFailed: c does not have authorization to perform action "
                   "'Microsoft.Network/networkSecurityGroups/read' over scope '/s'"};
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_RULE, PREPARE_FAIL);
    assert_string_equal(r->told[PREPARE_RULE].action, "Microsoft.Network/networkSecurityGroups/read");
    assert_int_equal(r->err.code, ERR_UNAVAILABLE); /* nothing was to be written */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, run_rig_setup, run_rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_groups_must_let_it_in),
        TEST(refusal_before_it_moves_it_forward),
        TEST(name_and_priority_that_are_taken_are_left_alone),
        TEST(our_own_rule_follows_our_address),
        TEST(without_a_priority_left_it_cannot_be_mended),
        TEST(without_our_address_the_user_must_name_it),
        TEST(senseless_source_is_refused_before_anything),
        TEST(standard_address_without_a_group_is_closed),
        TEST(through_another_vm_the_internet_needs_no_rule),
        TEST(groups_are_read_where_effective_rules_are_not_given),
        TEST(rule_that_azure_could_not_put_in_force_is_put_again),
        TEST(group_that_may_not_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

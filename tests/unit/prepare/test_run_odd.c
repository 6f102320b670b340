/*
 * Odd machines: what is no VM of its own, what is on its way down, whose owner is not known.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "run_rig.h"

#define INSTANCE_ID RG "/Microsoft.Compute/virtualMachineScaleSets/web/virtualMachines/3"

static void instance_of_a_uniform_set_is_checked_not_mended(void **state)
{
    struct run_rig *r = *state;
    r->w.id = INSTANCE_ID;
    rig_run(r, PREPARE_CHECK);
    rig_all_pass(r);
    assert_contains(r->told[PREPARE_VM].text, "an instance of a Uniform scale set");
    assert_int_equal(r->w.scripts, 0); /* Run Command is not for it */
    fake_world_lack(&r->w, LACK_POWER);
    fake_world_lack(&r->w, LACK_RULE);
    r->o.print = PREPARE_FORM_AZ;
    rig_run(r, PREPARE_CHECK);
    assert_int_equal(r->prints, 0);
    r->o.print = PREPARE_FORM_NONE;
    rig_run(r, PREPARE_MEND);
    rig_expect(r, PREPARE_POWER, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_POWER].mend, "az vmss start");
    rig_expect(r, PREPARE_RULE, PREPARE_SKIP);
    assert_int_equal(r->w.writes, 0);
}

static void classic_vm_is_not_supported(void **state)
{
    struct run_rig *r = *state;
    r->w.id = RG "/Microsoft.ClassicCompute/virtualMachines/old";
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_SIGN_IN, PREPARE_PASS);
    rig_expect(r, PREPARE_VM, PREPARE_FAIL);
    assert_int_equal(r->told[PREPARE_VM].code, ERR_UNSUPPORTED);
    assert_contains(r->told[PREPARE_VM].mend, "classic VMs are not supported");
}

static void name_that_is_no_vm_asks_nobody(void **state)
{
    struct run_rig *r = *state;
    r->w.sign_in = ERR_INVAL;
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_SIGN_IN, PREPARE_SKIP);
    rig_expect(r, PREPARE_VM, PREPARE_FAIL);
    rig_expect(r, PREPARE_PORT, PREPARE_SKIP);
}

static void dynamic_address_comes_with_the_start(void **state)
{
    struct run_rig *r = *state;
    r->w.unallocated = true;
    fake_world_lack(&r->w, LACK_POWER);
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_ADDRESS, PREPARE_PASS);
    assert_contains(r->told[PREPARE_ADDRESS].text, "when it runs");
    snprintf(r->w.power, sizeof(r->w.power), "running");
    rig_run(r, PREPARE_MEND);
    rig_expect(r, PREPARE_ADDRESS, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_ADDRESS].text, "not allocated");
}

static void without_a_public_address_via_is_proposed(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_ADDRESS);
    rig_run(r, PREPARE_MEND);
    rig_expect(r, PREPARE_ADDRESS, PREPARE_FAIL);
    assert_false(r->told[PREPARE_ADDRESS].mendable);
    assert_contains(r->told[PREPARE_ADDRESS].mend, "`via: VM`");
    assert_contains(r->told[PREPARE_ADDRESS].mend, "--create-public-ip");
    assert_int_equal(r->w.writes, 0);
}

static void name_of_an_address_that_is_taken_is_left_alone(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_ADDRESS);
    r->w.pip_made = true; /* somebody's, not in our record */
    r->o.create_public_ip = true;
    rig_run(r, PREPARE_MEND);
    assert_contains(r->w.log, "PUT " PIP_ID "-2\n");
    assert_null(strstr(r->w.log, "PUT " PIP_ID "\n"));
}

static void failed_extension_is_installed_again_and_not_ours(void **state)
{
    struct run_rig *r = *state;
    snprintf(r->w.extension, sizeof(r->w.extension), "Failed");
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_EXTENSION, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_EXTENSION].text, "its state is Failed");
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    rig_run(r, PREPARE_UNDO);
    assert_true(fake_world_has(&r->w, LACK_EXTENSION)); /* it was there before */
}

static void server_that_never_comes_up_is_waited_for_a_minute(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_EXTENSION);
    r->w.install_ms = UINT_MAX;
    uint64_t began = clock_now(r->w.clock);
    rig_run(r, PREPARE_MEND);
    uint64_t took = clock_now(r->w.clock) - began;
    rig_expect(r, PREPARE_EXTENSION, PREPARE_MENDED);
    rig_expect(r, PREPARE_PORT, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_PORT].text, "connection refused");
    assert_true(took > 60000 && took < 120000);
    assert_contains(r->progress, "waiting for port 22 of win-new (");
}

static void user_and_key_decide_whether_a_login_can_be_mended(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_KEY);
    r->o.user = "bob";
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_LOGIN, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_LOGIN].mend, "adds your public key for bob");
    assert_contains(r->told[PREPARE_LOGIN].text, "refused key");
    assert_int_equal(r->told[PREPARE_LOGIN].code, ERR_AUTH);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, run_rig_setup, run_rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(instance_of_a_uniform_set_is_checked_not_mended),
        TEST(classic_vm_is_not_supported),
        TEST(name_that_is_no_vm_asks_nobody),
        TEST(dynamic_address_comes_with_the_start),
        TEST(without_a_public_address_via_is_proposed),
        TEST(name_of_an_address_that_is_taken_is_left_alone),
        TEST(failed_extension_is_installed_again_and_not_ours),
        TEST(server_that_never_comes_up_is_waited_for_a_minute),
        TEST(user_and_key_decide_whether_a_login_can_be_mended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

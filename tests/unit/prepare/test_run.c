/*
 * Runs: doctor and prepare on a VM that lacks each step, and each pair of steps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run_rig.h"

static const enum prepare_step step_of[LACKS] = {PREPARE_POWER, PREPARE_ADDRESS, PREPARE_EXTENSION,
                                                 PREPARE_RULE, PREPARE_LOGIN};

static void doctor_passes_when_all_is_well(void **state)
{
    struct run_rig *r = *state;
    rig_run(r, PREPARE_CHECK);
    rig_all_pass(r);
    assert_int_equal(r->w.writes, 0);
    assert_int_equal(r->outcomes, PREPARE_STEPS);
    assert_string_equal(r->told[PREPARE_EXTENSION].text, "an SSH server answers");
    assert_string_equal(r->told[PREPARE_RULE].text, "port 22 answers");
    assert_contains(r->told[PREPARE_PORT].text, "SSH-2.0-OpenSSH_for_Windows_9.5");
    assert_contains(r->told[PREPARE_HOST_KEY].text, "as the VM reports through Azure");
    assert_contains(r->told[PREPARE_LOGIN].text, "ann, publickey");
    assert_int_equal(r->w.enters, 1);
    /* the VM, its interface, its host keys: nothing else is asked of ARM */
    assert_int_equal(r->w.requests, 3);
    char *record = rig_record(r);
    assert_string_equal(record, "");
    free(record);
}

static void outcomes_come_in_order_of_need(void **state)
{
    struct run_rig *r = *state;
    unsigned at[PREPARE_STEPS];
    rig_run(r, PREPARE_CHECK);
    for (unsigned i = 0; i < r->outcomes; i++)
        at[r->order[i]] = i;
    assert_true(at[PREPARE_SIGN_IN] < at[PREPARE_VM] && at[PREPARE_VM] < at[PREPARE_POWER]);
    assert_true(at[PREPARE_ADDRESS] < at[PREPARE_PORT] && at[PREPARE_PORT] < at[PREPARE_RULE]);
    assert_true(at[PREPARE_PORT] < at[PREPARE_EXTENSION] && at[PREPARE_PORT] < at[PREPARE_HOST_KEY]);
    assert_true(at[PREPARE_LOGIN] < at[PREPARE_FORWARD] && at[PREPARE_FORWARD] < at[PREPARE_RDP]);
}

static void each_pair_is_found_and_mended(void **state)
{
    for (enum fake_lack a = 0; a < LACKS; a++)
        for (enum fake_lack b = a; b < LACKS; b++) {
            struct run_rig *r;
            assert_int_equal(run_rig_setup((void **)&r), 0);
            r->o.create_public_ip = true;
            r->w.boot_ms = 20000;
            r->w.install_ms = 8000;
            fake_world_lack(&r->w, a);
            fake_world_lack(&r->w, b);
            rig_run(r, PREPARE_CHECK);
            assert_int_equal(r->w.writes, 0);
            assert_int_equal(r->err.code, ERR_UNAVAILABLE);
            rig_expect(r, step_of[a], a == LACK_KEY && b != a ? PREPARE_SKIP : PREPARE_FAIL);
            /* what keeps a login from being tried hides whether it works */
            rig_expect(r, step_of[b], b == LACK_KEY && a != b ? PREPARE_SKIP : PREPARE_FAIL);
            assert_true(r->told[step_of[a]].mendable);
            assert_true(r->told[step_of[a]].mend[0] != 0);

            rig_run(r, PREPARE_MEND);
            rig_all_pass(r);
            rig_expect(r, step_of[a], PREPARE_MENDED);
            rig_expect(r, step_of[b], PREPARE_MENDED);
            for (enum fake_lack k = 0; k < LACKS; k++)
                assert_true(fake_world_has(&r->w, k));
            assert_true(r->changes >= (a == b ? 1u : 2u));

            rig_run(r, PREPARE_MEND);
            rig_all_pass(r);
            if (r->w.writes)
                fail_msg("a second prepare wrote:\n%s", r->w.log);
            assert_int_equal(r->changes, 0);
            rig_run(r, PREPARE_CHECK);
            rig_all_pass(r);

            rig_run(r, PREPARE_UNDO);
            if (r->err.code)
                fail_msg("%s", r->err.msg);
            for (enum fake_lack k = LACK_ADDRESS; k < LACKS; k++)
                if ((k == a || k == b) == fake_world_has(&r->w, k))
                    fail_msg("undo of %u %u: %u is %d\n%s", a, b, k, fake_world_has(&r->w, k), r->changed);
            char *record = rig_record(r);
            assert_null(strstr(record, VM_ID));
            free(record);
            run_rig_teardown((void **)&r);
        }
}

static void everything_missing_is_mended_by_one_prepare(void **state)
{
    struct run_rig *r = *state;
    r->o.create_public_ip = true;
    r->w.boot_ms = 30000;
    r->w.install_ms = 10000;
    for (enum fake_lack k = 0; k < LACKS; k++)
        fake_world_lack(&r->w, k);
    uint64_t began = clock_now(r->w.clock);
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    /* six operations of 3 s, the machine's start, and no idling between them */
    uint64_t took = clock_now(r->w.clock) - began;
    if (took > 45000)
        fail_msg("it took %llu ms", (unsigned long long)took);
    assert_contains(r->changed, "started win-new\n");
    assert_contains(r->changed, "gave win-new the public IP address win-new-ip\n");
    assert_contains(r->changed, "installed the extension WindowsOpenSSH on win-new\n");
    assert_contains(r->changed,
                    "added the rule allow-SSH to win-new-nsg: 203.0.113.7/32 may reach port 22\n");
    assert_contains(r->changed, "added the public key for ann on win-new\n");
    assert_true(r->progresses > 3);
    assert_int_equal(r->w.learns, 1);
    json_t *rule = json_object_get(r->w.rules, "allow-SSH");
    assert_int_equal(json_integer_value(json_object_get(rule, "priority")), 1000);
    assert_string_equal(json_string_value(json_object_get(rule, "sourceAddressPrefix")), "203.0.113.7/32");
    assert_string_equal(json_string_value(json_object_get(rule, "destinationPortRange")), "22");
}

static void with_the_vm_off_documents_still_tell(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_POWER);
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_POWER, PREPARE_FAIL);
    rig_expect(r, PREPARE_PORT, PREPARE_SKIP);
    assert_int_equal(r->told[PREPARE_PORT].because, PREPARE_POWER);
    rig_expect(r, PREPARE_EXTENSION, PREPARE_PASS);
    rig_expect(r, PREPARE_RULE, PREPARE_PASS);
    assert_contains(r->told[PREPARE_RULE].text, "in-ssh lets 203.0.113.7/32");
    assert_int_equal(r->told[PREPARE_RDP].because, PREPARE_POWER);
    assert_int_equal(r->w.knocks, 0);
    assert_contains(r->told[PREPARE_POWER].text, "win-new is deallocated");
    assert_contains(r->told[PREPARE_POWER].mend, "adit prepare win-new");
}

static void only_what_is_named_is_mended(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_RULE);
    fake_world_lack(&r->w, LACK_POWER);
    r->o.only = PREPARE_BIT(PREPARE_RULE);
    rig_run(r, PREPARE_MEND);
    rig_expect(r, PREPARE_RULE, PREPARE_MENDED);
    assert_int_equal(r->outcomes, 3); /* sign-in, VM, rule */
    assert_int_equal(r->err.code, 0);
    assert_false(fake_world_has(&r->w, LACK_POWER));
    r->o.only = PREPARE_BIT(PREPARE_LOGIN);
    rig_run(r, PREPARE_MEND);
    rig_expect(r, PREPARE_POWER, PREPARE_FAIL);
    assert_true(r->told[PREPARE_POWER].mendable);
    rig_expect(r, PREPARE_LOGIN, PREPARE_SKIP);
    assert_int_equal(r->told[PREPARE_RDP].count, 0);
    assert_int_equal(r->w.writes, 0);
}

static void nothing_is_known_without_signing_in(void **state)
{
    struct run_rig *r = *state;
    r->w.sign_in = ERR_AUTH;
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_SIGN_IN, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_SIGN_IN].mend, "adit login");
    for (enum prepare_step s = PREPARE_VM; s < PREPARE_STEPS; s++) {
        rig_expect(r, s, PREPARE_SKIP);
        assert_int_equal(r->told[s].because, PREPARE_SIGN_IN);
    }
    r->w.sign_in = ERR_AMBIGUOUS;
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_SIGN_IN, PREPARE_PASS);
    rig_expect(r, PREPARE_VM, PREPARE_FAIL);
    assert_int_equal(r->told[PREPARE_VM].code, ERR_AMBIGUOUS);
    r->w.sign_in = 0;
    r->w.exists = false;
    rig_run(r, PREPARE_MEND);
    rig_expect(r, PREPARE_VM, PREPARE_FAIL);
    assert_int_equal(r->w.writes, 0);
}

static void linux_needs_no_extension_and_no_rdp(void **state)
{
    struct run_rig *r = *state;
    r->w.windows = false;
    r->w.extension[0] = 0;
    rig_run(r, PREPARE_CHECK);
    rig_all_pass(r);
    rig_expect(r, PREPARE_EXTENSION, PREPARE_SKIP);
    rig_expect(r, PREPARE_RDP, PREPARE_SKIP);
    r->o.rdp = true;
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_RDP, PREPARE_PASS);
}

static void rdp_that_is_off_is_told_as_such(void **state)
{
    struct run_rig *r = *state;
    r->w.no_rdp = true;
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_FORWARD, PREPARE_PASS);
    rig_expect(r, PREPARE_RDP, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_RDP].mend, "fDenyTSConnections");
    r->w.no_forward = true;
    rig_run(r, PREPARE_CHECK);
    rig_expect(r, PREPARE_FORWARD, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_FORWARD].mend, "AllowTcpForwarding");
    rig_expect(r, PREPARE_RDP, PREPARE_SKIP);
}

static void another_host_key_ends_it(void **state)
{
    struct run_rig *r = *state;
    r->w.wrong_host_key = true;
    rig_run(r, PREPARE_MEND);
    rig_expect(r, PREPARE_HOST_KEY, PREPARE_FAIL);
    assert_int_equal(r->told[PREPARE_HOST_KEY].code, ERR_HOSTKEY);
    rig_expect(r, PREPARE_LOGIN, PREPARE_SKIP);
    assert_int_equal(r->w.learns, 0);
    assert_int_equal(r->w.writes, 0);
}

static void key_that_is_there_is_not_added_twice(void **state)
{
    struct run_rig *r = *state;
    r->w.key_useless = true;
    rig_run(r, PREPARE_MEND);
    rig_expect(r, PREPARE_LOGIN, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_LOGIN].text, "ann's key is on win-new already");
    assert_false(r->told[PREPARE_LOGIN].mendable);
    assert_int_equal(r->w.scripts, 2); /* host keys, and one try */
    char *record = rig_record(r);
    assert_null(strstr(record, VM_ID));
    free(record);
    r->o.public_key = NULL;
    rig_run(r, PREPARE_MEND);
    assert_contains(r->told[PREPARE_LOGIN].mend, "ssh-keygen");
    assert_int_equal(r->w.writes, 0);
}

static void keys_from_azure_are_wanted_not_needed(void **state)
{
    struct run_rig *r = *state;
    r->w.faults[0] = (struct fake_fault){.match = "/runCommand",
                                         .times = 9,
                                         .code = ERR_DENIED,
                                         .message = "ARM POST: 403 AuthorizationFailed: no"};
    rig_run(r, PREPARE_CHECK);
    rig_all_pass(r);
    assert_contains(r->told[PREPARE_HOST_KEY].text, "not compared with what Azure reports");
    assert_contains(r->told[PREPARE_HOST_KEY].text, "403");
}

static void missing_steps_are_printed(void **state)
{
    struct run_rig *r = *state;
    for (enum fake_lack k = 0; k < LACKS; k++)
        fake_world_lack(&r->w, k);
    r->o.create_public_ip = true;
    r->o.print = PREPARE_FORM_AZ;
    rig_run(r, PREPARE_CHECK);
    assert_int_equal(r->prints, 1);
    assert_int_equal(r->w.writes, 0);
    static const char *const parts[] = {"az vm start", "win-new-ip",     "WindowsOpenSSH",
                                        "allow-SSH",   "203.0.113.7/32", "az vm run-command"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        assert_contains(r->printed, parts[i]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, run_rig_setup, run_rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(doctor_passes_when_all_is_well),
        TEST(outcomes_come_in_order_of_need),
        cmocka_unit_test(each_pair_is_found_and_mended),
        TEST(everything_missing_is_mended_by_one_prepare),
        TEST(with_the_vm_off_documents_still_tell),
        TEST(only_what_is_named_is_mended),
        TEST(nothing_is_known_without_signing_in),
        TEST(linux_needs_no_extension_and_no_rdp),
        TEST(rdp_that_is_off_is_told_as_such),
        TEST(another_host_key_ends_it),
        TEST(key_that_is_there_is_not_added_twice),
        TEST(keys_from_azure_are_wanted_not_needed),
        TEST(missing_steps_are_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

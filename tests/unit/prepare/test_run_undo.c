/*
 * Undo: what adit added goes, whatever else is there stays; and what the record survives.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run_rig.h"

static void mend_all(struct run_rig *r)
{
    r->o.create_public_ip = true;
    for (enum fake_lack k = 0; k < LACKS; k++)
        fake_world_lack(&r->w, k);
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
}

static void what_was_added_goes_in_order(void **state)
{
    struct run_rig *r = *state;
    mend_all(r);
    rig_run(r, PREPARE_UNDO);
    assert_int_equal(r->err.code, 0);
    static const enum prepare_step order[] = {PREPARE_SIGN_IN, PREPARE_VM,        PREPARE_LOGIN, PREPARE_RULE,
                                              PREPARE_ADDRESS, PREPARE_EXTENSION, PREPARE_POWER};
    assert_int_equal(r->outcomes, sizeof(order) / sizeof(order[0]));
    for (unsigned i = 0; i < r->outcomes; i++)
        assert_int_equal(r->order[i], order[i]);
    assert_contains(r->changed, "removed the public key of ann from win-new\n"
                                "removed the rule allow-SSH from win-new-nsg\n"
                                "removed the public IP address win-new-ip\n"
                                "removed the extension WindowsOpenSSH from win-new\n");
    for (enum fake_lack k = LACK_ADDRESS; k < LACKS; k++)
        assert_false(fake_world_has(&r->w, k));
    assert_true(fake_world_has(&r->w, LACK_POWER));
    rig_expect(r, PREPARE_POWER, PREPARE_SKIP);
    assert_contains(r->told[PREPARE_POWER].text, "adit deallocate win-new");
    rig_run(r, PREPARE_UNDO);
    assert_int_equal(r->w.writes, 0);
    assert_int_equal(r->err.code, 0);
    assert_contains(r->told[PREPARE_POWER].text, "adit did not start it");
}

static void nothing_added_nothing_undone(void **state)
{
    struct run_rig *r = *state;
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    rig_run(r, PREPARE_UNDO);
    assert_int_equal(r->err.code, 0);
    assert_int_equal(r->w.writes, 0);
    for (enum fake_lack k = 0; k < LACKS; k++)
        assert_true(fake_world_has(&r->w, k));
}

static void what_somebody_changed_since_is_left(void **state)
{
    struct run_rig *r = *state;
    mend_all(r);
    json_t *rule = json_object_get(r->w.rules, "allow-SSH");
    json_object_set_new(rule, "sourceAddressPrefix", json_string("198.18.0.0/15"));
    rig_run(r, PREPARE_UNDO);
    rig_expect(r, PREPARE_RULE, PREPARE_SKIP);
    assert_contains(r->told[PREPARE_RULE].text, "was changed since, and is left");
    assert_non_null(json_object_get(r->w.rules, "allow-SSH"));
    assert_null(strstr(r->w.log, "securityRules"));
}

static void what_is_gone_already_is_no_failure(void **state)
{
    struct run_rig *r = *state;
    mend_all(r);
    json_object_del(r->w.rules, "allow-SSH");
    r->w.extension[0] = 0;
    r->w.public_ip = r->w.pip_made = r->w.key = false;
    rig_run(r, PREPARE_UNDO);
    assert_int_equal(r->err.code, 0);
    assert_int_equal(r->changes, 0);
    char *record = rig_record(r);
    assert_null(strstr(record, VM_ID));
    free(record);
}

static void key_waits_for_a_vm_that_runs(void **state)
{
    struct run_rig *r = *state;
    mend_all(r);
    snprintf(r->w.power, sizeof(r->w.power), "deallocated");
    rig_run(r, PREPARE_UNDO);
    rig_expect(r, PREPARE_LOGIN, PREPARE_FAIL);
    assert_contains(r->told[PREPARE_LOGIN].mend, "adit start win-new");
    rig_expect(r, PREPARE_RULE, PREPARE_MENDED); /* the rest does not wait */
    assert_int_equal(r->err.code, ERR_UNAVAILABLE);
    snprintf(r->w.power, sizeof(r->w.power), "running");
    rig_run(r, PREPARE_UNDO);
    assert_int_equal(r->err.code, 0);
    assert_false(r->w.key);
}

static void refused_removal_stays_recorded(void **state)
{
    struct run_rig *r = *state;
    mend_all(r);
    r->w.faults[0] = (struct fake_fault){.match = "DELETE " NSG_ID,
                                         .times = 1,
                                         .code = ERR_DENIED,
                                         .message = "ARM DELETE: 403 AuthorizationFailed: no"};
    rig_run(r, PREPARE_UNDO);
    rig_expect(r, PREPARE_RULE, PREPARE_FAIL);
    assert_int_equal(r->err.code, ERR_DENIED);
    assert_int_equal(r->prints, 0);
    rig_run(r, PREPARE_UNDO);
    rig_expect(r, PREPARE_RULE, PREPARE_MENDED);
    assert_int_equal(r->err.code, 0);
}

static void record_is_for_its_owner_only(void **state)
{
    struct run_rig *r = *state;
    struct stat st;
    mend_all(r);
    assert_int_equal(stat(r->record, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    char *record = rig_record(r);
    assert_contains(record, "\"format\": \"adit-prepare\"");
    assert_contains(record, NSG_ID "/securityRules/allow-SSH");
    assert_contains(record, USER_KEY);
    free(record);
}

static void damaged_record_stops_it_before_any_change(void **state)
{
    struct run_rig *r = *state;
    static const char *const texts[] = {"{", "[]", "{\"format\":\"x\",\"version\":1,\"vms\":[]}",
                                        "{\"format\":\"adit-prepare\",\"version\":2,\"vms\":[]}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        FILE *f = fopen(r->record, "w");
        fputs(texts[i], f);
        fclose(f);
        fake_world_lack(&r->w, LACK_RULE);
        rig_run(r, PREPARE_MEND);
        assert_int_equal(r->err.code, ERR_INVAL);
        assert_contains(r->err.msg, "is damaged; move it away");
        assert_int_equal(r->w.writes, 0);
        rig_run(r, PREPARE_CHECK); /* reading needs none */
        assert_int_equal(r->err.code, ERR_UNAVAILABLE);
    }
}

static void made_address_in_anothers_use_is_left(void **state)
{
    struct run_rig *r = *state;
    mend_all(r);
    r->w.pip_elsewhere = true;
    rig_run(r, PREPARE_UNDO);
    rig_expect(r, PREPARE_ADDRESS, PREPARE_SKIP);
    assert_contains(r->told[PREPARE_ADDRESS].text, "something else uses it");
    assert_true(r->w.pip_made);
}

static void interrupted_address_is_taken_up_again(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_ADDRESS);
    r->o.create_public_ip = true;
    r->w.faults[0] = (struct fake_fault){
        .match = "PUT " NIC_ID, .times = 1, .code = ERR_UNAVAILABLE, .message = "ARM: 500 InternalError: x"};
    rig_run(r, PREPARE_MEND);
    rig_expect(r, PREPARE_ADDRESS, PREPARE_FAIL);
    assert_true(r->w.pip_made);
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    assert_null(strstr(r->w.log, "PUT " PIP_ID)); /* the one that is there */
    rig_run(r, PREPARE_UNDO);
    assert_false(r->w.public_ip);
    assert_false(r->w.pip_made);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, run_rig_setup, run_rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_added_goes_in_order),         TEST(nothing_added_nothing_undone),
        TEST(what_somebody_changed_since_is_left),  TEST(what_is_gone_already_is_no_failure),
        TEST(key_waits_for_a_vm_that_runs),         TEST(refused_removal_stays_recorded),
        TEST(record_is_for_its_owner_only),         TEST(damaged_record_stops_it_before_any_change),
        TEST(made_address_in_anothers_use_is_left), TEST(interrupted_address_is_taken_up_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

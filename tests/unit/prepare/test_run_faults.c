/*
 * Runs that meet failures: each change failing, timing out, in another's way, refused; canceled at any
 * moment; out of memory at any allocation.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run_rig.h"

static const struct {
    enum fake_lack lack;
    enum prepare_step step;
    const char *match, *action;
} rows[] = {
    {LACK_POWER, PREPARE_POWER, "/start", "Microsoft.Compute/virtualMachines/start/action"},
    {LACK_ADDRESS, PREPARE_ADDRESS, "PUT " PIP_ID, "Microsoft.Network/publicIPAddresses/write"},
    {LACK_ADDRESS, PREPARE_ADDRESS, "PUT " NIC_ID, "Microsoft.Network/publicIPAddresses/write"},
    {LACK_EXTENSION, PREPARE_EXTENSION, "PUT " VM_ID "/extensions",
     "Microsoft.Compute/virtualMachines/extensions/write"},
    {LACK_RULE, PREPARE_RULE, "PUT " NSG_ID "/securityRules",
     "Microsoft.Network/networkSecurityGroups/securityRules/write"},
    {LACK_KEY, PREPARE_LOGIN, "/runCommand", "Microsoft.Compute/virtualMachines/runCommand/action"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* A world that lacks the row's thing, whose change meets the fault. For the key the first Run Command reads
 * host keys, and is met as well. */
static struct run_rig *world(size_t row, struct fake_fault fault)
{
    struct run_rig *r;
    assert_int_equal(run_rig_setup((void **)&r), 0);
    r->o.create_public_ip = true;
    fake_world_lack(&r->w, rows[row].lack);
    fault.match = rows[row].match;
    r->w.faults[0] = fault;
    return r;
}

static void change_that_fails_is_told_with_azures_words(void **state)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct run_rig *r =
            world(i, (struct fake_fault){
                         .times = UINT_MAX,
                         .code = ERR_UNAVAILABLE,
                         .message = "ARM: the operation ended as Failed: VMExtensionProvisioningError: "
                                    "it broke"});
        rig_run(r, PREPARE_MEND);
        rig_expect(r, rows[i].step, PREPARE_FAIL);
        assert_contains(r->told[rows[i].step].text, "it broke");
        assert_true(r->told[rows[i].step].mend[0] != 0);
        assert_int_equal(r->err.code, ERR_UNAVAILABLE);
        assert_int_equal(r->prints, 0);
        r->w.faults[0].times = 0;
        rig_run(r, PREPARE_MEND);
        rig_all_pass(r);
        run_rig_teardown((void **)&r);
    }
}

static void change_without_an_end_times_out(void **state)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct run_rig *r = world(i, (struct fake_fault){.times = UINT_MAX, .never = true});
        rig_run(r, PREPARE_MEND);
        rig_expect(r, rows[i].step, PREPARE_FAIL);
        assert_int_equal(r->told[rows[i].step].code, ERR_TIMEOUT);
        assert_contains(r->told[rows[i].step].mend, "Azure may still do it");
        run_rig_teardown((void **)&r);
    }
}

static const char busy[] = "ARM PUT /x: 409 AnotherOperationInProgress: Another operation is in progress.";
static const char retryable[] = "ARM PUT /x: 429 RetryableErrorDueToAnotherOperation: try again";

static void change_waits_for_another_operation(void **state)
{
    for (size_t i = 0; i < ROWS; i++)
        for (int kind = 0; kind < 2; kind++) {
            struct run_rig *r = world(i, (struct fake_fault){.times = 3,
                                                             .code = kind ? ERR_THROTTLED : ERR_UNAVAILABLE,
                                                             .message = kind ? retryable : busy});
            rig_run(r, PREPARE_MEND);
            rig_all_pass(r);
            rig_expect(r, rows[i].step, PREPARE_MENDED);
            assert_true(r->progresses > 2);
            run_rig_teardown((void **)&r);
        }
}

static void operation_that_stays_in_the_way_is_named(void **state)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct run_rig *r =
            world(i, (struct fake_fault){.times = UINT_MAX, .code = ERR_UNAVAILABLE, .message = busy});
        rig_run(r, PREPARE_MEND);
        rig_expect(r, rows[i].step, PREPARE_FAIL);
        assert_contains(r->told[rows[i].step].text, "409 AnotherOperationInProgress");
        run_rig_teardown((void **)&r);
    }
}

static void progress_says_what_it_waits_for(void **state)
{
    struct run_rig *r =
        world(4, (struct fake_fault){.times = UINT_MAX, .code = ERR_UNAVAILABLE, .message = busy});
    assert_int_equal(rig_begin(r, PREPARE_MEND), 0);
    while (r->run && !strstr(r->progress, "in the way"))
        clock_test_advance(r->w.clock, 20);
    assert_non_null(r->run);
    assert_contains(r->progress, "adding the rule allow-SSH to win-new-nsg (");
    assert_contains(r->progress, "another operation is in the way, next try in ");
    rig_finish(r);
    run_rig_teardown((void **)&r);
}

static void refused_change_names_the_action_and_prints_the_rest(void **state)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct run_rig *r =
            world(i, (struct fake_fault){.times = UINT_MAX,
                                         .code = ERR_DENIED,
                                         .message = "ARM PUT /x: 403 AuthorizationFailed: no"});
        fake_world_lack(&r->w, LACK_RULE);
        rig_run(r, PREPARE_MEND);
        rig_expect(r, rows[i].step, PREPARE_FAIL);
        assert_string_equal(r->told[rows[i].step].action, rows[i].action);
        assert_contains(r->told[rows[i].step].mend, rows[i].action);
        assert_contains(r->told[rows[i].step].text, "is not allowed to change that");
        assert_int_equal(r->err.code, ERR_DENIED);
        assert_int_equal(r->prints, 1);
        assert_contains(r->printed, "az ");
        if (rows[i].step != PREPARE_RULE) /* what does not depend on it goes on */
            assert_true(fake_world_has(&r->w, LACK_RULE));
        /* what was refused is not there to be undone */
        r->w.faults[0].times = 0;
        rig_run(r, PREPARE_UNDO);
        rig_expect(r, rows[i].step == PREPARE_RULE ? PREPARE_RULE : PREPARE_RULE,
                   rows[i].step == PREPARE_RULE ? PREPARE_SKIP : PREPARE_MENDED);
        run_rig_teardown((void **)&r);
    }
}

static void arms_own_word_for_the_action_wins(void **state)
{
    struct run_rig *r = world(
        4, (struct fake_fault){.times = UINT_MAX,
                               .code = ERR_DENIED,
                               .message = "ARM PUT /x: 403 LinkedAuthorizationFailed: no right to perform "
                                          "action 'Microsoft.Network/virtualNetworks/join/action'"});
    rig_run(r, PREPARE_MEND);
    assert_string_equal(r->told[PREPARE_RULE].action, "Microsoft.Network/virtualNetworks/join/action");
    run_rig_teardown((void **)&r);
}

static void interface_changed_meanwhile_is_read_again(void **state)
{
    struct run_rig *r = world(
        2, (struct fake_fault){
               .times = 1, .code = ERR_PROTOCOL, .message = "ARM PUT /nic: 412 PreconditionFailed: etag"});
    rig_run(r, PREPARE_MEND);
    rig_all_pass(r);
    rig_run(r, PREPARE_UNDO);
    assert_false(r->w.public_ip);
    assert_false(r->w.pip_made);
    run_rig_teardown((void **)&r);
}

/* All is missing but the address, which an undo would not give back in the same way. */
static struct run_rig *bare_world(void)
{
    struct run_rig *r;
    assert_int_equal(run_rig_setup((void **)&r), 0);
    r->o.create_public_ip = true;
    r->w.boot_ms = 4000;
    for (enum fake_lack k = 0; k < LACKS; k++)
        fake_world_lack(&r->w, k);
    return r;
}

static void check_world_can_go_on(struct run_rig *r, const char *when, unsigned n)
{
    assert_int_equal(r->w.open, 0);
    rig_run(r, PREPARE_MEND);
    for (enum prepare_step s = 0; s < PREPARE_STEPS; s++)
        if (r->told[s].status == PREPARE_FAIL)
            fail_msg("after %s %u: %s: %s", when, n, prepare_step_name(s), r->told[s].text);
    rig_all_pass(r);
    rig_run(r, PREPARE_UNDO);
    for (enum fake_lack k = LACK_ADDRESS; k < LACKS; k++)
        if (fake_world_has(&r->w, k))
            fail_msg("after %s %u: undo left %d", when, n, k);
}

static void canceled_at_any_call_out(void **state)
{
    for (unsigned n = 1;; n++) {
        struct run_rig *r = bare_world();
        r->cancel_at = n;
        assert_int_equal(rig_begin(r, PREPARE_MEND), 0);
        rig_finish(r);
        bool over = r->dones > 0;
        r->cancel_at = 0;
        check_world_can_go_on(r, "call out", n);
        run_rig_teardown((void **)&r);
        if (over)
            break;
        assert_true(n < 500);
    }
}

static void canceled_at_any_time(void **state)
{
    for (unsigned ms = 0; ms < 60000; ms += ms < 2000 ? 30 : 700) {
        struct run_rig *r = bare_world();
        assert_int_equal(rig_begin(r, PREPARE_MEND), 0);
        clock_test_advance(r->w.clock, ms);
        if (r->run) {
            prepare_cancel(r->run);
            r->run = NULL;
        }
        unsigned calls = r->calls;
        clock_test_advance(r->w.clock, 100000);
        assert_int_equal(r->calls, calls); /* silent */
        check_world_can_go_on(r, "millisecond", ms);
        run_rig_teardown((void **)&r);
    }
}

static void deadline_ends_it(void **state)
{
    struct run_rig *r = bare_world();
    r->o.deadline_ms = 5000;
    rig_run(r, PREPARE_MEND);
    assert_int_equal(r->err.code, ERR_TIMEOUT);
    assert_int_equal(r->outcomes, PREPARE_STEPS);
    unsigned failed = 0;
    for (enum prepare_step s = 0; s < PREPARE_STEPS; s++)
        failed += r->told[s].status == PREPARE_FAIL;
    assert_true(failed >= 1);
    r->o.deadline_ms = 0;
    check_world_can_go_on(r, "deadline", 0);
    run_rig_teardown((void **)&r);
}

static void any_allocation_may_fail(void **state)
{
    for (long k = 0;; k++) {
        struct run_rig *r = bare_world();
        long before = mem_allocations();
        mem_fail_after(k);
        int rc = rig_begin(r, PREPARE_MEND);
        if (rc == 0)
            rig_finish(r);
        bool passed = mem_allocations() - before <= k;
        mem_fail_after(-1);
        if (!passed && (rc ? rc : r->err.code) != ERR_NOMEM && r->err.code)
            fail_msg("allocation %ld: %s", k, r->err.msg);
        check_world_can_go_on(r, "allocation", (unsigned)k);
        run_rig_teardown((void **)&r);
        if (passed)
            break;
        assert_true(k < 5000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(change_that_fails_is_told_with_azures_words),
        cmocka_unit_test(change_without_an_end_times_out),
        cmocka_unit_test(change_waits_for_another_operation),
        cmocka_unit_test(operation_that_stays_in_the_way_is_named),
        cmocka_unit_test(progress_says_what_it_waits_for),
        cmocka_unit_test(refused_change_names_the_action_and_prints_the_rest),
        cmocka_unit_test(arms_own_word_for_the_action_wins),
        cmocka_unit_test(interface_changed_meanwhile_is_read_again),
        cmocka_unit_test(canceled_at_any_call_out),
        cmocka_unit_test(canceled_at_any_time),
        cmocka_unit_test(deadline_ends_it),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

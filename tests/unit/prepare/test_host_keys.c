/*
 * Host keys by Run Command: what comes back, what is refused, and that it can be canceled.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "run_rig.h"

struct told_text {
    unsigned count;
    char text[2048];
    struct err err;
};

static void on_keys(void *arg, const char *keys, const struct err *err)
{
    struct told_text *t = arg;
    t->count++;
    snprintf(t->text, sizeof(t->text), "%s", keys ? keys : "");
    err_copy(&t->err, err, 0);
}

static struct told_text fetch(struct run_rig *r, const char *id)
{
    struct told_text t = {0};
    struct prepare_keys *k;
    struct err err = {0};
    if (prepare_keys_fetch(&k, r->w.azure, r->w.clock, id, true, 0, on_keys, &t, &err) < 0) {
        t.err = err;
        return t;
    }
    assert_int_equal(t.count, 0);
    clock_test_advance(r->w.clock, 3600000);
    assert_int_equal(t.count, 1);
    return t;
}

static void keys_are_types_and_keys(void **state)
{
    struct run_rig *r = *state;
    struct told_text t = fetch(r, VM_ID);
    assert_int_equal(t.err.code, 0);
    assert_string_equal(t.text, HOST_KEY "\n"); /* without the comment */
}

static void output_that_is_no_key_is_left_out(void **state)
{
    struct run_rig *r = *state;
    r->w.host_keys = "adit: host keys\nssh-ed25519 AAAA\n$(reboot)\n" HOST_KEY "\nadit: end\n" USER_KEY "\n";
    struct told_text t = fetch(r, VM_ID);
    assert_string_equal(t.text, HOST_KEY "\n");
    r->w.host_keys = "adit: host keys\nadit: end\n";
    t = fetch(r, VM_ID);
    assert_int_equal(t.err.code, ERR_UNAVAILABLE);
    assert_contains(t.err.msg, "reports no SSH host keys");
    r->w.host_keys = HOST_KEY "\n"; /* not between the marks */
    t = fetch(r, VM_ID);
    assert_int_equal(t.err.code, ERR_UNAVAILABLE);
}

static void vm_without_a_server_says_so(void **state)
{
    struct run_rig *r = *state;
    fake_world_lack(&r->w, LACK_EXTENSION);
    struct told_text t = fetch(r, VM_ID);
    assert_int_equal(t.err.code, ERR_UNAVAILABLE);
    assert_contains(t.err.msg, "host keys: the VM reports no SSH host keys: no host keys");
}

static void another_command_is_waited_for(void **state)
{
    struct run_rig *r = *state;
    r->w.faults[0] =
        (struct fake_fault){.match = "/runCommand",
                            .times = 4,
                            .code = ERR_UNAVAILABLE,
                            .message = "ARM POST /x: 409 Conflict: Run command extension execution is "
                                       "in progress. Please wait."};
    struct told_text t = fetch(r, VM_ID);
    assert_int_equal(t.err.code, 0);
    r->w.faults[0].times = 1;
    r->w.faults[0].message =
        "ARM POST /x: 409 OperationNotAllowed: The operation requires the VM to be running.";
    t = fetch(r, VM_ID);
    assert_int_equal(t.err.code, ERR_UNAVAILABLE);
    assert_contains(t.err.msg, "requires the VM to be running");
}

static void only_vms_are_asked(void **state)
{
    struct run_rig *r = *state;
    struct told_text t = fetch(r, NIC_ID);
    assert_int_equal(t.err.code, ERR_UNSUPPORTED);
    assert_int_equal(t.count, 0);
}

static void canceled_is_silent(void **state)
{
    struct run_rig *r = *state;
    for (unsigned ms = 0; ms < 3000; ms += 500) {
        struct told_text t = {0};
        struct prepare_keys *k;
        assert_int_equal(prepare_keys_fetch(&k, r->w.azure, r->w.clock, VM_ID, true, 0, on_keys, &t, NULL),
                         0);
        clock_test_advance(r->w.clock, ms);
        prepare_keys_cancel(k);
        clock_test_advance(r->w.clock, 100000);
        assert_int_equal(t.count, 0);
        assert_int_equal(r->w.open, 0);
    }
}

static void out_of_memory_is_told(void **state)
{
    struct run_rig *r = *state;
    fetch(r, VM_ID); /* the clock's own memory is there from now on */
    for (long k = 0; k < 500; k++) {
        long before = mem_allocations();
        mem_fail_after(k);
        struct told_text t = fetch(r, VM_ID);
        bool passed = mem_allocations() - before <= k;
        mem_fail_after(-1);
        if (passed) {
            assert_string_equal(t.text, HOST_KEY "\n");
            return;
        }
        assert_int_equal(t.err.code, ERR_NOMEM);
    }
    fail();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, run_rig_setup, run_rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(keys_are_types_and_keys),     TEST(output_that_is_no_key_is_left_out),
        TEST(vm_without_a_server_says_so), TEST(another_command_is_waited_for),
        TEST(only_vms_are_asked),          TEST(canceled_is_silent),
        TEST(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

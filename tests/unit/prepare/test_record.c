/*
 * The record: what is remembered of several VMs, and of one that was made anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "prepare/record.h"

#define A "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/a"
#define B "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/b"

static char dir[64], path[128];

static int setup(void **state)
{
    snprintf(dir, sizeof(dir), "/tmp/adit-record-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/state/record.json", dir);
    return 0;
}

static int teardown(void **state)
{
    char sub[96];
    unlink(path);
    snprintf(sub, sizeof(sub), "%s/state", dir);
    rmdir(sub);
    return rmdir(dir);
}

static int fill(struct record_vm *r, const void *arg)
{
    struct record_rule rule = {.id = (char *)"/nsg/securityRules/x", .source = (char *)"*", .priority = 7};
    struct record_key key = {
        .user = (char *)"ann", .line = (char *)"ssh-ed25519 AAAA é", .administrator = true};
    r->started = true;
    return record_rule_put(r, &rule) || record_rule_put(r, &rule) || record_key_put(r, &key) ||
                   record_text_set(&r->extension, "E") || record_text_set(&r->public_ip, "/ip") ||
                   record_text_set(&r->public_nic, "/nic") || record_text_set(&r->public_config, "c")
               ? ERR_NOMEM
               : 0;
}

static int empty(struct record_vm *r, const void *arg)
{
    struct record_key key = {
        .user = (char *)"ann", .line = (char *)"ssh-ed25519 AAAA é", .administrator = true};
    r->started = false;
    record_rule_drop(r, "/NSG/securityRules/X");
    record_key_drop(r, &key);
    return record_text_set(&r->extension, NULL) || record_text_set(&r->public_ip, NULL);
}

static struct record_vm *read_it(const char *id, const char *vm_id)
{
    struct record_vm *r;
    struct err err = {0};
    if (record_read(&r, path, id, vm_id, &err))
        fail_msg("%s", err.msg);
    return r;
}

static void what_is_written_is_read(void **state)
{
    struct record_vm *r = read_it(A, "1");
    assert_int_equal(r->rule_count + r->key_count, 0);
    record_free(r);
    assert_int_equal(record_edit(path, A, "1", fill, NULL, NULL), 0);
    assert_int_equal(record_edit(path, B, "2", fill, NULL, NULL), 0);
    r = read_it("/SUBSCRIPTIONS/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/A", "1");
    assert_true(r->started);
    assert_int_equal(r->rule_count, 1); /* put twice, there once */
    assert_int_equal(r->rules[0].priority, 7);
    assert_int_equal(r->key_count, 1);
    assert_string_equal(r->keys[0].line, "ssh-ed25519 AAAA é");
    assert_true(r->keys[0].administrator);
    assert_string_equal(r->extension, "E");
    assert_string_equal(r->public_config, "c");
    record_free(r);
    assert_int_equal(record_edit(path, A, "1", empty, NULL, NULL), 0);
    r = read_it(A, "1");
    assert_int_equal(r->rule_count + r->key_count, 0);
    record_free(r);
    r = read_it(B, "2");
    assert_int_equal(r->rule_count, 1); /* the other one's stays */
    record_free(r);
}

static void on_a_new_machine_only_what_lies_outside_is_left(void **state)
{
    assert_int_equal(record_edit(path, A, "1", fill, NULL, NULL), 0);
    struct record_vm *r = read_it(A, "another");
    assert_false(r->started);
    assert_int_equal(r->key_count, 0);
    assert_null(r->extension);
    assert_int_equal(r->rule_count, 1);
    assert_string_equal(r->public_ip, "/ip");
    record_free(r);
}

static int too_many(struct record_vm *r, const void *arg)
{
    int rc = 0;
    for (int i = 0; i <= RECORD_PARTS_MAX && rc == 0; i++) {
        char id[32];
        snprintf(id, sizeof(id), "/r/%d", i);
        rc = record_rule_put(r, &(struct record_rule){.id = id, .source = (char *)"*"});
    }
    return rc;
}

static void limits_hold_and_damage_is_told(void **state)
{
    struct err err = {0};
    struct record_vm *r;
    assert_int_equal(record_edit(path, A, "1", too_many, NULL, &err), ERR_LIMIT);
    r = read_it(A, "1");
    assert_int_equal(r->rule_count, 0); /* nothing was written */
    record_free(r);
    assert_int_equal(record_edit(path, A, "1", fill, NULL, NULL), 0);
    FILE *f = fopen(path, "w");
    fputs("{\"format\":\"adit-prepare\",\"version\":1,\"vms\":[{\"id\":\"" A
          "\",\"vmId\":\"1\",\"rules\":[{\"id\":7}]}]}",
          f);
    fclose(f);
    assert_int_equal(record_read(&r, path, A, "1", &err), ERR_INVAL);
    assert_non_null(strstr(err.msg, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(on_a_new_machine_only_what_lies_outside_is_left, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_hold_and_damage_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_config_output: a snapshot written as YAML loads back to an equal one; as JSON it has the documented
 * shape.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"
#include "text.h"

static void no_change(void *arg, enum config_change change, const struct config_vm *before,
                      const struct config_vm *after)
{
    fail_msg("change %d of %s", change, (before ? before : after)->alias);
}

/* JSON tells everything that a snapshot holds, so equal JSON is an equal snapshot. */
static void round_trip(const char *text)
{
    const struct config *a = text_load(text);
    char *yaml = config_to_yaml(a);
    assert_non_null(yaml);
    const struct config *b = text_load(yaml);
    char *ja = config_to_json(a), *jb = config_to_json(b), *again = config_to_yaml(b);
    assert_non_null(ja);
    assert_string_equal(ja, jb);
    assert_string_equal(yaml, again);
    config_diff(a, b, no_change, NULL);
    mem_free(again);
    mem_free(yaml);
    mem_free(ja);
    mem_free(jb);
    config_unref(a);
    config_unref(b);
}

static void test_round_trip(void **state)
{
    round_trip("");
    round_trip("vms: [{name: a}]");
    round_trip(text_everything);
    round_trip(
        "azure: {subscription: x, cloud: china}\ndefaults: {user: \"null\", identity: [\"/a: b\", \"/#c\", "
        "/~]}\n"
        "vms: [{name: true, user: \"y\\\"\\\\z\"}, {name: \"10\", vm: s/g/1/2},\n"
        "  {name: d, id: /subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/7}]");
}

static void test_vm_back_to_the_builtin_value(void **state)
{
    /* What a VM sets back from a default must be written although it is what adit has built in. */
    round_trip("defaults: {port: 23, agent: false, idle-timeout: 5m, keepalive: 0, engine: native}\n"
               "vms: [{name: a, port: 22, agent: true, idle-timeout: 0, keepalive: 30s, engine: auto}]");
}

static void test_json(void **state)
{
    const struct config *c = text_load(text_everything);
    char *text = config_to_json(c);
    json_error_t error;
    json_t *o = json_loads(text, 0, &error), *vm, *f;
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "path")), "/etc/adit-test/adit.yaml");
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "azure"), "cloud")), "custom");
    vm = json_array_get(json_object_get(o, "vms"), 0);
    assert_string_equal(json_string_value(json_object_get(vm, "vm")), "rg-desk/win11");
    assert_true(json_is_null(json_object_get(vm, "via")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(vm, "ssh"), "keepalive-ms")), 90000);
    f = json_array_get(json_object_get(vm, "forwards"), 1);
    assert_string_equal(json_string_value(json_object_get(json_object_get(f, "target"), "path")),
                        "/run/app.sock");
    f = json_array_get(json_object_get(vm, "forwards"), 2);
    assert_string_equal(json_string_value(json_object_get(f, "kind")), "dynamic");
    assert_true(json_is_null(json_object_get(f, "target")));
    json_decref(o);
    mem_free(text);
    config_unref(c);
}

int main(void)
{
    (void)setenv("HOME", "/nonexistent/u", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_vm_back_to_the_builtin_value),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

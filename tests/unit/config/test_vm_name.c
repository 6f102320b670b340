/*
 * test_vm_name: every form in which a user may name a VM.
 */
#include "config/vm_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define ID(s, g, rest) "/subscriptions/" s "/resourceGroups/" g "/providers/Microsoft.Compute/" rest

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void is(const char *text, enum vm_name_kind kind, const char *sub, const char *group, const char *name,
               const char *instance)
{
    struct vm_name n = {0}, again = {0}, copy = {0};
    struct err err = {0};
    if (vm_name_parse(&n, text, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    if (n.kind != kind || !same(n.subscription, sub) || !same(n.group, group) || !same(n.name, name) ||
        !same(n.instance, instance))
        fail_msg("%s: kind %d, %s, %s, %s, %s", text, n.kind, n.subscription, n.group, n.name, n.instance);
    char *written = vm_name_text(&n);
    assert_non_null(written);
    assert_int_equal(vm_name_parse(&again, written, &err), 0);
    assert_true(vm_name_equal(&n, &again));
    assert_int_equal(vm_name_copy(&copy, &n), 0);
    assert_true(vm_name_equal(&n, &copy));
    mem_free(written);
    vm_name_done(&copy);
    vm_name_done(&again);
    vm_name_done(&n);
}

static void refused(const char *text, const char *because)
{
    struct vm_name n = {.name = NULL};
    struct err err = {0};
    assert_int_equal(vm_name_parse(&n, text, &err), ERR_INVAL);
    assert_null(n.name);
    if (!strstr(err.msg, because))
        fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, err.msg, because);
}

static void test_forms(void **state)
{
    is("win11", VM_NAME_BARE, NULL, NULL, "win11", NULL);
    is("ss_1a2b", VM_NAME_BARE, NULL, NULL, "ss_1a2b", NULL);
    is("007", VM_NAME_BARE, NULL, NULL, "007", NULL);
    is("rg-desk/win11", VM_NAME_GROUP, NULL, "rg-desk", "win11", NULL);
    is("rg.(a)_b/win.11", VM_NAME_GROUP, NULL, "rg.(a)_b", "win.11", NULL);
    is("rg/3", VM_NAME_GROUP, NULL, "rg", "3", NULL);
    is("Größe/vm", VM_NAME_GROUP, NULL, "Größe", "vm", NULL);
    is("My Sub/rg/vm", VM_NAME_GROUP, "My Sub", "rg", "vm", NULL);
    is("rg/scale/3", VM_NAME_INSTANCE, NULL, "rg", "scale", "3");
    is("sub/rg/scale/3", VM_NAME_INSTANCE, "sub", "rg", "scale", "3");
    is(ID("s", "g", "virtualMachines/v"), VM_NAME_GROUP, "s", "g", "v", NULL);
    is("/SUBSCRIPTIONS/s/resourcegroups/g/PROVIDERS/microsoft.compute/virtualmachines/v", VM_NAME_GROUP, "s",
       "g", "v", NULL);
    is(ID("s", "g", "virtualMachines/42"), VM_NAME_GROUP, "s", "g", "42", NULL);
    is(ID("s", "g", "virtualMachineScaleSets/ss/virtualMachines/3"), VM_NAME_INSTANCE, "s", "g", "ss", "3");
    is(ID("s", "g", "virtualMachineScaleSets/ss/virtualMachines/ss_9f"), VM_NAME_GROUP, "s", "g", "ss_9f",
       NULL);
    is("win11.adit", VM_NAME_BARE, NULL, NULL, "win11", NULL);
    is("win11.rg-desk.ADIT", VM_NAME_GROUP, NULL, "rg-desk", "win11", NULL);
    is("win11.rg.with.dots.adit", VM_NAME_GROUP, NULL, "rg.with.dots", "win11", NULL);
    is("10.0.0.4", VM_NAME_ADDRESS, NULL, NULL, "10.0.0.4", NULL);
    is("2001:db8::1", VM_NAME_ADDRESS, NULL, NULL, "2001:db8::1", NULL);
    is("fe80::1%eth0", VM_NAME_ADDRESS, NULL, NULL, "fe80::1%eth0", NULL);
    is("host.example", VM_NAME_ADDRESS, NULL, NULL, "host.example", NULL);
    is("host.example.", VM_NAME_ADDRESS, NULL, NULL, "host.example.", NULL);
}

static void test_refused(void **state)
{
    refused("", "1 to 512");
    refused("a b", "holds a character");
    refused("-vm", "begins with");
    refused("vm-", "ends with");
    refused("rg/", "0 characters");
    refused("/vm", "not the resource ID");
    refused("rg./vm", "ends with a dot");
    refused("r g/vm", "resource group");
    refused("a/b/c/d", "scale set instance");
    refused("a/b/c/d/5", "too many parts");
    refused("rg/ss/1234567890", "not the number");
    refused(ID("s", "g", "disks/d"), "not the resource ID of a VM");
    refused(ID("s", "g", "virtualMachines/v/extensions/e"), "not the resource ID of a VM");
    refused(ID("s", "g", "virtualMachines/v/"), "not the resource ID of a VM");
    refused(ID("s", "g", "virtualMachines/"), "0 characters");
    refused("/subscriptions/s/resourceGroups/g/providers/Other.Compute/virtualMachines/v",
            "not the resource ID");
    refused("10.0.0.400", "not an IPv4");
    refused("1::2::3", "not an IPv6");
    refused("fe80::1%", "not an IPv6");
    refused("host..example", "not a host name");
    refused("host_&.example", "only letters");
    refused("vm\x1b[2J", "control character");
    refused("0123456789012345678901234567890123456789012345678901234567890123456789012345678901", "1 to 80");
}

static void test_equal_ignores_case(void **state)
{
    struct vm_name a, b, c;
    assert_int_equal(vm_name_parse(&a, "RG-Desk/Win11", NULL), 0);
    assert_int_equal(vm_name_parse(&b, "rg-desk/win11", NULL), 0);
    assert_int_equal(vm_name_parse(&c, "sub/rg-desk/win11", NULL), 0);
    assert_true(vm_name_equal(&a, &b));
    assert_false(vm_name_equal(&a, &c));
    vm_name_done(&a);
    vm_name_done(&b);
    vm_name_done(&c);
}

static void test_address(void **state)
{
    struct vm_name n;
    struct err err = {0};
    assert_int_equal(vm_name_parse_address(&n, "build7", &err), 0);
    assert_int_equal(n.kind, VM_NAME_ADDRESS);
    vm_name_done(&n);
    assert_int_equal(vm_name_parse_address(&n, "x.adit", &err), ERR_INVAL);
    assert_int_equal(vm_name_parse_address(&n, "rg/vm", &err), ERR_INVAL);
}

static void test_without_memory(void **state)
{
    int rc = ERR_NOMEM;
    for (long k = 0; rc != 0; k++) {
        struct vm_name n = {.name = NULL};
        struct err err = {0};
        mem_fail_after(k);
        rc = vm_name_parse(&n, "sub/rg/scale/3", &err);
        mem_fail_after(-1);
        assert_true(rc == 0 || (rc == ERR_NOMEM && !n.name));
        vm_name_done(&n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_equal_ignores_case),
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * ARM's replies in the shapes that Azure sends, and in those that it never should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolver/arm_id.h"
#include "resolver/arm_nic.h"
#include "resolver/arm_vm.h"
#include "resolver/facts_build.h"

#define S "33333333-3333-3333-3333-333333333333"
#define RG "/subscriptions/" S "/resourceGroups/rg/providers/"
#define VM_ID RG "Microsoft.Compute/virtualMachines/web1"
#define NIC_ID(n) RG "Microsoft.Network/networkInterfaces/nic" #n

static json_t *json_of(const char *text)
{
    json_error_t error;
    json_t *j = json_loads(text, 0, &error);
    if (!j)
        fail_msg("%s in %s", error.text, text);
    return j;
}

static void ids(void **state)
{
    struct arm_vm_id id;
    assert_true(arm_vm_id_parse(VM_ID, &id));
    assert_string_equal(id.name, "web1");
    assert_true(arm_vm_id_parse(
        "/SUBSCRIPTIONS/" S "/resourcegroups/R_(x).y/providers/microsoft.compute/VIRTUALMACHINES/W-1", &id));
    assert_string_equal(id.group, "R_(x).y");
    static const char *const wrong[] = {
        "",
        "web1",
        VM_ID "/",
        VM_ID "/extensions/x",
        VM_ID "?a=b",
        " " VM_ID,
        RG "Microsoft.Compute/virtualMachines/",
        RG "Microsoft.Compute/virtualMachines/..",
        RG "Microsoft.Compute/disks/d",
        "/subscriptions/short/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/v",
        "/subscriptions/" S "/resourceGroups//providers/Microsoft.Compute/virtualMachines/v",
        RG "Microsoft.Compute/virtualMachines/a'b",
        RG "Microsoft.Compute/virtualMachines/a b"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(arm_vm_id_parse(wrong[i], &id));
    assert_true(arm_id_is(NIC_ID(1), "Microsoft.Network/networkInterfaces"));
    assert_false(arm_id_is(VM_ID, "Microsoft.Network/networkInterfaces"));
}

static void paths_are_encoded(void **state)
{
    struct strbuf s;
    strbuf_init(&s);
    arm_path_add(&s, "/a-b_c.d(e)/x?y#z %\xc3\xa9");
    assert_string_equal(s.data, "/a-b_c.d(e)/x%3Fy%23z%20%25%C3%A9");
    strbuf_done(&s);
}

static void a_usual_vm(void **state)
{
    json_t *j = json_of(
        "{\"id\":\"" VM_ID "\",\"name\":\"web1\",\"location\":\"westeurope\",\"properties\":{"
        "\"vmId\":\"44444444-4444-4444-4444-444444444444\",\"provisioningState\":\"Succeeded\","
        "\"storageProfile\":{\"osDisk\":{\"osType\":\"Linux\"}},\"osProfile\":{\"adminUsername\":"
        "\"azureuser\"},"
        "\"networkProfile\":{\"networkInterfaces\":[{\"id\":\"" NIC_ID(
            1) "\",\"properties\":{\"primary\":false}},"
               "{\"id\":\"" NIC_ID(2) "\",\"properties\":{\"primary\":false}},"
                                      "{\"id\":\"" NIC_ID(
                                          3) "\",\"properties\":{\"primary\":true}}]},"
                                             "\"instanceView\":{\"statuses\":[{\"code\":\"ProvisioningState/"
                                             "succeeded\"},{\"code\":\"PowerState/running\"}]}}}");
    struct arm_vm vm;
    struct err err;
    assert_int_equal(arm_vm_parse(&vm, j, &err), 0);
    json_decref(j);
    assert_string_equal(vm.facts->vm_id, "44444444-4444-4444-4444-444444444444");
    assert_string_equal(vm.facts->admin_user, "azureuser");
    assert_string_equal(vm.facts->provisioning, "Succeeded");
    assert_string_equal(vm.facts->location, "westeurope");
    assert_int_equal(vm.facts->os, RESOLVER_OS_LINUX);
    assert_int_equal(vm.facts->power, RESOLVER_POWER_RUNNING);
    assert_int_equal(vm.nic_count, 3);
    assert_string_equal(vm.nics[0].id, NIC_ID(3));
    assert_true(vm.nics[0].primary);
    assert_string_equal(vm.nics[1].id, NIC_ID(1));
    assert_false(vm.nics[1].primary);
    assert_string_equal(vm.nics[2].id, NIC_ID(2));
    arm_vm_done(&vm);
}

static void power_states(void **state)
{
    static const struct {
        const char *code;
        enum resolver_power power;
    } cases[] = {{"PowerState/starting", RESOLVER_POWER_STARTING},
                 {"powerstate/Running", RESOLVER_POWER_RUNNING},
                 {"PowerState/stopping", RESOLVER_POWER_STOPPING},
                 {"PowerState/stopped", RESOLVER_POWER_STOPPED},
                 {"PowerState/deallocating", RESOLVER_POWER_DEALLOCATING},
                 {"PowerState/deallocated", RESOLVER_POWER_DEALLOCATED},
                 {"PowerState/unknown", RESOLVER_POWER_UNKNOWN},
                 {"PowerState/dreaming", RESOLVER_POWER_UNKNOWN},
                 {"running", RESOLVER_POWER_UNKNOWN},
                 {"", RESOLVER_POWER_UNKNOWN}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(facts_power_of(cases[i].code), cases[i].power);
    assert_int_equal(facts_power_of(NULL), RESOLVER_POWER_UNKNOWN);
}

static void vms_that_lack_things(void **state)
{
    static const char *const bodies[] = {
        "{\"id\":\"" VM_ID "\"}", "{\"id\":\"" VM_ID "\",\"properties\":null}",
        "{\"id\":\"" VM_ID "\",\"properties\":[1,2]}",
        "{\"id\":\"" VM_ID
        "\",\"location\":7,\"properties\":{\"vmId\":{},\"instanceView\":{\"statuses\":{\"code\":1}},"
        "\"storageProfile\":[],\"osProfile\":\"x\",\"networkProfile\":{\"networkInterfaces\":\"none\"}}}",
        "{\"id\":\"" VM_ID "\",\"properties\":{\"instanceView\":{\"statuses\":[null,1,{},{\"code\":null}]},"
        "\"networkProfile\":{\"networkInterfaces\":[null,{},{\"id\":5},{\"id\":\"\"},{\"id\":\"http://evil/"
        "\"},"
        "{\"id\":\"" VM_ID "\"}]}}}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        json_t *j = json_of(bodies[i]);
        struct arm_vm vm;
        struct err err;
        assert_int_equal(arm_vm_parse(&vm, j, &err), 0);
        assert_int_equal(vm.nic_count, 0);
        assert_int_equal(vm.facts->power, RESOLVER_POWER_UNKNOWN);
        assert_int_equal(vm.facts->os, RESOLVER_OS_UNKNOWN);
        assert_string_equal(vm.facts->vm_id, "");
        assert_null(vm.facts->admin_user);
        arm_vm_done(&vm);
        json_decref(j);
    }
}

static void what_is_no_vm(void **state)
{
    static const char *const bodies[] = {"{}", "[]", "{\"id\":null}", "{\"id\":\"web1\"}",
                                         "{\"id\":\"" NIC_ID(1) "\"}"};
    struct arm_vm vm;
    struct err err;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        json_t *j = json_of(bodies[i]);
        assert_int_equal(arm_vm_parse(&vm, j, &err), ERR_PROTOCOL);
        json_decref(j);
    }
    assert_int_equal(arm_vm_parse(&vm, NULL, &err), ERR_PROTOCOL);
}

static void more_interfaces_than_any_vm_has(void **state)
{
    json_t *list = json_array();
    for (int i = 0; i < 100; i++)
        json_array_append_new(list, json_pack("{s:s}", "id", NIC_ID(1)));
    json_t *j = json_pack("{s:s, s:{s:{s:o}}}", "id", VM_ID, "properties", "networkProfile",
                          "networkInterfaces", list);
    struct arm_vm vm;
    struct err err;
    assert_int_equal(arm_vm_parse(&vm, j, &err), 0);
    assert_int_equal(vm.nic_count, ARM_VM_NICS_MAX);
    arm_vm_done(&vm);
    json_decref(j);
}

static struct resolver_facts *nic(const char *body)
{
    struct resolver_facts *f;
    struct err err;
    json_t *j = json_of(body);
    assert_int_equal(facts_new(&f, VM_ID, RESOLVER_SOURCE_ARM, &err), 0);
    assert_int_equal(arm_nic_parse(f, j, true, &err), 0);
    facts_address_sort(f);
    json_decref(j);
    return f;
}

static void a_usual_interface(void **state)
{
    struct resolver_facts *f =
        nic("{\"properties\":{\"ipConfigurations\":["
            "{\"properties\":{\"privateIPAddress\":\"10.0.0.5\",\"primary\":false,\"publicIPAddress\":{"
            "\"id\":\"x\"}}},"
            "{\"properties\":{\"privateIPAddress\":\"10.0.0.4\",\"primary\":true,"
            "\"publicIPAddress\":{\"id\":\"y\",\"properties\":{\"ipAddress\":\"20.1.2.3\"}}}}]}}");
    assert_int_equal(f->address_count, 3);
    assert_string_equal(f->addresses[0].ip, "20.1.2.3");
    assert_true(f->addresses[0].is_public && f->addresses[0].primary_ip && f->addresses[0].primary_nic);
    assert_string_equal(f->addresses[1].ip, "10.0.0.4");
    assert_string_equal(f->addresses[2].ip, "10.0.0.5");
    assert_false(f->addresses[2].primary_ip);
    resolver_facts_unref(f);
}

static void interfaces_that_lack_things(void **state)
{
    static const char *const bodies[] = {
        "{}", "{\"properties\":[]}", "{\"properties\":{\"ipConfigurations\":{}}}",
        "{\"properties\":{\"ipConfigurations\":[null,5,{},{\"properties\":7},{\"properties\":{"
        "\"privateIPAddress\":4}}]}}",
        /* A Dynamic address of a deallocated VM: there is a resource, and no ipAddress. */
        "{\"properties\":{\"ipConfigurations\":[{\"properties\":{\"publicIPAddress\":{\"properties\":"
        "{\"publicIPAllocationMethod\":\"Dynamic\"}}}}]}}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct resolver_facts *f = nic(bodies[i]);
        assert_int_equal(f->address_count, 0);
        resolver_facts_unref(f);
    }
    /* The only ipConfiguration need not say that it is the primary one. */
    struct resolver_facts *f =
        nic("{\"properties\":{\"ipConfigurations\":[{\"properties\":{\"privateIPAddress\":\"10.0.0.4\"}}]}}");
    assert_true(f->addresses[0].primary_ip);
    resolver_facts_unref(f);
    struct err err;
    assert_int_equal(facts_new(&f, VM_ID, RESOLVER_SOURCE_ARM, &err), 0);
    assert_int_equal(arm_nic_parse(f, NULL, true, &err), ERR_PROTOCOL);
    resolver_facts_unref(f);
}

static void no_memory_at_any_point(void **state)
{
    json_t *j = json_of(
        "{\"id\":\"" VM_ID "\",\"location\":\"w\",\"properties\":{\"vmId\":\"v\",\"osProfile\":{"
        "\"adminUsername\":\"a\"},\"networkProfile\":{\"networkInterfaces\":[{\"id\":\"" NIC_ID(1) "\"}]}}}");
    struct arm_vm vm;
    struct err err;
    int rc = ERR_NOMEM;
    for (long k = 0; rc; k++) {
        mem_fail_after(k);
        rc = arm_vm_parse(&vm, j, &err);
        mem_fail_after(-1);
        assert_true(rc == 0 || rc == ERR_NOMEM);
        assert_true(rc != 0 || k > 8);
    }
    arm_vm_done(&vm);
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids),
        cmocka_unit_test(paths_are_encoded),
        cmocka_unit_test(a_usual_vm),
        cmocka_unit_test(power_states),
        cmocka_unit_test(vms_that_lack_things),
        cmocka_unit_test(what_is_no_vm),
        cmocka_unit_test(more_interfaces_than_any_vm_has),
        cmocka_unit_test(a_usual_interface),
        cmocka_unit_test(interfaces_that_lack_things),
        cmocka_unit_test(no_memory_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

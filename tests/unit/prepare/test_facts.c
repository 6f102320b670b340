/*
 * Facts: what is read from ARM's documents, and that odd ones do no harm.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "prepare/facts.h"
#include "prepare/ref.h"

#define G "/subscriptions/s/resourceGroups/g/providers/"
#define VM G "Microsoft.Compute/virtualMachines/v"

static void ids_are_checked_by_type(void **state)
{
    assert_true(ref_is(VM, "Microsoft.Compute/virtualMachines"));
    assert_true(ref_is("/SUBSCRIPTIONS/s/resourcegroups/g/Providers/microsoft.compute/VIRTUALMACHINES/v",
                       "Microsoft.Compute/virtualMachines"));
    assert_true(ref_is(G "Microsoft.Compute/virtualMachineScaleSets/w/virtualMachines/3",
                       "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"));
    static const char *const none[] = {
        "",
        "v",
        VM "/",
        VM "/extensions/e",
        "/subscriptions//resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v",
        G "Microsoft.Compute/virtualMachines/..",
        G "Microsoft.Compute/virtualMachine/v",
        "https://elsewhere" VM,
        "/subscriptions/../resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (ref_is(none[i], "Microsoft.Compute/virtualMachines"))
            fail_msg("%s", none[i]);
    assert_false(ref_is(NULL, "Microsoft.Compute/virtualMachines"));
}

static void paths_are_encoded(void **state)
{
    char *path = ref_path("/subscriptions/s/g p?x#y", "extensions/é", "api-version=1");
    assert_string_equal(path, "/subscriptions/s/g%20p%3Fx%23y/extensions/%C3%A9?api-version=1");
    mem_free(path);
    assert_string_equal(ref_name(VM), "v");
    assert_string_equal(ref_name("x"), "");
}

static void vm_is_read(void **state)
{
    struct facts_vm vm;
    struct err err = {0};
    json_t *doc = json_loads(
        "{\"id\":\"" VM "\",\"location\":\"westeurope\",\"zones\":[\"2\"],\"properties\":{\"vmId\":\"id-1\","
        "\"storageProfile\":{\"osDisk\":{\"osType\":\"Windows\"}},\"osProfile\":{\"adminUsername\":\"ann\"},"
        "\"networkProfile\":{\"networkInterfaces\":["
        "{\"id\":\"" G "Microsoft.Network/networkInterfaces/a\",\"properties\":{\"primary\":false}},"
        "{\"id\":\"" G "Microsoft.Network/networkInterfaces/b\",\"properties\":{\"primary\":true}},"
        "{\"id\":\"http://elsewhere/c\"}]},"
        "\"instanceView\":{\"vmAgent\":{\"statuses\":[{\"displayStatus\":\"Not Ready\"}]},"
        "\"statuses\":[{\"code\":\"ProvisioningState/succeeded\"},{\"code\":\"PowerState/deallocating\"}]}},"
        "\"resources\":[{\"name\":\"other\",\"properties\":{\"publisher\":\"p\",\"type\":\"WindowsOpenSSH\"}}"
        ","
        "{\"name\":\"v/mine\",\"properties\":{\"publisher\":\"microsoft.azure.openssh\",\"type\":"
        "\"windowsopenssh\",\"provisioningState\":\"Failed\"}}]}",
        0, NULL);
    assert_non_null(doc);
    assert_int_equal(facts_vm_parse(&vm, VM, doc, &err), 0);
    json_decref(doc);
    assert_string_equal(vm.subscription, "s");
    assert_string_equal(vm.group, "g");
    assert_string_equal(vm.name, "v");
    assert_string_equal(vm.zone, "2");
    assert_string_equal(vm.power, "deallocating");
    assert_string_equal(vm.agent, "Not Ready");
    assert_string_equal(vm.extension, "mine");
    assert_string_equal(vm.extension_state, "Failed");
    assert_true(vm.windows);
    assert_false(vm.uniform);
    assert_int_equal(vm.nic_count, 2);
    assert_string_equal(ref_name(vm.nics[0]), "b");
    facts_vm_done(&vm);
}

static void odd_documents_do_no_harm(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"properties\":7}",
        "{\"id\":7,\"properties\":{}}",
        "{\"properties\":{\"networkProfile\":[1],\"instanceView\":\"x\",\"osProfile\":[],\"storageProfile\":"
        "7}}",
        "{\"properties\":{\"networkProfile\":{\"networkInterfaces\":[7,{},{\"id\":null}]},\"instanceView\":"
        "{\"statuses\":[7,{},{\"code\":7}],\"vmAgent\":{\"statuses\":7}}},\"resources\":[7,{},{"
        "\"properties\":7}]}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct facts_vm vm;
        struct facts_way way;
        json_t *doc = json_loads(texts[i], 0, NULL);
        assert_non_null(doc);
        int rc = facts_vm_parse(&vm, VM, doc, NULL);
        if (i < 3)
            assert_int_equal(rc, ERR_PROTOCOL);
        else
            assert_int_equal(rc, 0);
        if (rc == 0) {
            assert_string_equal(vm.id, VM);
            assert_string_equal(vm.power, "");
            assert_int_equal(vm.nic_count, 0);
            facts_vm_done(&vm);
        }
        assert_int_equal(facts_way_parse(&way, doc, NULL), ERR_PROTOCOL);
        json_decref(doc);
    }
}

static void best_way_in_is_picked(void **state)
{
    struct facts_way way;
    json_t *nic = json_loads(
        "{\"id\":\"" G
        "Microsoft.Network/networkInterfaces/n\",\"properties\":{\"networkSecurityGroup\":{\"id\":\"" G
        "Microsoft.Network/networkSecurityGroups/s\"},\"ipConfigurations\":["
        "{\"name\":\"six\",\"properties\":{\"privateIPAddressVersion\":\"IPv6\",\"publicIPAddress\":{\"id\":"
        "\"" G "Microsoft.Network/publicIPAddresses/p6\"}}},"
        "{\"name\":\"first\",\"properties\":{\"primary\":true,\"privateIPAddress\":\"10.0.0.4\"}},"
        "{\"name\":\"second\",\"properties\":{\"primary\":false,\"privateIPAddress\":\"10.0.0.5\","
        "\"subnet\":{\"id\":\"" G "Microsoft.Network/virtualNetworks/v/subnets/d\"},"
        "\"publicIPAddress\":{\"id\":\"" G
        "Microsoft.Network/publicIPAddresses/p\",\"sku\":{\"name\":\"Standard\"},"
        "\"properties\":{\"ipAddress\":\"198.51.100.9\"}}}}]}}",
        0, NULL);
    assert_non_null(nic);
    assert_int_equal(facts_way_parse(&way, nic, NULL), 0);
    json_decref(nic);
    assert_string_equal(way.config, "second");
    assert_string_equal(way.public_address, "198.51.100.9");
    assert_string_equal(way.private_address, "10.0.0.5");
    assert_true(way.standard);
    assert_string_equal(ref_name(way.nsg), "s");
    assert_string_equal(ref_name(way.subnet), "d");
    facts_way_done(&way);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_checked_by_type),
        cmocka_unit_test(paths_are_encoded),
        cmocka_unit_test(vm_is_read),
        cmocka_unit_test(odd_documents_do_no_harm),
        cmocka_unit_test(best_way_in_is_picked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

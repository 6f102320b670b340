/*
 * The Bicep file: the same around the values whatever they are, brackets and quotes that close, and the
 * values as they were meant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "plans.h"
#include "prepare/print.h"
#include "prepare/script.h"
#include "quotes.h"

#define RULE_PROPERTIES(i, priority)                                                                         \
    i "properties: {\n" i "  priority: " priority "\n" i "  direction: §\n" i "  access: §\n" i              \
      "  protocol: §\n" i "  sourceAddressPrefix: §\n" i "  sourcePortRange: §\n" i                          \
      "  destinationAddressPrefix: §\n" i "  destinationPortRange: §\n" i "}\n"
#define NESTED(symbol)                                                                                       \
    "\nresource " symbol " § = {\n  name: §\n  subscriptionId: §\n  resourceGroup: §\n  properties: {\n" \
    "    mode: §\n    template: {\n      §: §\n      contentVersion: §\n      resources: [\n        {\n" \
    "          type: §\n          apiVersion: §\n          name: §\n"
#define NESTED_END "        }\n      ]\n    }\n  }\n}\n"

static const char everything[] =
    "\n\n\n\n\n"
    "\nresource publicIp § = {\n  name: §\n  location: §\n  sku: {\n    name: §\n  }\n  properties: {\n"
    "    publicIPAllocationMethod: §\n    publicIPAddressVersion: §\n  }\n}\n"
    "\nresource nic § existing = {\n  name: §\n}\n" NESTED(
        "nicWithAddress") "          location: §\n"
                          "          tags: contains(nic, §) ? nic.tags : {}\n"
                          "          properties: union(nic.properties, {\n"
                          "            ipConfigurations: map(nic.properties.ipConfigurations, config => "
                          "toLower(config.name) == "
                          "toLower(§) ? union(config, { properties: { publicIPAddress: { id: publicIp.id } } "
                          "}) : config)\n"
                          "          })\n" NESTED_END "\nresource vm § existing = {\n  name: §\n}\n"
                          "\nresource extension § = {\n  parent: vm\n  name: §\n  location: §\n  properties: "
                          "{\n    publisher: §\n"
                          "    type: §\n    typeHandlerVersion: §\n    autoUpgradeMinorVersion: true\n  "
                          "}\n}\n"
                          "\nresource nsg1 § existing = {\n  name: §\n}\n"
                          "\nresource rule1 § = {\n  parent: nsg1\n  name: §\n" RULE_PROPERTIES(
                              "  ", "1000") "}\n" NESTED("rule2") RULE_PROPERTIES("          ", "1001")
                              NESTED_END
    "\nresource key § = {\n  parent: vm\n  name: §\n  location: §\n  properties: {\n    source: {\n"
    "      script: §\n    }\n    timeoutInSeconds: 600\n  }\n  dependsOn: [\n    extension\n  ]\n}\n";

#define SCHEMA "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
#define NETWORK "Microsoft.Network/"
#define COMPUTE "Microsoft.Compute/virtualMachines"
#define DEPLOYMENTS "Microsoft.Resources/deployments@2024-03-01"

static char *print(struct plan *p, struct quotes *q)
{
    char *text = print_plan(p, PREPARE_FORM_BICEP);
    quotes_bicep(q, text);
    return text;
}

static void test_everything(void **state)
{
    for (int windows = 0; windows < 2; windows++) {
        struct plan p;
        struct quotes q;
        plans_make(&p, windows);
        char *text = print(&p, &q), *script = script_key_add(&p);
        const char *const values[] = {NETWORK "publicIPAddresses@2024-05-01",
                                      "win-new-ip",
                                      "westeurope",
                                      "Standard",
                                      "Static",
                                      "IPv4",
                                      NETWORK "networkInterfaces@2024-05-01",
                                      "nic1",
                                      DEPLOYMENTS,
                                      "adit-public-ip",
                                      PLANS_SUBSCRIPTION,
                                      "RG-DESK",
                                      "Incremental",
                                      "$schema",
                                      SCHEMA,
                                      "1.0.0.0",
                                      NETWORK "networkInterfaces",
                                      "2024-05-01",
                                      "nic1",
                                      "westeurope",
                                      "tags",
                                      "ipconfig1",
                                      COMPUTE "@2024-11-01",
                                      "win-new",
                                      COMPUTE "/extensions@2024-11-01",
                                      "WindowsOpenSSH",
                                      "westeurope",
                                      "Microsoft.Azure.OpenSSH",
                                      "WindowsOpenSSH",
                                      "3.0",
                                      NETWORK "networkSecurityGroups@2024-05-01",
                                      "nsg1",
                                      NETWORK "networkSecurityGroups/securityRules@2024-05-01",
                                      "allow-SSH",
                                      "Inbound",
                                      "Allow",
                                      "Tcp",
                                      "203.0.113.7/32",
                                      "*",
                                      "*",
                                      "22",
                                      DEPLOYMENTS,
                                      "adit-rule-2",
                                      "44444444-4444-4444-4444-444444444444",
                                      "rg-net",
                                      "Incremental",
                                      "$schema",
                                      SCHEMA,
                                      "1.0.0.0",
                                      NETWORK "networkSecurityGroups/securityRules",
                                      "2024-05-01",
                                      "nsg2/allow-SSH-2",
                                      "Inbound",
                                      "Allow",
                                      "Tcp",
                                      "*",
                                      "*",
                                      "*",
                                      "22",
                                      COMPUTE "/runCommands@2022-03-01",
                                      "adit-key",
                                      "westeurope",
                                      script,
                                      NULL};
        assert_string_equal(q.around.data, everything);
        quotes_expect(&q, values);
        quotes_done(&q);
        mem_free(text), mem_free(script);
        plan_done(&p);
    }
}

static size_t count_of(const struct quotes *q, const char *value)
{
    size_t n = 0;
    for (size_t i = 0; i < q->count; i++)
        n += strcmp(q->value[i], value) == 0;
    return n;
}

/* With names of any kind the file has the shape of a plain one whose NSG and NIC lie as far away. */
static void test_hostile_names(void **state)
{
    for (unsigned i = 0; i < PLANS_HOSTILE; i++) {
        struct plan plain, hostile;
        struct quotes a, b;
        plans_make(&plain, i & 1);
        plans_make_hostile(&hostile, i & 1, i);
        char *first = print(&plain, &a), *second = print(&hostile, &b);
        assert_string_equal(a.around.data, b.around.data);
        assert_int_equal(a.count, b.count);
        char *script = script_key_add(&hostile);
        assert_int_equal(count_of(&b, script), 1);
        assert_int_equal(count_of(&b, hostile.vm), 1);
        assert_int_equal(count_of(&b, hostile.public_ip), 1);
        assert_int_equal(count_of(&b, hostile.ip_config), 1);
        assert_int_equal(count_of(&b, hostile.location), 4);
        assert_int_equal(count_of(&b, hostile.rules[0].source), 1);
        assert_int_equal(count_of(&b, strrchr(hostile.nic_id, '/') + 1), 2);
        quotes_done(&a), quotes_done(&b);
        mem_free(first), mem_free(second), mem_free(script);
        plan_done(&plain), plan_done(&hostile);
    }
}

static void test_far_network_interface(void **state)
{
    struct plan p;
    struct quotes q;
    plans_make(&p, true);
    mem_free(p.group);
    p.group = mem_strdup("rg-vm");
    p.steps = PREPARE_BIT(PREPARE_ADDRESS);
    char *text = print(&p, &q);
    assert_non_null(strstr(q.around.data, "  scope: resourceGroup(§, §)\n}\n"));
    assert_int_equal(count_of(&q, "RG-DESK"), 2);
    quotes_done(&q);
    mem_free(text);
    plan_done(&p);
}

static void test_each_step_alone(void **state)
{
    for (unsigned s = PREPARE_POWER; s <= PREPARE_LOGIN; s++) {
        struct plan p;
        struct quotes q;
        plans_make(&p, true);
        p.steps = PREPARE_BIT(s) & PLANS_ALL;
        char *text = print(&p, &q);
        bool vm = s == PREPARE_EXTENSION || s == PREPARE_LOGIN;
        assert_int_equal(strstr(q.around.data, "parent: vm\n") != NULL, vm);
        assert_int_equal(strstr(q.around.data, "resource vm ") != NULL, vm);
        assert_null(strstr(q.around.data, "dependsOn"));
        assert_int_equal(strstr(text, "cannot start a VM") != NULL, s == PREPARE_POWER);
        assert_int_equal(strstr(text, "Nothing is missing") != NULL, p.steps == 0);
        quotes_done(&q);
        mem_free(text);
        plan_done(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_far_network_interface),
        cmocka_unit_test(test_each_step_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

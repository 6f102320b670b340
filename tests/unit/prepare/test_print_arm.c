/*
 * The ARM template: JSON with the members that a deployment requires, texts that stay texts, and the order in
 * which things must be made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "plans.h"
#include "prepare/print.h"
#include "prepare/script.h"

#define SCHEMA "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"

static const json_t *at(const json_t *object, const char *path)
{
    char part[64];
    while (object && *path) {
        size_t n = strcspn(path, ".");
        memcpy(part, path, n);
        part[n] = 0;
        object = json_is_array(object) ? json_array_get(object, (size_t)(part[0] - '0'))
                                       : json_object_get(object, part);
        path += n + (path[n] == '.');
    }
    return object;
}

static const char *text_at(const json_t *object, const char *path)
{
    const char *text = json_string_value(at(object, path));
    if (!text)
        fail_msg("no text at %s", path);
    return text;
}

/* What Azure makes of a text that is no expression. */
static void literal_is(const json_t *object, const char *path, const char *expected)
{
    const char *text = text_at(object, path);
    size_t n = strlen(text);
    if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
        if (text[1] != '[')
            fail_msg("%s is an expression: %s", path, text);
        text++;
    }
    assert_string_equal(text, expected);
}

/* "[resourceId('a', 'b''c')]" → its arguments, each behind a newline. */
static char *arguments(const char *expression, const char *function)
{
    struct strbuf b;
    strbuf_init(&b);
    size_t n = strlen(function);
    assert_true(expression[0] == '[' && strncmp(expression + 1, function, n) == 0 &&
                expression[n + 1] == '(');
    const char *c = expression + n + 2;
    for (;;) {
        assert_int_equal(*c++, '\'');
        strbuf_puts(&b, "\n");
        while (c[0] != '\'' || c[1] == '\'') {
            assert_true(*c);
            strbuf_add(&b, c, 1);
            c += *c == '\'' ? 2 : 1;
        }
        c++;
        if (strncmp(c, ", ", 2) != 0)
            break;
        c += 2;
    }
    assert_string_equal(c, ")]");
    return strbuf_take(&b);
}

static void call_is(const json_t *object, const char *path, const char *function, char *expected)
{
    char *have = arguments(text_at(object, path), function);
    assert_string_equal(have, expected);
    mem_free(have), mem_free(expected);
}

static void template_valid(const json_t *t)
{
    size_t i;
    const json_t *r;
    static const char *const required[] = {"type", "apiVersion", "name"};
    assert_string_equal(text_at(t, "$schema"), SCHEMA);
    assert_string_equal(text_at(t, "contentVersion"), "1.0.0.0");
    assert_true(json_is_array(at(t, "resources")));
    json_array_foreach(at(t, "resources"), i, r)
    {
        for (size_t k = 0; k < sizeof required / sizeof *required; k++)
            assert_true(*text_at(r, required[k]));
        /* a child's name has as many parts as its type has after the provider's */
        size_t parts = 0, slashes = 0;
        for (const char *c = text_at(r, "type"); *c; c++)
            parts += *c == '/';
        for (const char *c = text_at(r, "name"); *c; c++)
            slashes += *c == '/';
        assert_int_equal(parts, slashes + 1);
        if (at(r, "properties.template"))
            template_valid(at(r, "properties.template"));
    }
}

static void rule_is(const json_t *r, const struct plan_rule *rule)
{
    char *name = mem_printf("%s/%s", strrchr(rule->nsg_id, '/') + 1, rule->name);
    assert_string_equal(text_at(r, "type"), "Microsoft.Network/networkSecurityGroups/securityRules");
    literal_is(r, "name", name);
    assert_int_equal(json_integer_value(at(r, "properties.priority")), rule->priority);
    literal_is(r, "properties.sourceAddressPrefix", rule->source);
    assert_string_equal(text_at(r, "properties.direction"), "Inbound");
    assert_string_equal(text_at(r, "properties.access"), "Allow");
    assert_string_equal(text_at(r, "properties.protocol"), "Tcp");
    assert_string_equal(text_at(r, "properties.destinationPortRange"), "22");
    assert_string_equal(text_at(r, "properties.sourcePortRange"), "*");
    assert_string_equal(text_at(r, "properties.destinationAddressPrefix"), "*");
    mem_free(name);
}

static const char *group_of(const char *id)
{
    static char group[256];
    const char *from = strstr(id, "/resourceGroups/") + strlen("/resourceGroups/");
    size_t n = strcspn(from, "/");
    memcpy(group, from, n);
    group[n] = 0;
    return group;
}

static void nic_is(const json_t *r, const struct plan *p)
{
    assert_string_equal(text_at(r, "type"), "Microsoft.Resources/deployments");
    literal_is(r, "subscriptionId", PLANS_SUBSCRIPTION);
    literal_is(r, "resourceGroup", group_of(p->nic_id));
    assert_string_equal(text_at(r, "properties.mode"), "Incremental");
    assert_string_equal(text_at(r, "properties.expressionEvaluationOptions.scope"), "inner");
    call_is(r, "dependsOn.0", "resourceId",
            mem_printf("\nMicrosoft.Network/publicIPAddresses\n%s", p->public_ip));
    call_is(r, "properties.parameters.publicIp.value", "resourceId",
            mem_printf("\nMicrosoft.Network/publicIPAddresses\n%s", p->public_ip));
    call_is(r, "properties.parameters.nic.value", "reference",
            mem_printf("\n%s\n2024-05-01\nFull", p->nic_id));
    const json_t *nic = at(r, "properties.template.resources.0");
    assert_string_equal(text_at(nic, "type"), "Microsoft.Network/networkInterfaces");
    literal_is(nic, "name", strrchr(p->nic_id, '/') + 1);
    int depth = 0;
    for (const char *c = text_at(nic, "properties"); *c; c++) {
        if (*c == '\'')
            for (c++; c[0] != '\'' || c[1] == '\''; c += c[0] == '\'' ? 2 : 1)
                assert_true(*c);
        depth += *c == '(' ? 1 : *c == ')' ? -1 : 0;
        assert_true(depth >= 0);
    }
    assert_int_equal(depth, 0);
}

static void check(struct plan *p)
{
    char *text = print_plan(p, PREPARE_FORM_ARM), *script = script_key_add(p);
    char *extension = mem_printf("%s/WindowsOpenSSH", p->vm), *command = mem_printf("%s/adit-key", p->vm);
    json_error_t error;
    json_t *t = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!t)
        fail_msg("%s in %s", error.text, text);
    template_valid(t);
    const json_t *r = at(t, "resources");
    assert_int_equal(json_array_size(r), 6);

    assert_string_equal(text_at(r, "0.type"), "Microsoft.Network/publicIPAddresses");
    literal_is(r, "0.name", p->public_ip);
    literal_is(r, "0.location", p->location);
    assert_string_equal(text_at(r, "0.sku.name"), "Standard");
    assert_string_equal(text_at(r, "0.properties.publicIPAllocationMethod"), "Static");
    nic_is(at(r, "1"), p);

    assert_string_equal(text_at(r, "2.type"), "Microsoft.Compute/virtualMachines/extensions");
    literal_is(r, "2.name", extension);
    literal_is(r, "2.location", p->location);
    assert_string_equal(text_at(r, "2.properties.publisher"), "Microsoft.Azure.OpenSSH");
    assert_string_equal(text_at(r, "2.properties.type"), "WindowsOpenSSH");
    assert_string_equal(text_at(r, "2.properties.typeHandlerVersion"), "3.0");

    const json_t *near = at(r, strcmp(text_at(r, "3.type"), "Microsoft.Resources/deployments") == 0
                                   ? "3.properties.template.resources.0"
                                   : "3");
    rule_is(near, &p->rules[0]);
    assert_string_equal(text_at(r, "4.type"), "Microsoft.Resources/deployments");
    literal_is(r, "4.resourceGroup", group_of(p->rules[1].nsg_id));
    literal_is(r, "4.subscriptionId", "44444444-4444-4444-4444-444444444444");
    rule_is(at(r, "4.properties.template.resources.0"), &p->rules[1]);

    assert_string_equal(text_at(r, "5.type"), "Microsoft.Compute/virtualMachines/runCommands");
    assert_string_equal(text_at(r, "5.apiVersion"), "2022-03-01");
    literal_is(r, "5.name", command);
    literal_is(r, "5.location", p->location);
    literal_is(r, "5.properties.source.script", script);
    assert_int_equal(json_integer_value(at(r, "5.properties.timeoutInSeconds")), 600);
    call_is(r, "5.dependsOn.0", "resourceId",
            mem_printf("\nMicrosoft.Compute/virtualMachines/extensions\n%s\nWindowsOpenSSH", p->vm));
    json_decref(t);
    mem_free(text), mem_free(script), mem_free(extension), mem_free(command);
    plan_done(p);
}

static void test_everything(void **state)
{
    struct plan p;
    plans_make(&p, true);
    check(&p);
    plans_make(&p, false);
    check(&p);
}

static void test_hostile_names(void **state)
{
    for (unsigned i = 0; i < PLANS_HOSTILE; i++) {
        struct plan p;
        plans_make_hostile(&p, i & 1, i);
        check(&p);
    }
}

/* The NSG beside the VM is a resource of the template itself, whatever the case of its group's name. */
static void test_nearness(void **state)
{
    struct plan p;
    plans_make(&p, true);
    char *text = print_arm(&p);
    json_t *t = json_loads(text, 0, NULL);
    mem_free(text);
    assert_string_equal(text_at(t, "resources.3.type"),
                        "Microsoft.Network/networkSecurityGroups/securityRules");
    json_decref(t);
    plan_done(&p);
}

static void test_order_only_where_it_matters(void **state)
{
    struct plan p;
    plans_make(&p, true);
    p.steps = PREPARE_BIT(PREPARE_LOGIN);
    char *text = print_arm(&p);
    json_t *t = json_loads(text, 0, NULL);
    assert_int_equal(json_array_size(at(t, "resources")), 1);
    assert_null(at(t, "resources.0.dependsOn"));
    json_decref(t);
    mem_free(text);
    p.steps = PREPARE_BIT(PREPARE_POWER);
    text = print_arm(&p);
    t = json_loads(text, 0, NULL);
    template_valid(t);
    assert_int_equal(json_array_size(at(t, "resources")), 0);
    assert_non_null(strstr(text_at(t, "metadata.comments"), "cannot start a VM"));
    json_decref(t);
    mem_free(text);
    plan_done(&p);
}

static void test_nothing_missing(void **state)
{
    struct plan p = {0};
    char *text = print_arm(&p);
    json_t *t = json_loads(text, 0, NULL);
    template_valid(t);
    assert_string_equal(text_at(t, "metadata.comments"), "Nothing is missing.");
    json_decref(t);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),      cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_nearness),        cmocka_unit_test(test_order_only_where_it_matters),
        cmocka_unit_test(test_nothing_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * print_arm: a plan as an ARM template for the VM's resource group.
 *
 * What lies in another group goes into a nested deployment there. A template cannot change one member of a
 * network interface: it is deployed again from what reference() says of it, with the one ipConfiguration
 * changed, nested, because a template must not refer to what it deploys itself. Source: "Understand the
 * structure and syntax of ARM templates"; a text in brackets is an expression unless its first bracket is
 * doubled.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "print.h"
#include "print_text.h"
#include "script.h"

/* A text that is to be taken as it is. */
static json_t *literal(const char *text)
{
    size_t n = strlen(text);
    if (n > 1 && text[0] == '[' && text[n - 1] == ']')
        return json_sprintf("[%s", text);
    return json_string(text);
}

/* A text inside an expression: quotes are doubled. */
static void quoted(struct strbuf *b, const char *text)
{
    strbuf_puts(b, "'");
    for (; *text; text++) {
        if (*text == '\'')
            strbuf_puts(b, "'");
        strbuf_add(b, text, 1);
    }
    strbuf_puts(b, "'");
}

static json_t *taken(struct strbuf *b)
{
    char *text = strbuf_take(b);
    json_t *j = text ? json_string(text) : NULL;
    mem_free(text);
    return j;
}

/* "[resourceId('TYPE', 'NAME', 'CHILD')]"; child may be NULL. */
static json_t *resource_id(const char *type, const char *name, const char *child)
{
    struct strbuf b;
    strbuf_init(&b);
    strbuf_printf(&b, "[resourceId('%s', ", type);
    quoted(&b, name);
    if (child) {
        strbuf_puts(&b, ", ");
        quoted(&b, child);
    }
    strbuf_puts(&b, ")]");
    return taken(&b);
}

static json_t *joined(const char *parent, const char *child)
{
    char *name = mem_printf("%s/%s", parent, child);
    json_t *j = name ? literal(name) : NULL;
    mem_free(name);
    return j;
}

/* Sets a member, value stolen; an object that lacks it for want of memory is given up. */
static json_t *with(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) == 0)
        return object;
    json_decref(object);
    return NULL;
}

/* parameters, resources: stolen. */
static json_t *template_of(json_t *parameters, json_t *resources)
{
    json_t *t = json_pack("{s:s,s:s}", "$schema", PRINT_TEMPLATE_SCHEMA, "contentVersion", "1.0.0.0");
    return with(with(t, "parameters", parameters), "resources", resources);
}

/* template: stolen. */
static json_t *deployment(const char *name, const struct print_id *where, json_t *template)
{
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:{s:s,s:{s:s},s:o}}", "type", "Microsoft.Resources/deployments",
                     "apiVersion", PRINT_DEPLOYMENT_API, "name", name, "subscriptionId",
                     literal(where->subscription), "resourceGroup", literal(where->group), "properties",
                     "mode", "Incremental", "expressionEvaluationOptions", "scope", "inner", "template",
                     template);
}

static json_t *public_ip(const struct plan *p)
{
    return json_pack("{s:s,s:s,s:o,s:o,s:{s:s},s:{s:s,s:s}}", "type", "Microsoft.Network/publicIPAddresses",
                     "apiVersion", NETWORK_API, "name", literal(p->public_ip), "location",
                     literal(p->location), "sku", "name", "Standard", "properties",
                     "publicIPAllocationMethod", "Static", "publicIPAddressVersion", "IPv4");
}

#define CONFIG "lambdaVariables('config')"
static json_t *nic_properties(const char *config)
{
    struct strbuf b;
    strbuf_init(&b);
    strbuf_puts(&b, "[union(parameters('nic').properties, createObject('ipConfigurations', "
                    "map(parameters('nic').properties.ipConfigurations, lambda('config', "
                    "if(equals(toLower(" CONFIG ".name), toLower(");
    quoted(&b, config);
    strbuf_puts(&b, ")), union(" CONFIG ", createObject('properties', createObject('publicIPAddress', "
                    "createObject('id', parameters('publicIp'))))), " CONFIG ")))))]");
    return taken(&b);
}

static json_t *nic_state(const char *id)
{
    struct strbuf b;
    strbuf_init(&b);
    strbuf_puts(&b, "[reference(");
    quoted(&b, id);
    strbuf_puts(&b, ", '" NETWORK_API "', 'Full')]");
    return taken(&b);
}

static void add_address(json_t *resources, const struct plan *p)
{
    struct print_id nic;
    if (print_id_init(&nic, p->nic_id) < 0)
        return;
    json_t *resource =
        json_pack("{s:s,s:s,s:o,s:s,s:s,s:o}", "type", "Microsoft.Network/networkInterfaces", "apiVersion",
                  NETWORK_API, "name", literal(nic.name), "location", "[parameters('nic').location]", "tags",
                  "[if(contains(parameters('nic'), 'tags'), parameters('nic').tags, json('{}'))]",
                  "properties", nic_properties(p->ip_config));
    json_t *parameters =
        json_pack("{s:{s:s},s:{s:s}}", "nic", "type", "object", "publicIp", "type", "string");
    json_t *nested = deployment("adit-public-ip", &nic, template_of(parameters, json_pack("[o]", resource)));
    json_t *ip = resource_id("Microsoft.Network/publicIPAddresses", p->public_ip, NULL);
    json_t *values =
        json_pack("{s:{s:o},s:{s:O}}", "nic", "value", nic_state(p->nic_id), "publicIp", "value", ip);
    if (json_object_set_new(json_object_get(nested, "properties"), "parameters", values) < 0) {
        json_decref(nested);
        nested = NULL;
    }
    nested = with(nested, "dependsOn", json_pack("[o]", ip));
    json_array_append_new(resources, public_ip(p));
    json_array_append_new(resources, nested);
    print_id_done(&nic);
}

static json_t *extension(const struct plan *p)
{
    return json_pack("{s:s,s:s,s:o,s:o,s:{s:s,s:s,s:s,s:b}}", "type",
                     "Microsoft.Compute/virtualMachines/extensions", "apiVersion", COMPUTE_API, "name",
                     joined(p->vm, PLAN_EXTENSION_NAME), "location", literal(p->location), "properties",
                     "publisher", PLAN_EXTENSION_PUBLISHER, "type", PLAN_EXTENSION_NAME, "typeHandlerVersion",
                     PLAN_EXTENSION_VERSION, "autoUpgradeMinorVersion", 1);
}

static void add_rule(json_t *resources, const struct plan *p, unsigned i)
{
    const struct plan_rule *r = &p->rules[i];
    struct print_id nsg;
    char port[8], name[32];
    if (print_id_init(&nsg, r->nsg_id) < 0)
        return;
    snprintf(port, sizeof port, "%u", p->port);
    snprintf(name, sizeof name, "adit-rule-%u", i + 1);
    json_t *rule =
        json_pack("{s:s,s:s,s:o,s:{s:i,s:s,s:s,s:s,s:o,s:s,s:s,s:s}}", "type",
                  "Microsoft.Network/networkSecurityGroups/securityRules", "apiVersion", NETWORK_API, "name",
                  joined(nsg.name, r->name), "properties", "priority", r->priority, "direction", "Inbound",
                  "access", "Allow", "protocol", "Tcp", "sourceAddressPrefix", literal(r->source),
                  "sourcePortRange", "*", "destinationAddressPrefix", "*", "destinationPortRange", port);
    if (print_id_near(&nsg, p))
        json_array_append_new(resources, rule);
    else
        json_array_append_new(resources,
                              deployment(name, &nsg, template_of(json_object(), json_pack("[o]", rule))));
    print_id_done(&nsg);
}

static void add_login(json_t *resources, const struct plan *p)
{
    char *script = script_key_add(p);
    if (!script)
        return;
    json_t *command = json_pack(
        "{s:s,s:s,s:o,s:o,s:{s:{s:o},s:i}}", "type", "Microsoft.Compute/virtualMachines/runCommands",
        "apiVersion", PRINT_COMMAND_API, "name", joined(p->vm, PRINT_COMMAND_NAME), "location",
        literal(p->location), "properties", "source", "script", literal(script), "timeoutInSeconds", 600);
    if (print_has(p, PREPARE_EXTENSION))
        command = with(command, "dependsOn",
                       json_pack("[o]", resource_id("Microsoft.Compute/virtualMachines/extensions", p->vm,
                                                    PLAN_EXTENSION_NAME)));
    json_array_append_new(resources, command);
    mem_free(script);
}

static size_t resources_wanted(const struct plan *p)
{
    return (print_has(p, PREPARE_ADDRESS) ? 2u : 0) + (print_has(p, PREPARE_EXTENSION) ? 1u : 0) +
           (print_has(p, PREPARE_RULE) ? p->rule_count : 0) + (print_has(p, PREPARE_LOGIN) ? 1u : 0);
}

static json_t *comments(const struct plan *p)
{
    const char *notes[PRINT_NOTES_MAX];
    unsigned n = print_notes(p, notes);
    struct strbuf b;
    strbuf_init(&b);
    for (unsigned i = 0; i < n; i++)
        strbuf_printf(&b, "%s%s", i ? " " : "", notes[i]);
    return taken(&b);
}

static int into_strbuf(const char *text, size_t n, void *arg)
{
    struct strbuf *b = arg;
    strbuf_add(b, text, n);
    return b->bad ? -1 : 0;
}

char *print_arm(const struct plan *p)
{
    json_t *resources = json_array();
    if (print_has(p, PREPARE_ADDRESS))
        add_address(resources, p);
    if (print_has(p, PREPARE_EXTENSION))
        json_array_append_new(resources, extension(p));
    for (unsigned i = 0; print_has(p, PREPARE_RULE) && i < p->rule_count; i++)
        add_rule(resources, p, i);
    if (print_has(p, PREPARE_LOGIN))
        add_login(resources, p);
    bool whole = json_array_size(resources) == resources_wanted(p);
    json_t *t = json_pack("{s:s,s:s,s:{s:o},s:o}", "$schema", PRINT_TEMPLATE_SCHEMA, "contentVersion",
                          "1.0.0.0", "metadata", "comments", comments(p), "resources", resources);
    struct strbuf b;
    strbuf_init(&b);
    if (!t || !whole || json_dump_callback(t, into_strbuf, &b, JSON_INDENT(2)) < 0)
        b.bad = true;
    json_decref(t);
    strbuf_puts(&b, "\n");
    return strbuf_take(&b);
}

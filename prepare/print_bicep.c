/*
 * print_bicep: a plan as a Bicep file for the VM's resource group.
 *
 * As print_arm, with one difference: nested deployments are evaluated from outside (their default scope), so
 * that all expressions are Bicep's. Bicep cannot deploy into another group from the same file in another way:
 * modules are files of their own. Source: "Data types in Bicep" (escapes, raw strings).
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "print.h"
#include "print_text.h"
#include "script.h"

static void value(struct strbuf *b, const char *text)
{
    strbuf_puts(b, "'");
    for (const char *c = text; *c; c++) {
        if (*c == '\'' || *c == '\\' || (*c == '$' && c[1] == '{'))
            strbuf_puts(b, "\\");
        if (*c == '\n')
            strbuf_puts(b, "\\n");
        else if ((unsigned char)*c < 0x20)
            strbuf_printf(b, "\\u{%x}", (unsigned)*c);
        else
            strbuf_add(b, c, 1);
    }
    strbuf_puts(b, "'");
}

static void member(struct strbuf *b, int indent, const char *name, const char *text)
{
    strbuf_printf(b, "%*s%s: ", indent, "", name);
    value(b, text);
    strbuf_puts(b, "\n");
}

/* As lines where nothing in it can end a raw string. */
static void script_member(struct strbuf *b, int indent, const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || text[n - 1] != '\n' || strstr(text, "'''")) {
        member(b, indent, "script", text);
        return;
    }
    strbuf_printf(b, "%*sscript: '''\n%s'''\n", indent, "", text);
}

/* Opens a nested deployment up to the members of its one resource, which are indented by 10. */
static void nested_begin(struct strbuf *b, const char *symbol, const char *name, const struct print_id *where)
{
    strbuf_printf(b, "\nresource %s 'Microsoft.Resources/deployments@" PRINT_DEPLOYMENT_API "' = {\n",
                  symbol);
    member(b, 2, "name", name);
    member(b, 2, "subscriptionId", where->subscription);
    member(b, 2, "resourceGroup", where->group);
    strbuf_puts(b, "  properties: {\n    mode: 'Incremental'\n    template: {\n"
                   "      '$schema': '" PRINT_TEMPLATE_SCHEMA "'\n      contentVersion: '1.0.0.0'\n"
                   "      resources: [\n        {\n");
}

static void nested_end(struct strbuf *b)
{
    strbuf_puts(b, "        }\n      ]\n    }\n  }\n}\n");
}

static void address(struct strbuf *b, const struct plan *p)
{
    struct print_id nic;
    if (print_id_init(&nic, p->nic_id) < 0) {
        b->bad = true;
        return;
    }
    strbuf_puts(b, "\nresource publicIp 'Microsoft.Network/publicIPAddresses@" NETWORK_API "' = {\n");
    member(b, 2, "name", p->public_ip);
    member(b, 2, "location", p->location);
    strbuf_puts(b, "  sku: {\n    name: 'Standard'\n  }\n  properties: {\n"
                   "    publicIPAllocationMethod: 'Static'\n    publicIPAddressVersion: 'IPv4'\n  }\n}\n"
                   "\nresource nic 'Microsoft.Network/networkInterfaces@" NETWORK_API "' existing = {\n");
    member(b, 2, "name", nic.name);
    if (!print_id_near(&nic, p)) {
        strbuf_puts(b, "  scope: resourceGroup(");
        value(b, nic.subscription);
        strbuf_puts(b, ", ");
        value(b, nic.group);
        strbuf_puts(b, ")\n");
    }
    strbuf_puts(b, "}\n");
    nested_begin(b, "nicWithAddress", "adit-public-ip", &nic);
    strbuf_puts(b, "          type: 'Microsoft.Network/networkInterfaces'\n"
                   "          apiVersion: '" NETWORK_API "'\n");
    member(b, 10, "name", nic.name);
    member(b, 10, "location", p->location);
    strbuf_puts(b, "          tags: contains(nic, 'tags') ? nic.tags : {}\n"
                   "          properties: union(nic.properties, {\n"
                   "            ipConfigurations: map(nic.properties.ipConfigurations, config => "
                   "toLower(config.name) == toLower(");
    value(b, p->ip_config);
    strbuf_puts(b, ") ? union(config, { properties: { publicIPAddress: { id: publicIp.id } } }) : config)\n"
                   "          })\n");
    nested_end(b);
    print_id_done(&nic);
}

static void vm(struct strbuf *b, const struct plan *p)
{
    strbuf_puts(b, "\nresource vm 'Microsoft.Compute/virtualMachines@" COMPUTE_API "' existing = {\n");
    member(b, 2, "name", p->vm);
    strbuf_puts(b, "}\n");
}

static void extension(struct strbuf *b, const struct plan *p)
{
    strbuf_puts(b, "\nresource extension 'Microsoft.Compute/virtualMachines/extensions@" COMPUTE_API
                   "' = {\n  parent: vm\n  name: '" PLAN_EXTENSION_NAME "'\n");
    member(b, 2, "location", p->location);
    strbuf_puts(b, "  properties: {\n    publisher: '" PLAN_EXTENSION_PUBLISHER
                   "'\n    type: '" PLAN_EXTENSION_NAME "'\n    typeHandlerVersion: '" PLAN_EXTENSION_VERSION
                   "'\n    autoUpgradeMinorVersion: true\n  }\n}\n");
}

static void rule_properties(struct strbuf *b, int indent, const struct plan *p, const struct plan_rule *r)
{
    strbuf_printf(b, "%*sproperties: {\n%*spriority: %d\n", indent, "", indent + 2, "", r->priority);
    member(b, indent + 2, "direction", "Inbound");
    member(b, indent + 2, "access", "Allow");
    member(b, indent + 2, "protocol", "Tcp");
    member(b, indent + 2, "sourceAddressPrefix", r->source);
    member(b, indent + 2, "sourcePortRange", "*");
    member(b, indent + 2, "destinationAddressPrefix", "*");
    strbuf_printf(b, "%*sdestinationPortRange: '%u'\n%*s}\n", indent + 2, "", p->port, indent, "");
}

static void rule(struct strbuf *b, const struct plan *p, unsigned i)
{
    const struct plan_rule *r = &p->rules[i];
    struct print_id nsg;
    char symbol[32], name[32];
    if (print_id_init(&nsg, r->nsg_id) < 0) {
        b->bad = true;
        return;
    }
    if (print_id_near(&nsg, p)) {
        strbuf_printf(
            b, "\nresource nsg%u 'Microsoft.Network/networkSecurityGroups@" NETWORK_API "' existing = {\n",
            i + 1);
        member(b, 2, "name", nsg.name);
        strbuf_printf(
            b,
            "}\n\nresource rule%u 'Microsoft.Network/networkSecurityGroups/securityRules@" NETWORK_API
            "' = {\n  parent: nsg%u\n",
            i + 1, i + 1);
        member(b, 2, "name", r->name);
        rule_properties(b, 2, p, r);
        strbuf_puts(b, "}\n");
    } else {
        char *path = mem_printf("%s/%s", nsg.name, r->name);
        snprintf(symbol, sizeof symbol, "rule%u", i + 1);
        snprintf(name, sizeof name, "adit-rule-%u", i + 1);
        nested_begin(b, symbol, name, &nsg);
        strbuf_puts(b, "          type: 'Microsoft.Network/networkSecurityGroups/securityRules'\n"
                       "          apiVersion: '" NETWORK_API "'\n");
        member(b, 10, "name", path ? path : "");
        rule_properties(b, 10, p, r);
        nested_end(b);
        b->bad = b->bad || !path;
        mem_free(path);
    }
    print_id_done(&nsg);
}

static void login(struct strbuf *b, const struct plan *p)
{
    char *script = script_key_add(p);
    strbuf_puts(b, "\nresource key 'Microsoft.Compute/virtualMachines/runCommands@" PRINT_COMMAND_API
                   "' = {\n  parent: vm\n  name: '" PRINT_COMMAND_NAME "'\n");
    member(b, 2, "location", p->location);
    strbuf_puts(b, "  properties: {\n    source: {\n");
    script_member(b, 6, script ? script : "");
    strbuf_puts(b, "    }\n    timeoutInSeconds: 600\n  }\n");
    if (print_has(p, PREPARE_EXTENSION))
        strbuf_puts(b, "  dependsOn: [\n    extension\n  ]\n");
    strbuf_puts(b, "}\n");
    b->bad = b->bad || !script;
    mem_free(script);
}

char *print_bicep(const struct plan *p)
{
    const char *notes[PRINT_NOTES_MAX];
    unsigned n = print_notes(p, notes);
    struct strbuf b;
    strbuf_init(&b);
    strbuf_puts(&b, "// What the VM lacks for a tunnel.\n");
    for (unsigned i = 0; i < n; i++)
        strbuf_printf(&b, "// %s\n", notes[i]);
    if (print_has(p, PREPARE_ADDRESS))
        address(&b, p);
    if (print_has(p, PREPARE_EXTENSION) || print_has(p, PREPARE_LOGIN))
        vm(&b, p);
    if (print_has(p, PREPARE_EXTENSION))
        extension(&b, p);
    for (unsigned i = 0; print_has(p, PREPARE_RULE) && i < p->rule_count; i++)
        rule(&b, p, i);
    if (print_has(p, PREPARE_LOGIN))
        login(&b, p);
    return strbuf_take(&b);
}

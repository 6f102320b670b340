/*
 * arm_effective: networkInterfaces/{nic}/effectiveNetworkSecurityGroups: the rules as they are applied, a
 * while after they are asked for.
 *
 * The result's spelling is not that of the rules: names have a folder, "*" is 0.0.0.0/0 or 0-65535 or All, a
 * single port is a range, and tags are spelled out beside.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lro.h"
#include "network.h"
#include "sandbox.h"
#include "vm.h"

static json_t *prefix_text(const char *text)
{
    if (strcmp(text, "*") == 0)
        return json_string("0.0.0.0/0");
    bool address = text[strspn(text, "0123456789.")] == 0;
    return json_sprintf("%s%s", text, address ? "/32" : "");
}

static json_t *ports_text(const char *text)
{
    if (strcmp(text, "*") == 0)
        return json_string("0-65535");
    return strchr(text, '-') ? json_string(text) : json_sprintf("%s-%s", text, text);
}

/* The single member too where there is one value only. */
static void values_add(json_t *out, const json_t *rule, const char *one, const char *several,
                       json_t *(*spell)(const char *))
{
    json_t *values = nsg_values(rule, one, several), *v, *all = json_array();
    size_t i;
    json_array_foreach(values, i, v)
        json_array_append_new(all, spell(json_string_value(v) ? json_string_value(v) : ""));
    if (json_array_size(all) == 1)
        json_object_set(out, one, json_array_get(all, 0));
    json_object_set_new(out, several, all);
    json_decref(values);
}

/* What a tag stands for; only those of the default rules are spelled out here. */
static json_t *expanded(const json_t *rule, const char *member)
{
    const char *tag = json_string_value(json_object_get(rule, member));
    if (tag && strcasecmp(tag, "VirtualNetwork") == 0)
        return json_pack("[s,s,s]", "10.66.0.0/16", "10.98.0.0/15", "168.63.129.16/32");
    if (tag && strcasecmp(tag, "AzureLoadBalancer") == 0)
        return json_pack("[s]", "168.63.129.16/32");
    return NULL;
}

static json_t *effective_rule(const char *folder, const char *name, const json_t *rule)
{
    const char *protocol = json_string_value(json_object_get(rule, "protocol"));
    const char *word = protocol && strcasecmp(protocol, "tcp") == 0   ? "Tcp"
                       : protocol && strcasecmp(protocol, "udp") == 0 ? "Udp"
                                                                      : "All";
    json_t *j = json_pack("{s:o,s:s}", "name", json_sprintf("%s/%s", folder, name), "protocol", word);
    values_add(j, rule, "sourcePortRange", "sourcePortRanges", ports_text);
    values_add(j, rule, "destinationPortRange", "destinationPortRanges", ports_text);
    values_add(j, rule, "sourceAddressPrefix", "sourceAddressPrefixes", prefix_text);
    values_add(j, rule, "destinationAddressPrefix", "destinationAddressPrefixes", prefix_text);
    json_t *from = expanded(rule, "sourceAddressPrefix"), *to = expanded(rule, "destinationAddressPrefix");
    if (from)
        json_object_set_new(j, "expandedSourceAddressPrefix", from);
    if (to)
        json_object_set_new(j, "expandedDestinationAddressPrefix", to);
    json_object_set(j, "access", json_object_get(rule, "access"));
    json_object_set(j, "priority", json_object_get(rule, "priority"));
    json_object_set(j, "direction", json_object_get(rule, "direction"));
    return j;
}

static json_t *group_json(const struct vm *vm, enum nsg_place place)
{
    json_t *rules = json_array(), *rule;
    const char *name;
    json_object_foreach(vm->nsg[place].rules, name, rule)
    {
        const char *state = json_string_value(json_object_get(rule, "provisioningState"));
        if (!state || strcmp(state, "Succeeded") == 0)
            json_array_append_new(rules, effective_rule("securityRules", name, rule));
    }
    for (const struct nsg_default *d = nsg_defaults; d->name; d++) {
        rule = json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s}", "protocol", "*", "access",
                         d->allow ? "Allow" : "Deny", "direction", d->inbound ? "Inbound" : "Outbound",
                         "priority", d->priority, "sourceAddressPrefix", d->from, "sourcePortRange", "*",
                         "destinationAddressPrefix", d->to, "destinationPortRange", "*");
        json_array_append_new(rules, effective_rule("defaultSecurityRules", d->name, rule));
        json_decref(rule);
    }
    bool nic = place == NSG_OF_NIC;
    return json_pack("{s:{s:o},s:{s:{s:o}},s:o}", "networkSecurityGroup", "id", arm_nsg_id(vm, place),
                     "association", nic ? "networkInterface" : "subnet", "id",
                     nic ? network_nic_id(vm, true, false) : network_subnet_id(vm, true),
                     "effectiveSecurityRules", rules);
}

static void effective_work(struct lro *o)
{
    json_t *value = json_array();
    for (int place = NSG_OF_SUBNET; place >= 0 && json_is_true(json_object_get(o->input, "primary")); place--)
        if (o->vm->nsg[place].exists && o->vm->nsg[place].attached)
            json_array_append_new(value, group_json(o->vm, (enum nsg_place)place));
    o->location = json_pack("{s:o}", "value", value);
    lro_finish(o, NULL);
}

void arm_effective_nsgs(struct arm_call *c)
{
    bool primary;
    struct vm *vm = arm_nic(c, &primary);
    if (!vm)
        return;
    if (vm->power != VM_RUNNING) {
        json_t *id = network_nic_id(vm, primary, false);
        arm_error(
            c->r, 400, "NicMustBeAttachedToRunningVmToGetEffectiveSecurityGroups",
            "A network interface must be attached to a running virtual machine to get effective security "
            "groups. The network interface %s is not attached to a running virtual machine.",
            json_string_value(id));
        json_object_set_new(json_object_get(c->r->body, "error"), "details", json_array());
        json_decref(id);
        return;
    }
    struct lro *o = lro_new(c, LRO_RESULT, vm, NULL, effective_work);
    if (o)
        o->input = json_pack("{s:b}", "primary", primary);
}

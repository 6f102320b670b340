/*
 * fake_world: the state of the world and what ARM's documents of it look like.
 */
#include "fake_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_world_private.h"
#include "prepare/nsg.h"

void fake_rule_set(json_t **rules, const char *name, int priority, const char *access, const char *source,
                   const char *port, const char *description)
{
    if (!*rules)
        *rules = json_object();
    json_t *p =
        json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s}", "protocol", "Tcp", "access", access, "direction",
                  "Inbound", "priority", priority, "sourceAddressPrefix", source, "sourcePortRange", "*",
                  "destinationAddressPrefix", "*", "destinationPortRange", port);
    if (description)
        json_object_set_new(p, "description", json_string(description));
    json_object_set_new(*rules, name, p);
}

void fake_world_init(struct fake_world *w)
{
    memset(w, 0, sizeof(*w));
    uv_loop_init(&w->loop);
    if (clock_new(&w->clock, &w->loop))
        abort();
    clock_test_freeze(w->clock, 1000000);
    w->azure = fake_azure_new(w);
    w->id = VM_ID;
    w->exists = w->windows = w->public_ip = w->pip_made = w->key = w->caller_known = true;
    w->sshd_by_extension = true;
    snprintf(w->power, sizeof(w->power), "running");
    snprintf(w->extension, sizeof(w->extension), "Succeeded");
    fake_rule_set(&w->rules, "in-ssh", 300, "Allow", "*", "22", NULL);
}

void fake_world_done(struct fake_world *w)
{
    json_decref(w->rules);
    json_decref(w->subnet_rules);
    free(w->azure);
    clock_close(w->clock, NULL, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&w->loop))
        abort();
}

void fake_world_lack(struct fake_world *w, enum fake_lack what)
{
    switch (what) {
    case LACK_POWER:
        snprintf(w->power, sizeof(w->power), "deallocated");
        break;
    case LACK_ADDRESS:
        w->public_ip = w->pip_made = false;
        break;
    case LACK_EXTENSION:
        w->extension[0] = 0;
        break;
    case LACK_RULE:
        json_object_clear(w->rules);
        break;
    case LACK_KEY:
        w->key = false;
        break;
    case LACKS:
        break;
    }
}

bool fake_world_has(const struct fake_world *w, enum fake_lack what)
{
    switch (what) {
    case LACK_POWER:
        return strcmp(w->power, "running") == 0;
    case LACK_ADDRESS:
        return w->public_ip;
    case LACK_EXTENSION:
        return strcmp(w->extension, "Succeeded") == 0;
    case LACK_RULE:
        return fake_lets_in(w);
    case LACK_KEY:
        return w->key;
    case LACKS:
        break;
    }
    return false;
}

static json_t *default_rules(void)
{
    static const struct {
        const char *name, *access, *from;
        int priority;
    } rows[] = {{"AllowVnetInBound", "Allow", "VirtualNetwork", 65000},
                {"AllowAzureLoadBalancerInBound", "Allow", "AzureLoadBalancer", 65001},
                {"DenyAllInBound", "Deny", "*", 65500}};
    json_t *all = json_array();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        json_array_append_new(
            all, json_pack("{s:s,s:{s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s}}", "name", rows[i].name, "properties",
                           "protocol", "*", "access", rows[i].access, "direction", "Inbound", "priority",
                           rows[i].priority, "sourceAddressPrefix", rows[i].from, "sourcePortRange", "*",
                           "destinationAddressPrefix", "*", "destinationPortRange", "*"));
    return all;
}

json_t *fake_nsg_doc(const char *id, json_t *rules)
{
    json_t *list = json_array(), *p;
    const char *name;
    json_object_foreach(rules, name, p)
        json_array_append_new(list, json_pack("{s:s,s:O}", "name", name, "properties", p));
    return json_pack("{s:s,s:{s:o,s:o}}", "id", id, "properties", "securityRules", list,
                     "defaultSecurityRules", default_rules());
}

static json_t *effective_of(const char *id, json_t *rules)
{
    json_t *doc = fake_nsg_doc(id, rules), *out = json_array(), *r;
    const char *lists[] = {"securityRules", "defaultSecurityRules"};
    for (int k = 0; k < 2; k++) {
        size_t i;
        json_array_foreach(json_object_get(json_object_get(doc, "properties"), lists[k]), i, r)
        {
            json_t *flat = json_copy(json_object_get(r, "properties"));
            json_object_set_new(
                flat, "name", json_sprintf("%s/%s", lists[k], json_string_value(json_object_get(r, "name"))));
            json_array_append_new(out, flat);
        }
    }
    json_decref(doc);
    return json_pack("{s:{s:s},s:o}", "networkSecurityGroup", "id", id, "effectiveSecurityRules", out);
}

json_t *fake_effective_doc(const struct fake_world *w)
{
    json_t *all = json_array();
    if (w->subnet_rules)
        json_array_append_new(all, effective_of(SUBNET_NSG_ID, w->subnet_rules));
    if (w->rules)
        json_array_append_new(all, effective_of(NSG_ID, w->rules));
    return json_pack("{s:o}", "value", all);
}

json_t *fake_vm_doc(const struct fake_world *w)
{
    json_t *resources = json_array();
    if (w->extension[0])
        json_array_append_new(resources, json_pack("{s:s,s:s,s:{s:s,s:s,s:s}}", "name", "WindowsOpenSSH",
                                                   "id", VM_ID "/extensions/WindowsOpenSSH", "properties",
                                                   "publisher", "Microsoft.Azure.OpenSSH", "type",
                                                   "WindowsOpenSSH", "provisioningState", w->extension));
    char power[40];
    snprintf(power, sizeof(power), "PowerState/%s", w->power);
    return json_pack("{s:s,s:s,s:s,s:[s],s:o,s:{s:s,s:{s:{s:s}},s:{s:s},s:{s:[{s:s}]},s:{s:[{s:s},{s:s}]}}}",
                     "id", w->id, "name", "win-new", "location", "westeurope", "zones", "1", "resources",
                     resources, "properties", "vmId", "0c0ffee0-0000-4000-8000-000000000001",
                     "storageProfile", "osDisk", "osType", w->windows ? "Windows" : "Linux", "osProfile",
                     "adminUsername", "ann", "networkProfile", "networkInterfaces", "id", NIC_ID,
                     "instanceView", "statuses", "code", "ProvisioningState/succeeded", "code", power);
}

json_t *fake_pip_doc(const struct fake_world *w)
{
    json_t *p = json_pack("{s:s,s:s*}", "publicIPAllocationMethod", "Static", "ipAddress",
                          w->unallocated ? NULL : "198.51.100.9");
    if (w->public_ip || w->pip_elsewhere)
        json_object_set_new(p, "ipConfiguration",
                            json_pack("{s:s}", "id",
                                      w->pip_elsewhere ? RG
                                          "/Microsoft.Network/networkInterfaces/other/ipConfigurations/a"
                                                       : NIC_ID "/ipConfigurations/ipconfig1"));
    return json_pack("{s:s,s:{s:s},s:o}", "id", PIP_ID, "sku", "name", w->basic ? "Basic" : "Standard",
                     "properties", p);
}

json_t *fake_nic_doc(const struct fake_world *w, bool expand)
{
    json_t *config = json_pack("{s:s,s:s,s:b,s:{s:s}}", "privateIPAddress", "10.0.0.4",
                               "privateIPAddressVersion", "IPv4", "primary", 1, "subnet", "id", SUBNET_ID);
    if (w->public_ip)
        json_object_set_new(config, "publicIPAddress",
                            expand ? fake_pip_doc(w) : json_pack("{s:s}", "id", PIP_ID));
    json_t *p = json_pack("{s:[{s:s,s:o}],s:b}", "ipConfigurations", "name", "ipconfig1", "properties",
                          config, "enableAcceleratedNetworking", 1);
    if (w->rules)
        json_object_set_new(p, "networkSecurityGroup", json_pack("{s:s}", "id", NSG_ID));
    return json_pack("{s:s,s:s,s:s,s:o,s:o}", "id", NIC_ID, "name", "win-new-nic", "location", "westeurope",
                     "etag", json_sprintf("W/\"%u\"", w->etag), "properties", p);
}

bool fake_lets_in(const struct fake_world *w)
{
    const char *ids[] = {NSG_ID, SUBNET_NSG_ID};
    json_t *rules[] = {w->rules, w->subnet_rules};
    bool in = true;
    for (int i = 0; i < 2; i++) {
        struct nsg g;
        if (!rules[i])
            continue;
        json_t *doc = fake_nsg_doc(ids[i], rules[i]);
        /* Twice: an allocation that is made to fail may be this one. */
        if (nsg_from_resource(doc, &g, NULL) < 0 && nsg_from_resource(doc, &g, NULL) < 0)
            abort();
        const struct nsg_rule *by = nsg_judge(&g, CALLER "/32", "10.0.0.4", 22);
        in &= by && by->allow;
        nsg_done(&g);
        json_decref(doc);
    }
    return in;
}

bool fake_sshd_up(const struct fake_world *w)
{
    return strcmp(w->power, "running") == 0 && clock_now(w->clock) >= w->up_at &&
           (!w->windows || !w->sshd_by_extension || strcmp(w->extension, "Succeeded") == 0);
}

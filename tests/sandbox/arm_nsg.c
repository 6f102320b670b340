/*
 * arm_nsg: Microsoft.Network/networkSecurityGroups and their rules; a rule for TCP 22 really opens the VM's
 * door.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lro.h"
#include "sandbox.h"
#include "vm.h"

#define NSG "Microsoft.Network/networkSecurityGroups"

static struct vm *nsg_vm(struct arm_call *c)
{
    char name[120];
    size_t n = strlen(c->args[0]);
    struct vm *vm = NULL;
    if (n > 4 && n < sizeof name && strcasecmp(c->args[0] + n - 4, "-nsg") == 0) {
        snprintf(name, sizeof name, "%.*s", (int)(n - 4), c->args[0]);
        vm = world_machine_find(&c->sb->world, c->subscription->id, c->group, name);
    }
    if (!vm)
        arm_not_found(c, NSG, c->args[0]);
    return vm;
}

static json_t *rule_json(struct vm *vm, const char *name, json_t *properties)
{
    json_t *p = json_copy(properties);
    if (!json_object_get(p, "provisioningState"))
        json_object_set_new(p, "provisioningState", json_string("Succeeded"));
    return json_pack("{s:s,s:o,s:s,s:s,s:o}", "name", name, "id",
                     arm_id(vm, false, NSG, "%s-nsg/securityRules/%s", vm->spec->name, name), "etag",
                     "W/\"5a5b\"", "type", NSG "/securityRules", "properties", p);
}

static json_t *default_rule(struct vm *vm, const char *name, int priority, const char *access,
                            const char *from)
{
    json_t *p =
        json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s}", "provisioningState", "Succeeded", "protocol", "*",
                  "access", access, "direction", "Inbound", "priority", priority, "sourceAddressPrefix", from,
                  "sourcePortRange", "*", "destinationAddressPrefix", "*", "destinationPortRange", "*");
    json_t *j = json_pack("{s:s,s:o,s:s,s:o}", "name", name, "id",
                          arm_id(vm, false, NSG, "%s-nsg/defaultSecurityRules/%s", vm->spec->name, name),
                          "type", NSG "/defaultSecurityRules", "properties", p);
    return j;
}

static json_t *rules_json(struct vm *vm)
{
    json_t *all = json_array(), *rule;
    const char *name;
    json_object_foreach(vm->rules, name, rule) json_array_append_new(all, rule_json(vm, name, rule));
    return all;
}

void arm_nsg_get(struct arm_call *c)
{
    struct vm *vm = nsg_vm(c);
    if (!vm)
        return;
    json_t *defaults =
        json_pack("[o,o,o]", default_rule(vm, "AllowVnetInBound", 65000, "Allow", "VirtualNetwork"),
                  default_rule(vm, "AllowAzureLoadBalancerInBound", 65001, "Allow", "AzureLoadBalancer"),
                  default_rule(vm, "DenyAllInBound", 65500, "Deny", "*"));
    c->r->body =
        json_pack("{s:o,s:o,s:s,s:s,s:s,s:{s:s,s:o,s:o}}", "name", json_sprintf("%s-nsg", vm->spec->name),
                  "id", arm_id(vm, false, NSG, "%s-nsg", vm->spec->name), "etag", "W/\"5a5b\"", "type", NSG,
                  "location", vm->location, "properties", "provisioningState", "Succeeded", "securityRules",
                  rules_json(vm), "defaultSecurityRules", defaults);
}

void arm_rules_list(struct arm_call *c)
{
    struct vm *vm = nsg_vm(c);
    if (vm)
        c->r->body = json_pack("{s:o}", "value", rules_json(vm));
}

/* The rule's own spelling of its name, or NULL. */
static const char *rule_find(struct vm *vm, const char *asked)
{
    const char *name;
    json_t *rule;
    json_object_foreach(vm->rules, name, rule) if (strcasecmp(name, asked) == 0) return name;
    return NULL;
}

void arm_rule_get(struct arm_call *c)
{
    struct vm *vm = nsg_vm(c);
    if (!vm)
        return;
    const char *name = rule_find(vm, c->args[1]);
    if (name)
        c->r->body = rule_json(vm, name, json_object_get(vm->rules, name));
    else
        arm_error(c->r, 404, "NotFound", "Resource %s not found.", c->args[1]);
}

static bool rule_valid(struct arm_call *c, json_t *p)
{
    static const char *const required[] = {"protocol", "access", "direction"};
    for (unsigned i = 0; i < sizeof required / sizeof *required; i++) {
        if (json_is_string(json_object_get(p, required[i])))
            continue;
        arm_error(c->r, 400, "InvalidRequestFormat",
                  "Cannot parse the request: the security rule has no '%s'.", required[i]);
        return false;
    }
    json_int_t priority = json_integer_value(json_object_get(p, "priority"));
    if (priority >= 100 && priority <= 4096)
        return true;
    arm_error(c->r, 400, "SecurityRuleInvalidPriority",
              "Security rule has invalid Priority. Value provided: %d Allowed range 100-4096.",
              (int)priority);
    return false;
}

static bool priority_free(struct arm_call *c, struct vm *vm, json_t *p)
{
    const char *name;
    json_t *rule;
    json_object_foreach(vm->rules, name, rule)
    {
        if (strcasecmp(name, c->args[1]) == 0 ||
            !json_equal(json_object_get(rule, "priority"), json_object_get(p, "priority")))
            continue;
        arm_error(
            c->r, 400, "SecurityRuleConflict",
            "Security rule %s conflicts with rule %s. Rules cannot have the same Priority and Direction.",
            c->args[1], name);
        return false;
    }
    return true;
}

/* For the life of a PUT the rule reads Updating; only then is the door opened. */
static void rule_work(struct lro *o)
{
    struct err err = {0};
    const char *name = json_string_value(json_object_get(o->input, "name"));
    json_t *rule = name ? json_object_get(o->vm->rules, name) : NULL;
    if (rule)
        json_object_set_new(rule, "provisioningState", json_string("Succeeded"));
    vm_update(o->vm, &err);
    lro_finish(o, &err);
}

void arm_rule_put(struct arm_call *c)
{
    struct vm *vm = nsg_vm(c);
    json_t *body = vm ? arm_body(c) : NULL;
    json_t *p = json_object_get(body, "properties");
    if (!body || !rule_valid(c, p) || !priority_free(c, vm, p)) {
        json_decref(body);
        return;
    }
    const char *old = rule_find(vm, c->args[1]), *name = old ? old : c->args[1];
    struct lro *o = lro_new(c, vm, rule_work);
    if (o) {
        o->input = json_pack("{s:s}", "name", name);
        json_object_set_new(p, "provisioningState", json_string("Updating"));
        c->r->status = old ? 200 : 201;
        name = json_string_value(json_object_get(o->input, "name"));
        json_object_set(vm->rules, name, p);
        c->r->body = rule_json(vm, name, p);
    }
    json_decref(body);
}

void arm_rule_delete(struct arm_call *c)
{
    struct vm *vm = nsg_vm(c);
    const char *name = vm ? rule_find(vm, c->args[1]) : NULL;
    if (!vm)
        return;
    if (!name) {
        c->r->status = 204;
        return;
    }
    if (lro_new(c, vm, rule_work))
        json_object_del(vm->rules, name);
}

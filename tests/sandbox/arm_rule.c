/*
 * arm_rule: security rules; what they say is really done to the packets that knock at the VM's door.
 *
 * A rule that is being written reads Updating and does not count yet; one that is being deleted still counts.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lro.h"
#include "sandbox.h"
#include "vm.h"

void arm_rules_list(struct arm_call *c)
{
    enum nsg_place place;
    struct vm *vm = arm_nsg(c, &place);
    if (vm)
        c->r->body = json_pack("{s:o}", "value", arm_rules_json(vm, place));
}

/* The rule's own spelling of its name, or NULL. */
static const char *rule_find(json_t *rules, const char *asked)
{
    const char *name;
    json_t *rule;
    json_object_foreach(rules, name, rule) if (strcasecmp(name, asked) == 0) return name;
    return NULL;
}

void arm_rule_get(struct arm_call *c)
{
    enum nsg_place place;
    struct vm *vm = arm_nsg(c, &place);
    const char *name = vm ? rule_find(vm->nsg[place].rules, c->args[1]) : NULL;
    if (name)
        c->r->body = arm_rule_json(vm, place, name, json_object_get(vm->nsg[place].rules, name));
    else if (vm)
        arm_error(c->r, 404, "NotFound", "Resource %s not found.", c->args[1]);
}

static bool ports_valid(const char *text)
{
    char *end;
    if (strcmp(text, "*") == 0)
        return true;
    unsigned long from = strtoul(text, &end, 10), to = *end == '-' ? strtoul(end + 1, &end, 10) : from;
    return *text >= '0' && *text <= '9' && !*end && from <= to && to <= 65535;
}

/* An address, a prefix whose other bits are 0, a tag (it has a letter and no colon) or "*". */
static bool prefix_valid(const char *text)
{
    char net[INET_ADDRSTRLEN + 1];
    struct in_addr a;
    size_t n = strcspn(text, "/");
    if (strcmp(text, "*") == 0 || strchr(text, ':'))
        return true;
    if (text[strspn(text, "0123456789./")])
        return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.")] == 0;
    long bits = text[n] ? strtol(text + n + 1, NULL, 10) : 32;
    snprintf(net, sizeof net, "%.*s", (int)n, text);
    if (n >= sizeof net || inet_pton(AF_INET, net, &a) != 1 || bits < 0 || bits > 32)
        return false;
    uint32_t mask = bits ? UINT32_MAX << (32 - bits) : 0;
    return (ntohl(a.s_addr) & ~mask) == 0;
}

static bool values_valid(struct arm_call *c, json_t *p, const char *one, const char *several, bool ports)
{
    json_t *all = nsg_values(p, one, several), *v;
    size_t i;
    bool good = true;
    if (json_array_size(all) == 0) {
        good = false;
        arm_error(
            c->r, 400, "SecurityRuleParameterMissing",
            "Required security rule parameters are missing for security rule with Id: %s. Security rule "
            "must specify either %s or %s.",
            c->q->path, several, one);
    }
    json_array_foreach(all, i, v)
    {
        const char *text = json_string_value(v);
        if (text && (ports ? ports_valid(text) : prefix_valid(text)))
            continue;
        good = false;
        if (ports)
            arm_error(
                c->r, 400, "SecurityRuleInvalidPortRange",
                "Security rule has invalid Port range. Value provided: %s. Value should be an integer OR "
                "integer range with '-' delimiter. Valid range 0-65535.",
                text ? text : "");
        else
            arm_error(c->r, 400, "SecurityRuleInvalidAddressPrefix",
                      "Security rule has invalid Address prefix. Value provided: %s", text ? text : "");
    }
    json_decref(all);
    return good;
}

static bool rule_valid(struct arm_call *c, json_t *p)
{
    static const struct {
        const char *name, *words;
    } required[] = {
        {"protocol", "tcp udp icmp esp ah *"}, {"access", "allow deny"}, {"direction", "inbound outbound"}};
    for (unsigned i = 0; i < sizeof required / sizeof *required; i++) {
        const char *word = json_string_value(json_object_get(p, required[i].name));
        if (word && *word && strcasestr(required[i].words, word))
            continue;
        arm_error(c->r, 400, "InvalidRequestFormat",
                  "Cannot parse the request: the security rule has no '%s'.", required[i].name);
        return false;
    }
    json_int_t priority = json_integer_value(json_object_get(p, "priority"));
    if (priority < 100 || priority > 4096) {
        arm_error(c->r, 400, "SecurityRuleInvalidPriority",
                  "Security rule has invalid Priority. Value provided: %d Allowed range 100-4096.",
                  (int)priority);
        return false;
    }
    return values_valid(c, p, "sourcePortRange", "sourcePortRanges", true) &&
           values_valid(c, p, "destinationPortRange", "destinationPortRanges", true) &&
           values_valid(c, p, "sourceAddressPrefix", "sourceAddressPrefixes", false) &&
           values_valid(c, p, "destinationAddressPrefix", "destinationAddressPrefixes", false);
}

static bool priority_free(struct arm_call *c, json_t *rules, json_t *p)
{
    const char *name, *way = json_string_value(json_object_get(p, "direction"));
    json_t *rule;
    json_object_foreach(rules, name, rule)
    {
        const char *other = json_string_value(json_object_get(rule, "direction"));
        if (strcasecmp(name, c->args[1]) == 0 || strcasecmp(other, way) != 0 ||
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

static json_t *rules_of(const struct lro *o)
{
    return o->vm->nsg[json_integer_value(json_object_get(o->input, "place"))].rules;
}

static void state_set(struct lro *o, const char *state)
{
    json_t *rule = json_object_get(rules_of(o), json_string_value(json_object_get(o->input, "name")));
    if (rule)
        json_object_set_new(rule, "provisioningState", json_string(state));
}

static void put_work(struct lro *o)
{
    struct err err = {0};
    state_set(o, "Succeeded");
    vm_update(o->vm, &err);
    lro_finish(o, &err);
}

static void put_spoil(struct lro *o)
{
    state_set(o, "Failed");
}

void arm_rule_put(struct arm_call *c)
{
    enum nsg_place place;
    struct vm *vm = arm_nsg(c, &place);
    json_t *body = vm ? arm_body(c) : NULL, *p = json_object_get(body, "properties");
    json_t *rules = vm ? vm->nsg[place].rules : NULL;
    struct lro *o = body && rule_valid(c, p) && priority_free(c, rules, p)
                        ? lro_new(c, LRO_PUT, vm, &vm->nsg[place], put_work)
                        : NULL;
    if (o) {
        const char *old = rule_find(rules, c->args[1]);
        char name[100];
        snprintf(name, sizeof name, "%s", old ? old : c->args[1]);
        o->spoil = put_spoil;
        o->input = json_pack("{s:s,s:i}", "name", name, "place", (int)place);
        json_object_set_new(p, "provisioningState", json_string("Updating"));
        c->r->status = old ? 200 : 201;
        json_object_set(rules, name, p);
        c->r->body = arm_rule_json(vm, place, name, p);
    }
    json_decref(body);
}

static void delete_work(struct lro *o)
{
    struct err err = {0};
    json_object_del(rules_of(o), json_string_value(json_object_get(o->input, "name")));
    vm_update(o->vm, &err);
    lro_finish(o, &err);
}

static void delete_spoil(struct lro *o)
{
    state_set(o, "Succeeded");
}

void arm_rule_delete(struct arm_call *c)
{
    enum nsg_place place;
    struct vm *vm = arm_nsg(c, &place);
    if (!vm)
        return;
    const char *name = rule_find(vm->nsg[place].rules, c->args[1]);
    struct lro *o = name ? lro_new(c, LRO_ACTION, vm, &vm->nsg[place], delete_work) : NULL;
    if (!name)
        c->r->status = 204;
    if (!o)
        return;
    o->spoil = delete_spoil;
    o->input = json_pack("{s:s,s:i}", "name", name, "place", (int)place);
    state_set(o, "Deleting");
}

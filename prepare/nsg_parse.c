/*
 * nsg_parse: reads the rules of a networkSecurityGroups resource or of an effectiveNetworkSecurityGroups
 * reply.
 *
 * The two differ in where a rule's members are (`properties`, or the rule itself) and in the expanded lists
 * that the latter has beside service tags. Any of "…Prefix", "…Prefixes" may be there, a text or a list. A
 * rule without a name, priority, direction or access makes the document wrong: to leave it out could leave a
 * refusal out.
 */
#include "nsg_parse.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define GROUPS_MAX 64
#define TEXTS_MAX 20000 /* prefixes of one rule: a service tag expands to thousands */

void nsg_rule_done(struct nsg_rule *r)
{
    mem_free(r->name);
    json_decref(r->source);
    json_decref(r->source_ports);
    json_decref(r->ports);
    json_decref(r->destination);
    memset(r, 0, sizeof *r);
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static int list_add(json_t *list, const json_t *value, struct err *err)
{
    size_t i;
    json_t *item;
    int rc = 0;
    if (json_array_size(list) + json_array_size(value) >= TEXTS_MAX)
        return err_set(err, ERR_LIMIT, "a security rule has more than %d prefixes", TEXTS_MAX);
    if (json_is_string(value) && *json_string_value(value))
        rc = json_array_append_new(list, json_string(json_string_value(value)));
    json_array_foreach(value, i, item)
    {
        if (json_is_string(item) && rc == 0)
            rc = json_array_append(list, item);
    }
    return rc ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

/* All texts of the members, singular and plural. */
static int list_new(const json_t *p, const char *const names[], json_t **out, struct err *err)
{
    *out = json_array();
    if (!*out)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; names[i]; i++) {
        int rc = list_add(*out, json_object_get(p, names[i]), err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int lists_read(struct nsg_rule *r, const json_t *p, struct err *err)
{
    static const char *const source[] = {"sourceAddressPrefix", "sourceAddressPrefixes",
                                         "expandedSourceAddressPrefix", NULL};
    static const char *const destination[] = {"destinationAddressPrefix", "destinationAddressPrefixes",
                                              "expandedDestinationAddressPrefix", NULL};
    static const char *const source_ports[] = {"sourcePortRange", "sourcePortRanges", NULL};
    static const char *const ports[] = {"destinationPortRange", "destinationPortRanges", NULL};
    int rc = list_new(p, source, &r->source, err);
    rc = rc ? rc : list_new(p, destination, &r->destination, err);
    rc = rc ? rc : list_new(p, source_ports, &r->source_ports, err);
    return rc ? rc : list_new(p, ports, &r->ports, err);
}

static bool protocol_has_tcp(const char *protocol)
{
    static const char *const names[] = {"Tcp", "*", "All", "Any", "6"};
    for (size_t i = 0; protocol && i < sizeof names / sizeof *names; i++)
        if (strcasecmp(protocol, names[i]) == 0)
            return true;
    return false;
}

static int rule_read(struct nsg_rule *r, const json_t *rule, struct err *err)
{
    const json_t *p = json_object_get(rule, "properties");
    if (!p)
        p = rule;
    const char *name = text_of(rule, "name"), *direction = text_of(p, "direction"),
               *access = text_of(p, "access");
    const json_t *priority = json_object_get(p, "priority");
    json_int_t number = json_integer_value(priority);
    if (!name || !direction || !access || !json_is_integer(priority) || number < 0 || number > 65535)
        return err_set(err, ERR_PROTOCOL,
                       "security rule '%.100s': name, priority, direction or access is missing",
                       name ? name : "");
    const char *slash = strrchr(name, '/');
    r->name = mem_strdup(slash ? slash + 1 : name);
    r->priority = (int)number;
    r->inbound = strcasecmp(direction, "Inbound") == 0;
    r->allow = strcasecmp(access, "Allow") == 0;
    r->tcp = protocol_has_tcp(text_of(p, "protocol"));
    return r->name ? lists_read(r, p, err) : err_set(err, ERR_NOMEM, "out of memory");
}

static int rules_read(struct nsg *g, const json_t *list, struct err *err)
{
    size_t i, more = json_array_size(list);
    const json_t *rule;
    if (list && !json_is_array(list) && !json_is_null(list))
        return err_set(err, ERR_PROTOCOL, "its rules are no list");
    if (more > NSG_RULES_MAX - g->count)
        return err_set(err, ERR_LIMIT, "more than %d security rules", NSG_RULES_MAX);
    if (more == 0)
        return 0;
    struct nsg_rule *rules = mem_realloc(g->rules, (g->count + more) * sizeof *rules);
    if (!rules)
        return err_set(err, ERR_NOMEM, "out of memory");
    g->rules = rules;
    json_array_foreach(list, i, rule)
    {
        struct nsg_rule *r = &g->rules[g->count++];
        memset(r, 0, sizeof *r);
        int rc = rule_read(r, rule, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int by_priority(const void *a, const void *b)
{
    const struct nsg_rule *x = a, *y = b;
    return (x->priority > y->priority) - (x->priority < y->priority);
}

static int group_read(struct nsg *g, const char *id, const json_t *first, const json_t *second,
                      struct err *err)
{
    if (!id)
        return err_set(err, ERR_PROTOCOL, "network security group: it has no id");
    const char *slash = strrchr(id, '/');
    g->id = mem_strdup(id);
    int rc = g->id ? rules_read(g, first, err) : err_set(err, ERR_NOMEM, "out of memory");
    rc = rc ? rc : rules_read(g, second, err);
    if (rc < 0) {
        err_wrap(err, "network security group %.100s", slash ? slash + 1 : id);
        return rc;
    }
    if (g->count)
        qsort(g->rules, g->count, sizeof *g->rules, by_priority);
    return 0;
}

int nsg_from_resource(const struct json_t *resource, struct nsg *out, struct err *err)
{
    const json_t *p = json_object_get(resource, "properties");
    memset(out, 0, sizeof *out);
    int rc = group_read(out, text_of(resource, "id"), json_object_get(p, "securityRules"),
                        json_object_get(p, "defaultSecurityRules"), err);
    if (rc < 0)
        nsg_done(out);
    return rc;
}

int nsg_from_effective(const struct json_t *reply, struct nsg **out, size_t *count, struct err *err)
{
    const json_t *value = json_object_get(reply, "value"), *group;
    size_t i, n = json_array_size(value);
    int rc = 0;
    *out = NULL;
    *count = 0;
    if (!json_is_array(value))
        return err_set(err, ERR_PROTOCOL, "effective security groups: the answer holds no list");
    if (n > GROUPS_MAX)
        return err_set(err, ERR_LIMIT, "effective security groups: more than %d", GROUPS_MAX);
    struct nsg *groups = mem_calloc(n ? n : 1, sizeof *groups);
    if (!groups)
        return err_set(err, ERR_NOMEM, "effective security groups: out of memory");
    json_array_foreach(value, i, group)
    {
        const json_t *self = json_object_get(group, "networkSecurityGroup");
        rc = group_read(&groups[i], text_of(self, "id"), json_object_get(group, "effectiveSecurityRules"),
                        NULL, err);
        if (rc < 0)
            break;
    }
    if (rc < 0) {
        for (i = 0; i < n; i++)
            nsg_done(&groups[i]);
        mem_free(groups);
        return rc;
    }
    *out = groups;
    *count = n;
    return 0;
}

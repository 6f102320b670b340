/*
 * arm_nic: the parser of a network interface's reply.
 */
#include "arm_nic.h"

#include "facts_build.h"

/* Which ipConfiguration is the primary one: the one that says so, else the first. */
static size_t primary_of(const json_t *configurations)
{
    size_t i;
    json_t *item;
    json_array_foreach(configurations, i, item)
    {
        if (json_is_true(json_object_get(json_object_get(item, "properties"), "primary")))
            return i;
    }
    return 0;
}

int arm_nic_parse(struct resolver_facts *facts, const json_t *json, bool primary_nic, struct err *err)
{
    const json_t *configurations = json_object_get(json_object_get(json, "properties"), "ipConfigurations");
    size_t i, primary = primary_of(configurations);
    json_t *item;
    if (!json_is_object(json))
        return err_set(err, ERR_PROTOCOL, "ARM's answer is no network interface");
    json_array_foreach(configurations, i, item)
    {
        const json_t *p = json_object_get(item, "properties");
        const json_t *pip = json_object_get(json_object_get(p, "publicIPAddress"), "properties");
        if (facts_address_add(facts, facts_text(pip, "ipAddress"), true, primary_nic, i == primary) ||
            facts_address_add(facts, facts_text(p, "privateIPAddress"), false, primary_nic, i == primary))
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return 0;
}

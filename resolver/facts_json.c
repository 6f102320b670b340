/*
 * facts_json: a VM's facts as `adit resolve --json` prints them.
 */
#include <jansson.h>

#include "facts.h"

static const char *source_name(enum resolver_source s)
{
    return s == RESOLVER_SOURCE_ARM ? "arm" : s == RESOLVER_SOURCE_GRAPH ? "resource-graph" : "cache";
}

static json_t *addresses_of(const struct resolver_facts *f)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < f->address_count; i++) {
        const struct resolver_address *a = &f->addresses[i];
        json_t *item = json_pack("{s:s, s:b, s:s, s:b, s:b}", "ip", a->ip, "public", a->is_public, "family",
                                 a->is_ipv6 ? "ipv6" : "ipv4", "primary_nic", a->primary_nic, "primary_ip",
                                 a->primary_ip);
        if (json_array_append_new(list, item)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *resolver_facts_to_json(const struct resolver_facts *f)
{
    json_t *addresses = addresses_of(f);
    if (!addresses)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:s?, s:o, s:s, s:I}", "id", f->id,
                     "vm_id", f->vm_id, "name", f->name, "group", f->group, "subscription", f->subscription,
                     "location", f->location, "admin_user", f->admin_user, "os", resolver_os_name(f->os),
                     "power", resolver_power_name(f->power), "provisioning", f->provisioning, "addresses",
                     addresses, "source", source_name(f->source), "fetched_ms",
                     (json_int_t)f->fetched_wall_ms);
}

/*
 * facts_json: a VM's facts as `adit resolve --json` prints them, and as the cache on disk holds them.
 */
#include <jansson.h>
#include <stdio.h>

#include "facts_build.h"

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
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:s?, s:o, s:s, s:I, s:s?}", "id", f->id,
                     "vm_id", f->vm_id, "name", f->name, "group", f->group, "subscription", f->subscription,
                     "location", f->location, "admin_user", f->admin_user, "os", resolver_os_name(f->os),
                     "power", resolver_power_name(f->power), "provisioning", f->provisioning, "addresses",
                     addresses, "source", source_name(f->source), "fetched_ms",
                     (json_int_t)f->fetched_wall_ms, "unconfirmed", f->unconfirmed);
}

static int addresses_read(struct resolver_facts *f, const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (facts_address_add(f, facts_text(item, "ip"), json_is_true(json_object_get(item, "public")),
                              json_is_true(json_object_get(item, "primary_nic")),
                              json_is_true(json_object_get(item, "primary_ip"))))
            return ERR_NOMEM;
    }
    facts_address_sort(f);
    return 0;
}

int facts_of_json(struct resolver_facts **out, const json_t *json, struct err *err)
{
    struct resolver_facts *f;
    char power[64];
    json_int_t fetched = json_integer_value(json_object_get(json, "fetched_ms"));
    int rc = facts_new(&f, facts_text(json, "id"), RESOLVER_SOURCE_CACHE, err);
    if (rc)
        return rc;
    const char *word = facts_text(json, "power");
    snprintf(power, sizeof(power), "PowerState/%s", word ? word : "");
    f->power = facts_power_of(power);
    f->os = facts_os_of(facts_text(json, "os"));
    f->fetched_wall_ms = fetched > 0 ? (uint64_t)fetched : 0;
    if (facts_keep(&f->vm_id, facts_text(json, "vm_id")) ||
        facts_keep(&f->location, facts_text(json, "location")) ||
        facts_keep(&f->admin_user, facts_text(json, "admin_user")) ||
        facts_keep(&f->provisioning, facts_text(json, "provisioning")) ||
        addresses_read(f, json_object_get(json, "addresses"))) {
        resolver_facts_unref(f);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    *out = f;
    return 0;
}

/*
 * arm_public_ip: Microsoft.Network/publicIPAddresses: those of the VMs, and others that are made and taken
 * away.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lro.h"
#include "network.h"
#include "sandbox.h"
#include "vm.h"

#define IP "Microsoft.Network/publicIPAddresses"

/* The ipConfiguration that has it, or false. */
static bool config_of(const struct public_ip *ip, struct network_config *out)
{
    struct network_config all[NETWORK_CONFIGS_MAX];
    unsigned count = ip->vm ? network_configs(ip->vm, all) : 0;
    for (unsigned i = 0; i < count; i++) {
        if (all[i].ip != ip)
            continue;
        *out = all[i];
        return true;
    }
    return false;
}

static json_t *properties(bool ipv6, bool fixed, const char *address, const char *state)
{
    json_t *p = json_pack("{s:s,s:s,s:s,s:i,s:[]}", "provisioningState", state, "publicIPAddressVersion",
                          ipv6 ? "IPv6" : "IPv4", "publicIPAllocationMethod", fixed ? "Static" : "Dynamic",
                          "idleTimeoutInMinutes", 4, "ipTags");
    if (*address)
        json_object_set_new(p, "ipAddress", json_string(address));
    return p;
}

static json_t *document(const char *name, json_t *id, const char *location, bool standard, json_t *p)
{
    return json_pack("{s:s,s:o,s:s,s:o,s:s,s:s,s:{s:s,s:s}}", "name", name, "id", id, "etag", "W/\"5a5b\"",
                     "properties", p, "type", IP, "location", location, "sku", "name",
                     standard ? "Standard" : "Basic", "tier", "Regional");
}

static json_t *ip_json(const struct public_ip *ip)
{
    json_t *p = properties(false, ip->fixed, ip->address, ip->state);
    struct network_config n;
    bool used = config_of(ip, &n);
    if (used)
        json_object_set_new(p, "ipConfiguration", json_pack("{s:o}", "id", network_config_id(ip->vm, &n)));
    json_t *id = used ? network_public_id(ip->vm, &n)
                      : json_sprintf("/subscriptions/%s/resourceGroups/%s/providers/" IP "/%s",
                                     ip->subscription, ip->group, ip->name);
    return document(ip->name, id, ip->location, ip->standard, p);
}

json_t *arm_public_ip_json(struct vm *vm, const struct network_config *n)
{
    if (n->ip && !vm->spec->uniform)
        return ip_json(n->ip);
    bool fixed = !n->ip || n->ip->fixed;
    json_t *p = properties(n->ipv6, fixed, n->public_address, "Succeeded");
    json_object_set_new(p, "ipConfiguration", json_pack("{s:o}", "id", network_config_id(vm, n)));
    if (!vm->spec->uniform)
        return document(n->public, network_public_id(vm, n), vm->location, fixed, p);
    return json_pack("{s:s,s:o,s:s,s:o}", "name", n->public, "id", network_public_id(vm, n), "etag",
                     "W/\"5a5b\"", "properties", p); /* the paths of scale sets have an older shape */
}

/* args[0], in the group of the path; those of Uniform instances are elsewhere. */
static struct public_ip *ip_find(const struct arm_call *c)
{
    struct public_ip *ip = public_ip_find(c->sb, c->subscription->id, c->group, c->args[0]);
    return ip && ip->vm && ip->vm->spec->uniform ? NULL : ip;
}

void arm_public_ip_get(struct arm_call *c)
{
    struct network_config all[NETWORK_CONFIGS_MAX];
    struct public_ip *ip = ip_find(c);
    struct vm *sixth = network_vm(c, c->args[0], "-ip6");
    unsigned count = sixth && !sixth->spec->uniform ? network_configs(sixth, all) : 0;
    for (unsigned i = 0; i < count && !c->r->body; i++)
        if (all[i].ipv6)
            c->r->body = arm_public_ip_json(sixth, &all[i]);
    if (ip)
        c->r->body = ip_json(ip);
    if (!c->r->body)
        arm_not_found(c, IP, c->args[0]);
}

void arm_public_ips_list(struct arm_call *c)
{
    json_t *all = json_array();
    struct public_ip *ip;
    list_each(ip, &c->sb->world.ips, struct public_ip, node)
    {
        if (strcasecmp(ip->subscription, c->subscription->id) == 0 && strcasecmp(ip->group, c->group) == 0 &&
            !(ip->vm && ip->vm->spec->uniform))
            json_array_append_new(all, ip_json(ip));
    }
    arm_page_send(c, all);
}

static struct public_ip *ip_of(const struct lro *o)
{
    const char *group = json_string_value(json_object_get(o->input, "group"));
    return public_ip_find(o->sb, o->subscription, group,
                          json_string_value(json_object_get(o->input, "name")));
}

static void put_work(struct lro *o)
{
    struct public_ip *ip = ip_of(o);
    struct err err = {0};
    if (ip) {
        ip->state = "Succeeded";
        if (ip->fixed)
            public_ip_allocate(o->sb, ip, &err);
    }
    lro_finish(o, &err);
}

static void put_spoil(struct lro *o)
{
    struct public_ip *ip = ip_of(o);
    if (ip)
        ip->state = "Failed";
}

static bool is_word(const json_t *of, const char *member, const char *word)
{
    const char *text = json_string_value(json_object_get(of, member));
    return text && strcasecmp(text, word) == 0;
}

static bool body_valid(struct arm_call *c, const json_t *body)
{
    const json_t *p = json_object_get(body, "properties");
    bool standard = is_word(json_object_get(body, "sku"), "name", "Standard");
    if (!json_is_string(json_object_get(body, "location")))
        arm_error(c->r, 400, "LocationRequired", "The location property is required for this definition.");
    else if (is_word(p, "publicIPAddressVersion", "IPv6"))
        arm_error(c->r, 400, "InvalidRequestFormat", "IPv6 addresses cannot be made in the sandbox.");
    else if (standard && !is_word(p, "publicIPAllocationMethod", "Static"))
        arm_error(c->r, 400, "StandardSkuPublicIPAddressMustBeStatic",
                  "Standard sku publicIp %s must have AllocationMethod set to Static.", c->q->path);
    else
        return true;
    return false;
}

void arm_public_ip_put(struct arm_call *c)
{
    json_t *body = arm_body(c), *p = json_object_get(body, "properties");
    struct public_ip *ip = ip_find(c);
    bool fresh = !ip;
    struct lro *o =
        body && body_valid(c, body) ? lro_new(c, LRO_PUT, ip ? ip->vm : NULL, ip, put_work) : NULL;
    if (o && fresh && !(ip = public_ip_new(c->sb, c->subscription->id, c->group, c->args[0])))
        arm_error(c->r, 503, "ServiceUnavailable", "The sandbox is out of memory.");
    if (o)
        o->input = json_pack("{s:s,s:s}", "group", c->group, "name", c->args[0]);
    if (o && ip) {
        o->spoil = put_spoil;
        o->target = ip;
        ip->state = "Updating";
        if (fresh) { /* of one that exists neither may change */
            ip->fixed = is_word(p, "publicIPAllocationMethod", "Static");
            ip->standard = is_word(json_object_get(body, "sku"), "name", "Standard");
            snprintf(ip->location, sizeof ip->location, "%.60s",
                     json_string_value(json_object_get(body, "location")));
        }
        c->r->status = fresh ? 201 : 200;
        c->r->body = ip_json(ip);
    }
    json_decref(body);
}

static void delete_work(struct lro *o)
{
    struct public_ip *ip = ip_of(o);
    if (ip && !ip->vm)
        public_ip_delete(o->sb, ip);
    lro_finish(o, NULL);
}

void arm_public_ip_delete(struct arm_call *c)
{
    struct public_ip *ip = ip_find(c);
    struct network_config n;
    if (!ip) {
        c->r->status = 204;
        return;
    }
    if (config_of(ip, &n)) {
        json_t *id = network_config_id(ip->vm, &n);
        arm_error(
            c->r, 400, "PublicIPAddressCannotBeDeleted",
            "Public IP address %s can not be deleted since it is still allocated to resource %s. In order "
            "to delete the public IP, disassociate/detach the Public IP address from the resource.",
            c->q->path, json_string_value(id));
        json_decref(id);
        return;
    }
    struct lro *o = lro_new(c, LRO_ACTION, NULL, ip, delete_work);
    if (o)
        o->input = json_pack("{s:s,s:s}", "group", ip->group, "name", ip->name);
}

/*
 * arm_list: subscriptions, resource groups, and the lists of what is in them, in pages.
 */
#include <string.h>
#include <strings.h>

#include "sandbox.h"
#include "vm.h"

static json_t *subscription_json(const struct arm_call *c, const struct world_subscription *s)
{
    return json_pack("{s:o,s:s,s:s,s:s,s:s,s:s}", "id", json_sprintf("/subscriptions/%s", s->id),
                     "subscriptionId", s->id, "displayName", s->name, "state", "Enabled", "tenantId",
                     token_tenant_of(c->sb, s), "authorizationSource", "RoleBased");
}

void arm_subscriptions_list(struct arm_call *c)
{
    json_t *all = json_array();
    const struct world_file *f = c->sb->world.file;
    for (unsigned i = 0; i < f->subscriptions_count; i++)
        json_array_append_new(all, subscription_json(c, &f->subscriptions[i]));
    arm_page_send(c, all);
}

void arm_subscription_get(struct arm_call *c)
{
    c->r->body = subscription_json(c, c->subscription);
}

static json_t *group_json(const struct arm_call *c, const char *name)
{
    return json_pack("{s:o,s:s,s:s,s:s,s:{s:s}}", "id",
                     json_sprintf("/subscriptions/%s/resourceGroups/%s", c->subscription->id, name), "name",
                     name, "type", "Microsoft.Resources/resourceGroups", "location", "westeurope",
                     "properties", "provisioningState", "Succeeded");
}

void arm_group_get(struct arm_call *c)
{
    c->r->body = group_json(c, c->group);
}

void arm_groups_list(struct arm_call *c)
{
    json_t *all = json_array();
    const struct world *w = &c->sb->world;
    for (unsigned i = 0; i < w->vms_count; i++) {
        const char *group = w->vms[i].spec->group;
        bool seen = strcasecmp(w->vms[i].subscription, c->subscription->id) != 0;
        for (unsigned k = 0; k < i && !seen; k++)
            seen = strcasecmp(w->vms[k].spec->group, group) == 0 &&
                   strcasecmp(w->vms[k].subscription, c->subscription->id) == 0;
        if (!seen)
            json_array_append_new(all, group_json(c, group));
    }
    arm_page_send(c, all);
}

static bool vm_in_scope(const struct arm_call *c, const struct vm *vm)
{
    return !vm->spec->uniform && strcasecmp(vm->subscription, c->subscription->id) == 0 &&
           (!c->group || strcasecmp(vm->spec->group, c->group) == 0);
}

/* With statusOnly the platform sends the instance view and leaves most of the model out; the id is in
 * capitals. */
void arm_vms_list(struct arm_call *c)
{
    const char *only = http_query(c->q, "statusOnly");
    bool status = only && strcasecmp(only, "true") == 0;
    json_t *all = json_array();
    for (unsigned i = 0; i < c->sb->world.vms_count; i++)
        if (vm_in_scope(c, &c->sb->world.vms[i]))
            json_array_append_new(all, arm_vm_json(&c->sb->world.vms[i], status, true));
    arm_page_send(c, all);
}

void arm_nics_list(struct arm_call *c)
{
    json_t *all = json_array();
    for (unsigned i = 0; i < c->sb->world.vms_count; i++) {
        struct vm *vm = &c->sb->world.vms[i];
        if (!vm_in_scope(c, vm))
            continue;
        json_array_append_new(all, arm_nic_json(vm, true, false, false));
        if (vm->spec->decoy_nic)
            json_array_append_new(all, arm_nic_json(vm, false, false, false));
    }
    arm_page_send(c, all);
}

/*
 * public_ip: keeps the public addresses, and the VMs' `address` in step with them.
 */
#include "public_ip.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "sandbox.h"
#include "vm.h"

static void mirror(struct vm *vm)
{
    snprintf(vm->address, sizeof vm->address, "%s", vm->ip ? vm->ip->address : "");
}

int public_ip_init(struct vm *vm, struct err *err)
{
    const struct world_vm *s = vm->spec;
    struct public_ip *ip = &vm->own_ip;
    *ip = (struct public_ip){.subscription = vm->subscription,
                             .group = s->group,
                             .fixed = s->public_ip == PUBLIC_STATIC,
                             .standard = s->public_ip == PUBLIC_STATIC,
                             .state = "Succeeded"};
    list_init(&ip->node);
    snprintf(ip->name, sizeof ip->name, "%s-ip", s->name);
    snprintf(ip->location, sizeof ip->location, "%.60s", vm->location);
    if (s->public_ip == PUBLIC_NONE)
        return 0;
    list_push(&vm->sb->world.ips, &ip->node);
    ip->vm = vm;
    vm->ip = ip;
    bool now = ip->fixed || vm->power != VM_DEALLOCATED;
    return now ? public_ip_allocate(vm->sb, ip, err) : 0;
}

struct public_ip *public_ip_find(const struct sandbox *sb, const char *subscription, const char *group,
                                 const char *name)
{
    struct public_ip *ip;
    list_each(ip, &sb->world.ips, struct public_ip, node)
    {
        if (strcasecmp(ip->name, name) == 0 && strcasecmp(ip->group, group) == 0 &&
            strcasecmp(ip->subscription, subscription) == 0)
            return ip;
    }
    return NULL;
}

struct public_ip *public_ip_by_id(const struct sandbox *sb, const char *id)
{
    char subscription[64], group[100], name[100];
    int end = 0;
    if (sscanf(id, "/%*[^/]/%63[^/]/%*[^/]/%99[^/]/%*[^/]/%*[^/]/%*[^/]/%99[^/]%n", subscription, group, name,
               &end) != 3 ||
        id[end] || !strcasestr(id, "/providers/Microsoft.Network/publicIPAddresses/"))
        return NULL;
    return public_ip_find(sb, subscription, group, name);
}

struct public_ip *public_ip_new(struct sandbox *sb, const char *subscription, const char *group,
                                const char *name)
{
    struct public_ip *ip = mem_zalloc(sizeof *ip);
    if (!ip)
        return NULL;
    snprintf(ip->name, sizeof ip->name, "%s", name);
    ip->subscription = subscription;
    ip->group = group;
    ip->made = true;
    list_init(&ip->node);
    list_push(&sb->world.ips, &ip->node);
    return ip;
}

void public_ip_delete(struct sandbox *sb, struct public_ip *ip)
{
    if (*ip->address)
        address_public_give(&sb->addresses, ip->address);
    ip->address[0] = 0;
    list_remove(&ip->node);
    if (ip->made)
        mem_free(ip);
}

void public_ip_all_free(struct sandbox *sb)
{
    struct public_ip *ip;
    list_each(ip, &sb->world.ips, struct public_ip, node)
    {
        list_remove(&ip->node);
        if (ip->made)
            mem_free(ip);
    }
}

int public_ip_allocate(struct sandbox *sb, struct public_ip *ip, struct err *err)
{
    int rc = 0;
    if (!*ip->address && ip->vm && ip->vm->spec->synthetic)
        vm_synthetic_address(ip->vm, ip->address);
    else if (!*ip->address)
        rc = address_public_take(&sb->addresses, ip->address, err);
    if (ip->vm)
        mirror(ip->vm);
    return rc;
}

void public_ip_release(struct sandbox *sb, struct public_ip *ip)
{
    if (ip->fixed || !*ip->address)
        return;
    if (!ip->vm || !ip->vm->spec->synthetic)
        address_public_give(&sb->addresses, ip->address);
    ip->address[0] = 0;
    if (ip->vm)
        mirror(ip->vm);
}

int public_ip_attach(struct vm *vm, struct public_ip *ip, struct err *err)
{
    if (vm->ip && vm->ip != ip) {
        public_ip_release(vm->sb, vm->ip);
        vm->ip->vm = NULL;
    }
    vm->ip = ip;
    if (ip)
        ip->vm = vm;
    int rc = ip && vm->power != VM_DEALLOCATED ? public_ip_allocate(vm->sb, ip, err) : 0;
    mirror(vm);
    return rc;
}

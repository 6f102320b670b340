/*
 * snapshot: one member a VM (power, addresses, groups and rules, extensions, run commands, keys) and one a
 * public IP.
 */
#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "sandbox.h"
#include "vm.h"

#define KEYS_MAX (1U << 20)

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of its authorized_keys, sorted. */
static json_t *keys_json(const struct vm *vm)
{
    char path[VM_DIR_LEN + 24], *text = NULL, *lines[1000];
    size_t len, n = 0;
    json_t *all = json_array();
    snprintf(path, sizeof path, "%s/authorized_keys", vm->dir);
    if (vm->spec->synthetic || fs_read(path, KEYS_MAX, &text, &len, NULL))
        return all;
    char *save = NULL;
    for (char *p = strtok_r(text, "\n", &save); p && n < 1000; p = strtok_r(NULL, "\n", &save))
        lines[n++] = p;
    qsort(lines, n, sizeof *lines, by_text);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(all, json_string(lines[i]));
    mem_free(text);
    return all;
}

/* Groups that the VM has, attached or not. */
static json_t *groups_json(const struct vm *vm)
{
    json_t *all = json_object();
    for (unsigned i = 0; i < NSG_PLACES; i++) {
        if (!vm->nsg[i].exists)
            continue;
        json_t *name = nsg_name(vm->spec, (enum nsg_place)i);
        json_object_set_new(
            all, json_string_value(name),
            json_pack("{s:b,s:O}", "attached", vm->nsg[i].attached, "rules", vm->nsg[i].rules));
        json_decref(name);
    }
    return all;
}

static json_t *commands_json(const struct vm *vm)
{
    json_t *all = json_object(), *command;
    const char *name;
    json_object_foreach(vm->commands, name, command)
    {
        json_t *own = json_copy(command);
        json_object_del(own, "instanceView");
        json_object_set_new(all, name, own);
    }
    return all;
}

static json_t *vm_json(const struct vm *vm)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:O,s:o,s:o}", "power", vm_power_name(vm), "vmId", vm->vm_id,
                     "address", vm->address, "privateAddress", vm->private_address, "publicIp",
                     vm->ip ? vm->ip->name : "", "networkSecurityGroups", groups_json(vm), "extensions",
                     vm->extensions, "runCommands", commands_json(vm), "keys", keys_json(vm));
}

char *snapshot_text(struct sandbox *sb)
{
    json_t *vms = json_object(), *ips = json_object();
    const char *first = sb->world.file->subscriptions[0].id;
    char key[300];
    for (unsigned i = 0; i < sb->world.vms_count; i++) {
        const struct vm *vm = &sb->world.vms[i];
        bool plain = strcmp(vm->subscription, first) == 0;
        snprintf(key, sizeof key, "%s%s%s/%s", plain ? "" : vm->subscription, plain ? "" : "/",
                 vm->spec->group, vm->spec->name);
        json_object_set_new(vms, key, vm_json(vm));
    }
    struct public_ip *ip;
    list_each(ip, &sb->world.ips, struct public_ip, node)
    {
        bool plain = strcmp(ip->subscription, first) == 0;
        snprintf(key, sizeof key, "%s%s%s/%s", plain ? "" : ip->subscription, plain ? "" : "/", ip->group,
                 ip->name);
        json_object_set_new(ips, key,
                            json_pack("{s:s,s:s,s:s,s:s,s:s}", "sku", ip->standard ? "Standard" : "Basic",
                                      "method", ip->fixed ? "Static" : "Dynamic", "address", ip->address,
                                      "state", ip->state, "vm", ip->vm ? ip->vm->spec->name : ""));
    }
    json_t *j = json_pack("{s:o,s:o}", "vms", vms, "publicIPAddresses", ips);
    char *text = json_dumps(j, JSON_SORT_KEYS | JSON_INDENT(2));
    json_decref(j);
    return text;
}

/*
 * world: looks things up by name, without case.
 */
#include "world.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "vm.h"

const struct world_subscription *world_subscription_find(const struct world *w, const char *id)
{
    for (unsigned i = 0; i < w->file->subscriptions_count; i++)
        if (strcasecmp(w->file->subscriptions[i].id, id) == 0)
            return &w->file->subscriptions[i];
    return NULL;
}

const char *world_group_find(const struct world *w, const char *subscription, const char *group)
{
    for (unsigned i = 0; i < w->vms_count; i++)
        if (strcasecmp(w->vms[i].spec->group, group) == 0 &&
            strcasecmp(w->vms[i].subscription, subscription) == 0)
            return w->vms[i].spec->group;
    return NULL;
}

struct vm *world_machine_find(const struct world *w, const char *subscription, const char *group,
                              const char *name)
{
    for (unsigned i = 0; i < w->vms_count; i++) {
        struct vm *vm = &w->vms[i];
        if (strcasecmp(vm->spec->name, name) == 0 && strcasecmp(vm->spec->group, group) == 0 &&
            strcasecmp(vm->subscription, subscription) == 0)
            return vm;
    }
    return NULL;
}

struct vm *world_vm_find(const struct world *w, const char *subscription, const char *group, const char *name)
{
    struct vm *vm = world_machine_find(w, subscription, group, name);
    return vm && !vm->spec->uniform ? vm : NULL;
}

struct vm *world_instance_find(const struct world *w, const char *subscription, const char *group,
                               const char *set, const char *instance)
{
    for (unsigned i = 0; i < w->vms_count; i++) {
        struct vm *vm = &w->vms[i];
        if (vm->spec->uniform && strcasecmp(vm->spec->scale_set, set) == 0 &&
            strcasecmp(vm->spec->group, group) == 0 && strcasecmp(vm->subscription, subscription) == 0 &&
            strcmp(vm_instance(vm), instance) == 0)
            return vm;
    }
    return NULL;
}

static bool word_fits(const struct vm *vm, const char *word)
{
    const char *slash = strchr(word, '/');
    if (!slash)
        return strcasecmp(vm->spec->name, word) == 0 ||
               (vm->spec->alias && strcmp(vm->spec->alias, word) == 0);
    size_t n = (size_t)(slash - word);
    return strlen(vm->spec->group) == n && strncasecmp(vm->spec->group, word, n) == 0 &&
           strcasecmp(vm->spec->name, slash + 1) == 0;
}

int world_vm_by_word(const struct world *w, const char *word, struct vm **out, struct err *err)
{
    *out = NULL;
    for (unsigned i = 0; i < w->vms_count; i++) {
        struct vm *vm = &w->vms[i];
        if (!word_fits(vm, word))
            continue;
        if (*out)
            return err_set(err, ERR_AMBIGUOUS, "vm %s is both %s/%s and %s/%s; write the group too", word,
                           (*out)->spec->group, (*out)->spec->name, vm->spec->group, vm->spec->name);
        *out = vm;
    }
    if (!*out)
        return err_set(err, ERR_NOTFOUND, "no vm %s in this world; `status` lists them", word);
    return 0;
}

void world_uuid(char out[WORLD_UUID_LEN])
{
    unsigned char b[16];
    ssize_t n = getrandom(b, sizeof b, 0);
    assert(n == (ssize_t)sizeof b);
    (void)n;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, WORLD_UUID_LEN, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

/*
 * world_scale: makes a large fleet: synthetic VMs spread over subscriptions, made of numbers alone.
 *
 * VM n (from 1) is named vmN with at least four digits and lives in the subscription number 1 + (n - 1) mod
 * M, there in the group rg-fleet-NUMBER. Every tenth runs Windows. What it makes belongs to the file, which
 * is freed with its memory.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define WINDOWS_EACH 10

const char world_scale_text[] = "tenant: 72f988bf-0000-4000-8000-5a5b0c0ffee0\n"
                                "client: 1fec8e78-0000-4000-8000-5a5b0c0ffee1\n"
                                "secret: sandbox~secret~not~for~Azure\n"
                                "subscriptions:\n"
                                "  - {id: 5ab00000-0000-4000-8000-000000000001, name: Sandbox}\n";

static int subscriptions_add(struct world_file *f, unsigned wanted, struct err *err)
{
    if (f->subscriptions_count >= wanted)
        return 0;
    struct world_subscription *all = mem_realloc(f->subscriptions, wanted * sizeof *all);
    if (!all)
        return err_set(err, ERR_NOMEM, "out of memory");
    f->subscriptions = all;
    while (f->subscriptions_count < wanted) {
        unsigned n = f->subscriptions_count + 1;
        all[f->subscriptions_count++] = (struct world_subscription){
            .id = mem_printf("5ab00000-0000-4000-8000-0000000f%04x", n), .name = mem_printf("Sandbox %u", n)};
        if (!all[n - 1].id || !all[n - 1].name)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return 0;
}

int world_file_scale(struct world_file *f, unsigned count, unsigned subscriptions, struct err *err)
{
    if (count == 0)
        return 0;
    if (count > WORLD_SCALE_MAX || subscriptions > WORLD_SUBSCRIPTIONS_MAX)
        return err_set(err, ERR_LIMIT, "a world has at most %d VMs and %d subscriptions", WORLD_SCALE_MAX,
                       WORLD_SUBSCRIPTIONS_MAX);
    unsigned over = subscriptions ? subscriptions : f->subscriptions_count;
    int rc = subscriptions_add(f, over, err);
    if (rc)
        return rc;
    struct world_vm *all = mem_realloc(f->vms, (f->vms_count + count) * sizeof *all);
    if (!all)
        return err_set(err, ERR_NOMEM, "out of memory");
    f->vms = all;
    for (unsigned n = 1; n <= count; n++) {
        unsigned at = (n - 1) % over;
        struct world_vm *vm = &all[f->vms_count++];
        *vm = (struct world_vm){.name = mem_printf("vm%04u", n),
                                .group = mem_printf("rg-fleet-%u", at + 1),
                                .subscription = mem_strdup(f->subscriptions[at].id),
                                .os = n % WINDOWS_EACH == 0 ? OS_WINDOWS : OS_LINUX,
                                .synthetic = true};
        if (!vm->name || !vm->group || !vm->subscription)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return 0;
}

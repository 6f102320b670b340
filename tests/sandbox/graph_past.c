/*
 * graph_past: remembers what the VMs were like, so that Resource Graph can be as far behind as it is told.
 *
 * While it is behind, every VM is looked at ten times a second and its changes are kept with their time. A
 * VM that changes more often than is kept loses its oldest states.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "graph.h"
#include "sandbox.h"
#include "vm.h"

#define SAMPLE_MS 100
#define KEPT 12

struct vm_past {
    unsigned count;
    struct {
        uint64_t at_ms;
        struct graph_view view;
    } seen[KEPT]; /* oldest first */
};

static struct graph_view view_now(const struct vm *vm)
{
    struct graph_view v = {.power = vm_power_name(vm)};
    snprintf(v.vm_id, sizeof v.vm_id, "%s", vm->vm_id);
    snprintf(v.address, sizeof v.address, "%s", vm->address);
    return v;
}

static bool same(const struct graph_view *a, const struct graph_view *b)
{
    return strcmp(a->power, b->power) == 0 && strcmp(a->vm_id, b->vm_id) == 0 &&
           strcmp(a->address, b->address) == 0;
}

static void look_at(struct vm *vm)
{
    if (!vm->past)
        vm->past = mem_zalloc(sizeof *vm->past);
    struct vm_past *p = vm->past;
    struct graph_view v = view_now(vm);
    if (!p || (p->count && same(&p->seen[p->count - 1].view, &v)))
        return;
    if (p->count == KEPT)
        memmove(p->seen, p->seen + 1, --p->count * sizeof *p->seen);
    p->seen[p->count].at_ms = uv_now(&vm->sb->loop);
    p->seen[p->count++].view = v;
}

static void on_sample(uv_timer_t *t)
{
    struct sandbox *sb = t->data;
    for (unsigned i = 0; i < sb->world.vms_count; i++)
        look_at(&sb->world.vms[i]);
}

static void on_closed(uv_handle_t *h)
{
    mem_free(h);
}

void graph_past_end(struct sandbox *sb)
{
    sb->arm.stale_ms = 0;
    if (sb->arm.sampler)
        uv_close((uv_handle_t *)sb->arm.sampler, on_closed);
    sb->arm.sampler = NULL;
    for (unsigned i = 0; i < sb->world.vms_count; i++) {
        mem_free(sb->world.vms[i].past);
        sb->world.vms[i].past = NULL;
    }
}

void graph_past_set(struct sandbox *sb, uint64_t ms)
{
    if (ms == 0) {
        graph_past_end(sb);
        return;
    }
    sb->arm.stale_ms = ms;
    if (sb->arm.sampler)
        return;
    sb->arm.sampler = mem_zalloc(sizeof *sb->arm.sampler);
    if (!sb->arm.sampler)
        return;
    uv_timer_init(&sb->loop, sb->arm.sampler);
    sb->arm.sampler->data = sb;
    uv_timer_start(sb->arm.sampler, on_sample, SAMPLE_MS, SAMPLE_MS);
    on_sample(sb->arm.sampler);
}

/* The newest state that is old enough; before there was one, the oldest that is known. */
struct graph_view graph_past_view(const struct vm *vm)
{
    const struct vm_past *p = vm->past;
    uint64_t now = uv_now(&vm->sb->loop);
    if (!p || p->count == 0)
        return view_now(vm);
    unsigned i = p->count - 1;
    while (i > 0 && p->seen[i].at_ms + vm->sb->arm.stale_ms > now)
        i--;
    return p->seen[i].view;
}

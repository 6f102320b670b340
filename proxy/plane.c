/*
 * plane: the shared state of one worker, its limits, and its orderly end.
 *
 *   running ─plane_close─▶ stopping (no listeners; flows may end) ─grace over, or no flow left─▶ closing (VMs
 * dropped) ─last connection closed─▶ askpass closed ─▶ cb
 */
#include "plane.h"

#include <assert.h>

#include "base/mem.h"
#include "listener.h"
#include "via.h"
#include "vm.h"

static void on_unpause(struct ready *r)
{
    struct plane *p = container_of(r, struct plane, unpause);
    struct list now;
    list_init(&now);
    list_splice(&now, &p->paused);
    struct list *node;
    while ((node = list_pop(&now)) != NULL)
        listener_offer(container_of(node, struct listener_socket, paused));
}

static void on_tick(struct timer *t)
{
    struct plane *p = container_of(t, struct plane, tick);
    timer_start(&p->tick, PLANE_TICK_MS);
    if (!list_empty(&p->paused))
        ready_push(p->o.ready, &p->unpause);
    if (!backoff_nap_check(&p->nap, clock_wall_ms(), clock_now(p->o.clock), PLANE_TICK_MS))
        return;
    struct vm *vm;
    list_each(vm, &p->vms, struct vm, node) vm_woke(vm);
}

static void askpass_closed(void *arg)
{
    struct plane *p = arg;
    p->askpass = NULL;
    p->closed_cb(p->closed_arg);
}

static void on_all_gone(struct ready *r)
{
    struct plane *p = container_of(r, struct plane, closed);
    if (!list_empty(&p->vms) || p->flows > 0)
        return; /* told again when the last one goes */
    timer_stop(&p->tick);
    ready_cancel(&p->unpause);
    if (p->askpass)
        ssh_askpass_close(p->askpass, askpass_closed, p);
    else
        p->closed_cb(p->closed_arg);
}

static void close_all(struct plane *p)
{
    if (p->closing)
        return;
    p->closing = true;
    timer_stop(&p->grace);
    via_close_all(p);
    struct vm *vm;
    list_each(vm, &p->vms, struct vm, node) vm_drop(vm);
    ready_push(p->o.ready, &p->closed);
}

static void on_grace(struct timer *t)
{
    close_all(container_of(t, struct plane, grace));
}

static void check_end(struct plane *p)
{
    if (p->stopping && !p->closing && p->flows == 0)
        timer_start(&p->grace, 0);
    if (p->closing)
        ready_push(p->o.ready, &p->closed);
}

int plane_init(struct plane *p, const struct plane_options *options, struct err *err)
{
    *p = (struct plane){.o = *options};
    p->scratch = mem_alloc(PLANE_SCRATCH);
    if (!p->scratch)
        return err_set(err, ERR_NOMEM, "out of memory");
    chunk_pool_init(&p->chunks, options->buffer_max / CHUNK_SIZE, 64);
    list_init(&p->questions);
    list_init(&p->vms);
    list_init(&p->vias);
    list_init(&p->paused);
    list_init(&p->greetings);
    ready_init(&p->unpause, on_unpause);
    ready_init(&p->closed, on_all_gone);
    timer_init(&p->tick, options->clock, on_tick);
    timer_init(&p->grace, options->clock, on_grace);
    backoff_nap_check(&p->nap, clock_wall_ms(), clock_now(options->clock), PLANE_TICK_MS);
    timer_start(&p->tick, PLANE_TICK_MS);
    /* Without an asker nobody can be asked; authentication says so when it comes to that. */
    if (ssh_askpass_new(&p->askpass, options->loop, NULL) < 0)
        p->askpass = NULL;
    return 0;
}

void plane_close(struct plane *p, uint32_t grace_ms, void (*cb)(void *arg), void *arg)
{
    assert(!p->stopping);
    p->stopping = true;
    p->closed_cb = cb;
    p->closed_arg = arg;
    struct vm *vm;
    list_each(vm, &p->vms, struct vm, node) vm_stop_listening(vm);
    if (timer_start(&p->grace, p->flows > 0 ? grace_ms : 0) < 0)
        close_all(p);
}

void plane_done(struct plane *p)
{
    chunk_pool_done(&p->chunks);
    mem_free(p->scratch);
}

struct vm *plane_vm(const struct plane *p, uint64_t id)
{
    struct vm *vm;
    list_each(vm, &p->vms, struct vm, node)
    {
        if (vm->id == id && !vm->dropped)
            return vm;
    }
    return NULL;
}

bool plane_flow_begin(struct plane *p)
{
    if (p->flows >= p->o.flows_max)
        return false;
    p->flows++;
    return true;
}

void plane_flow_end(struct plane *p)
{
    p->flows--;
    if (!list_empty(&p->paused))
        ready_push(p->o.ready, &p->unpause);
    check_end(p);
}

void plane_vm_gone(struct plane *p)
{
    check_end(p);
}

/*
 * via: a flow between a channel of the VM in between and a socket pair, whose far end is handed out.
 *
 *   via_open ─▶ TRYING address 1 ─refused─▶ TRYING address 2 ─▶ … ─▶ open(err)
 *                  │ channel open                    │
 *                  └──────────▶ OPEN ◀───────────────┘ ─▶ ended
 *
 * The far end is made with the flow and kept until the channel is open, so that nobody writes into a stream
 * that may never come to be. A refusal by one address moves on to the next; a failure of the VM in between
 * ends it.
 */
#include "via.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "flow.h"
#include "vm.h"

struct via {
    struct plane *plane;
    uint64_t vm;
    struct dial_address addresses[DIAL_ADDRESSES_MAX];
    size_t count, index;
    uint32_t deadline_ms;
    struct flow *flow;
    int far; /* −1 once handed out */
    bool open;
    struct flow_counters counters;
    const struct via_events *events;
    void *arg;
};

static const struct flow_events flow_events;

static void via_free(struct via *v)
{
    if (v->far >= 0)
        close(v->far);
    mem_free(v);
}

static int via_depth(const struct plane *plane, uint64_t id)
{
    int depth = 0;
    for (const struct vm *vm = plane_vm(plane, id); vm && vm->via; vm = plane_vm(plane, vm->via))
        if (++depth > VM_VIA_DEPTH_MAX)
            break;
    return depth;
}

static int via_try(struct via *v, struct err *err)
{
    struct vm *vm = plane_vm(v->plane, v->vm);
    if (!vm)
        return err_set(err, ERR_UNAVAILABLE, "the VM in between was removed");
    if (via_depth(v->plane, v->vm) > VM_VIA_DEPTH_MAX)
        return err_set(err, ERR_INVAL, "via: the VMs lead in a circle, or through more than %d",
                       VM_VIA_DEPTH_MAX);
    int r = vm_check(vm, err);
    if (r < 0)
        return r;
    uv_os_sock_t fds[2];
    r = uv_socketpair(SOCK_STREAM, 0, fds, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE);
    if (r < 0)
        return err_uv(err, r, "socket pair");
    const struct dial_address *to = &v->addresses[v->index];
    struct flow_options options = {
        .vm = vm,
        .cls = POOL_UNKNOWN,
        .target = {.kind = SSH_TARGET_TCP, .host = to->host, .port = to->port},
        .wait_ms = v->deadline_ms,
        .open_ms = v->deadline_ms,
        .counters = &v->counters,
        .events = &flow_events,
        .arg = v,
    };
    r = flow_of_fd(&v->flow, &options, fds[0], err);
    if (r < 0) {
        close(fds[0]);
        close(fds[1]);
        return r;
    }
    v->far = fds[1];
    r = flow_start(v->flow, err);
    if (r < 0) {
        flow_close(v->flow);
        v->flow = NULL;
        close(v->far);
        v->far = -1;
    }
    return r;
}

static void on_flow_opened(void *arg)
{
    struct via *v = arg;
    int fd = v->far;
    v->far = -1;
    v->open = true;
    v->events->open(v->arg, fd, v->index, NULL);
}

static void via_name(const struct via *v, struct err *err)
{
    const struct vm *vm = plane_vm(v->plane, v->vm);
    /* What failed it for good is final for that VM, not for those behind it. */
    if (vm && vm->state == PROXY_VM_FAILED)
        err->code = ERR_UNAVAILABLE;
    err_wrap(err, "via %s", vm && vm->config ? vm->config->alias : "another VM");
}

static void on_flow_ended(void *arg, const struct err *err, bool told)
{
    (void)told;
    struct via *v = arg;
    v->flow = NULL;
    struct err why = {0};
    if (err) {
        why = *err;
        via_name(v, &why);
    }
    if (v->open) {
        void (*ended)(void *, const struct err *) = v->events->ended;
        void *owner = v->arg;
        via_free(v);
        ended(owner, why.code ? &why : NULL);
        return;
    }
    if (v->far >= 0)
        close(v->far);
    v->far = -1;
    if (why.code == ERR_REFUSED && ++v->index < v->count) {
        struct err next = {0};
        if (via_try(v, &next) == 0)
            return;
        err_copy(&why, &next, ERR_SYSTEM);
        via_name(v, &why);
    }
    if (why.code == 0)
        err_set(&why, ERR_CLOSED, "the channel closed at once");
    void (*failed)(void *, int, size_t, const struct err *) = v->events->open;
    void *owner = v->arg;
    via_free(v);
    failed(owner, -1, 0, &why);
}

static const struct flow_events flow_events = {.opened = on_flow_opened, .ended = on_flow_ended};

int via_open(struct via **out, struct plane *plane, uint64_t vm, const struct dial_address *addresses,
             size_t count, uint32_t deadline_ms, const struct via_events *events, void *arg, struct err *err)
{
    struct via *v = mem_zalloc(sizeof *v);
    if (!v)
        return err_set(err, ERR_NOMEM, "out of memory");
    v->plane = plane;
    v->vm = vm;
    v->far = -1;
    v->count = count < DIAL_ADDRESSES_MAX ? count : DIAL_ADDRESSES_MAX;
    memcpy(v->addresses, addresses, v->count * sizeof *addresses);
    v->deadline_ms = deadline_ms;
    v->events = events;
    v->arg = arg;
    int r = via_try(v, err);
    if (r < 0) {
        if (err)
            via_name(v, err);
        via_free(v);
        return r;
    }
    *out = v;
    return 0;
}

void via_close(struct via *v)
{
    if (v->flow)
        flow_close(v->flow);
    via_free(v);
}

/*
 * apply: from one configuration to the next without touching what did not change.
 *
 *   diff ─▶ TRIM: what goes lets go of its listeners (removed, moved, changed VMs) ─all answered─▶ SET: what
 * is new or changed binds its own ─all answered─▶ done
 *
 * Two steps, because a port may pass from one VM to another, on another worker. Operations that come between
 * the two wait for the second. Failures to listen do not stop it: the first is told, with how many more there
 * were.
 */
#include "base/mem.h"
#include "front.h"

struct apply {
    struct proxy_req req;
    const struct config *config;
    bool setting; /* the second step */
};

static void mark(struct front_vm *vm, unsigned dirty)
{
    vm->dirty |= dirty;
}

/* Gives an entry another configuration; the entry keeps its own when there is no memory. */
static void give_config(struct apply *a, struct front_vm *vm, const struct config_vm *config)
{
    struct config_vm *copy;
    if (config_vm_copy(config, &copy) < 0) {
        struct err err = {0};
        err_set(&err, ERR_NOMEM, "vm %s: out of memory", config->alias);
        request_failed(&a->req, &err);
        return;
    }
    enum config_change change = config_vm_change(vm->config, copy);
    mark(vm, change == CONFIG_VM_REACH_CHANGED ? FRONT_DIRTY_SET | FRONT_DIRTY_REACH : FRONT_DIRTY_SET);
    if (vm->config->up != copy->up)
        vm->wanted = copy->up;
    config_vm_free(vm->config);
    vm->config = copy;
}

static void removed(struct apply *a, struct front_vm *vm)
{
    vm->configured = false;
    vm->order = CONFIG_VMS_MAX + ++a->req.proxy->next_order;
    /* What was added at run time stays, and what others go through. */
    if (!list_empty(&vm->runtimes) || table_is_via(vm)) {
        struct config_vm bare = *vm->config;
        bare.forward_count = 0;
        vm->adhoc = !list_empty(&vm->runtimes);
        vm->wanted = vm->adhoc && vm->wanted;
        give_config(a, vm, &bare);
        return;
    }
    if (vm->placed)
        front_post_drop(vm, &a->req);
    table_remove(vm);
}

static void added(struct apply *a, const struct config_vm *config)
{
    struct front_vm *vm = table_find(a->req.proxy, config->alias);
    if (vm) { /* known from run time */
        vm->wanted = vm->wanted || config->up;
        bool wanted = vm->wanted;
        give_config(a, vm, config);
        vm->wanted = wanted;
    } else {
        struct config_vm *copy;
        struct err err = {0};
        if (config_vm_copy(config, &copy) < 0) {
            err_set(&err, ERR_NOMEM, "vm %s: out of memory", config->alias);
            request_failed(&a->req, &err);
            return;
        }
        if (table_add(a->req.proxy, copy, &vm, &err) < 0) {
            request_failed(&a->req, &err);
            return;
        }
        vm->wanted = config->up;
        mark(vm, FRONT_DIRTY_SET);
    }
    vm->configured = true;
    vm->adhoc = false;
}

static void on_change(void *arg, enum config_change change, const struct config_vm *before,
                      const struct config_vm *after)
{
    struct apply *a = arg;
    struct front_vm *vm = table_find(a->req.proxy, before ? before->alias : after->alias);
    switch (change) {
    case CONFIG_VM_SAME:
        break;
    case CONFIG_VM_REMOVED:
        if (vm)
            removed(a, vm);
        break;
    case CONFIG_VM_ADDED:
        added(a, after);
        break;
    case CONFIG_VM_REACH_CHANGED:
    case CONFIG_VM_FORWARDS_CHANGED:
        if (vm)
            give_config(a, vm, after);
        break;
    }
}

/* Every VM's way may have changed with another's: a VM follows the one that it goes through. */
static void route_all(struct apply *a)
{
    struct front_vm *vm;
    list_each(vm, &a->req.proxy->vms, struct front_vm, node)
    {
        bool moved = false;
        struct err err = {0};
        unsigned from = vm->worker;
        if (!vm->config->via && vm->placed) {
            vm->via = 0;
            continue;
        }
        if (table_route(vm, &moved, &err) < 0) {
            request_failed(&a->req, &err);
            vm->dirty = 0;
        } else if (moved) {
            unsigned to = vm->worker;
            vm->worker = from;
            front_post_drop(vm, &a->req);
            vm->worker = to;
            mark(vm, FRONT_DIRTY_SET | FRONT_DIRTY_MOVE);
        }
    }
}

/* Entries that only served as a way to others, and do so no longer. One may have led through the next. */
static void sweep(struct apply *a)
{
    bool again = true;
    while (again) {
        again = false;
        struct front_vm *vm;
        list_each(vm, &a->req.proxy->vms, struct front_vm, node)
        {
            if (vm->configured || vm->adhoc || vm->wanted || vm->dialled || !list_empty(&vm->runtimes) ||
                table_is_via(vm))
                continue;
            if (vm->placed)
                front_post_drop(vm, &a->req);
            table_remove(vm);
            again = true;
        }
    }
}

static void set_all(struct apply *a)
{
    struct proxy *p = a->req.proxy;
    a->setting = true;
    a->req.pending = 1;
    struct front_vm *vm;
    list_each(vm, &p->vms, struct front_vm, node)
    {
        if (!vm->dirty && !vm->listen_failed)
            continue;
        vm->listen_failed = false;
        vm->placed = front_post_set(vm, (vm->dirty & FRONT_DIRTY_REACH) ? MAIL_REACH_CHANGED : 0, &a->req);
        struct front_runtime *r;
        if (vm->dirty & FRONT_DIRTY_MOVE)
            list_each(r, &vm->runtimes, struct front_runtime, node)
                front_post_forward(vm, MAIL_FORWARD_ADD, &r->spec, MAIL_RUNTIME, 0, NULL);
        vm->dirty = 0;
    }
    p->applying = false;
    request_run_deferred(p);
    request_answered(&a->req);
}

static void answered(struct apply *a)
{
    if (a->setting)
        request_answered(&a->req);
    else if (--a->req.pending == 1)
        set_all(a);
}

static void on_mail(struct proxy_req *r, struct proxy_mail *m)
{
    struct apply *a = (struct apply *)r;
    if (m->err.code) {
        request_failed(r, &m->err);
        struct front_vm *vm = table_by_id(r->proxy, m->vm);
        if (vm && a->setting)
            vm->listen_failed = true;
    }
    answered(a);
}

static void run(struct proxy_req *r)
{
    struct apply *a = (struct apply *)r;
    struct proxy *p = r->proxy;
    p->applying = true;
    const struct config *before = p->config;
    p->config = config_ref(a->config);
    r->pending = 2; /* one is ours for this step, one for the next */
    config_diff(before, a->config, on_change, a);
    config_unref(before);
    for (size_t i = 0; i < a->config->vm_count; i++) {
        struct front_vm *vm = table_find(p, a->config->vms[i].alias);
        if (vm)
            vm->order = i;
    }
    route_all(a);
    sweep(a);
    struct front_vm *vm;
    list_each(vm, &p->vms, struct front_vm, node)
    {
        if (vm->placed && (vm->dirty & FRONT_DIRTY_SET) && !(vm->dirty & FRONT_DIRTY_MOVE))
            front_post_set(vm, MAIL_TRIM, r);
    }
    r->pending--;
    if (r->pending == 1)
        set_all(a);
}

static void drop(struct proxy_req *r)
{
    struct apply *a = (struct apply *)r;
    config_unref(a->config);
    mem_free(a);
}

int proxy_apply(struct proxy *p, const struct config *c, proxy_done_cb cb, void *arg, struct proxy_req **out,
                struct err *err)
{
    struct apply *a = mem_zalloc(sizeof *a);
    if (!a)
        return err_set(err, ERR_NOMEM, "out of memory");
    a->config = config_ref(c);
    a->req.run = run;
    a->req.mail = on_mail;
    a->req.deliver = request_deliver_done;
    a->req.drop = drop;
    a->req.cb.done = cb;
    a->req.arg = arg;
    return request_submit(p, &a->req, out, err);
}

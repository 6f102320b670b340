/*
 * proxy_vm: the user wants a VM up, or down.
 */
#include "base/mem.h"
#include "front.h"

struct vm_request {
    struct proxy_req req;
    struct config_vm *vm; /* up */
    char *alias;
    bool adhoc;
    uint32_t deadline_ms;
};

static void drop(struct proxy_req *r)
{
    struct vm_request *v = (struct vm_request *)r;
    config_vm_free(v->vm);
    mem_free(v->alias);
    mem_free(v);
}

static void fail(struct proxy_req *r, const struct err *err)
{
    request_failed(r, err);
    request_answered(r);
}

/* An up that cannot come true leaves nothing behind of a VM that only it asked for. */
static void on_up(struct proxy_req *r, struct proxy_mail *m)
{
    struct vm_request *v = (struct vm_request *)r;
    struct front_vm *vm = table_find(r->proxy, v->alias);
    if (m->err.code)
        request_failed(r, &m->err);
    if (m->err.code && !err_is_transient(m->err.code) && vm)
        table_collect(vm);
    request_answered(r);
}

/* Enters the VM, or brings what is known of it up to date. */
static int enter(struct vm_request *v, struct front_vm **out, unsigned *flags, struct err *err)
{
    struct proxy *p = v->req.proxy;
    struct front_vm *vm = table_find(p, v->alias);
    struct config_vm *config = v->vm;
    v->vm = NULL;
    if (!vm) {
        int r = table_add(p, config, &vm, err);
        if (r < 0)
            return r;
        vm->adhoc = v->adhoc;
    } else if (vm->configured && v->adhoc) {
        config_vm_free(config);
    } else {
        if (config_vm_change(vm->config, config) == CONFIG_VM_REACH_CHANGED)
            *flags |= MAIL_REACH_CHANGED;
        config_vm_free(vm->config);
        vm->config = config;
        vm->adhoc = vm->configured ? false : v->adhoc;
    }
    bool moved = false;
    int r = table_route(vm, &moved, err);
    if (r < 0 && !vm->placed)
        table_remove(vm);
    *out = vm;
    return r;
}

static void run_up(struct proxy_req *r)
{
    struct vm_request *v = (struct vm_request *)r;
    struct err err = {0};
    struct front_vm *vm;
    unsigned flags = 0;
    if (enter(v, &vm, &flags, &err) < 0) {
        fail(r, &err);
        return;
    }
    vm->wanted = true;
    vm->listen_failed = false;
    vm->placed = front_post_set(vm, flags, NULL) || vm->placed;
    front_post_up(vm, v->deadline_ms, r);
    request_answered(r);
}

int proxy_vm_up(struct proxy *p, const struct config_vm *vm, bool adhoc, uint32_t deadline_ms,
                proxy_done_cb cb, void *arg, struct proxy_req **out, struct err *err)
{
    struct vm_request *v = mem_zalloc(sizeof *v);
    if (!v)
        return err_set(err, ERR_NOMEM, "out of memory");
    v->req.run = run_up;
    v->req.mail = on_up;
    v->req.deliver = request_deliver_done;
    v->req.drop = drop;
    v->req.cb.done = cb;
    v->req.arg = arg;
    v->adhoc = adhoc;
    v->deadline_ms = deadline_ms;
    v->alias = mem_strdup(vm->alias);
    if (!v->alias || config_vm_copy(vm, &v->vm) < 0) {
        v->vm = NULL;
        drop(&v->req);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    return request_submit(p, &v->req, out, err);
}

static void run_down(struct proxy_req *r)
{
    struct vm_request *v = (struct vm_request *)r;
    struct front_vm *vm = table_find(r->proxy, v->alias);
    if (!vm) {
        struct err err = {0};
        err_set(&err, ERR_NOTFOUND, "no VM %s is known here; `adit status` shows those that are", v->alias);
        fail(r, &err);
        return;
    }
    vm->wanted = false;
    if (!table_is_via(vm))
        front_forget_keys(vm);
    if (!vm->configured && !table_is_via(vm)) {
        front_post_drop(vm, r);
        table_remove(vm);
    } else {
        front_post_set(vm, 0, r);
    }
    request_answered(r);
}

int proxy_vm_down(struct proxy *p, const char *alias, proxy_done_cb cb, void *arg, struct proxy_req **out,
                  struct err *err)
{
    struct vm_request *v = mem_zalloc(sizeof *v);
    if (!v)
        return err_set(err, ERR_NOMEM, "out of memory");
    v->req.run = run_down;
    v->req.deliver = request_deliver_done;
    v->req.drop = drop;
    v->req.cb.done = cb;
    v->req.arg = arg;
    v->alias = mem_strdup(alias);
    if (!v->alias) {
        drop(&v->req);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    return request_submit(p, &v->req, out, err);
}

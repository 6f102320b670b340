/*
 * proxy_forward: forwards that come and go at run time.
 */
#include "base/mem.h"
#include "front.h"

struct forward_request {
    struct proxy_req req;
    char *alias;
    struct forward_spec spec;
    uint32_t deadline_ms;
    char *listening;
};

static void drop(struct proxy_req *r)
{
    struct forward_request *f = (struct forward_request *)r;
    forward_spec_done(&f->spec);
    mem_free(f->alias);
    mem_free(f->listening);
    mem_free(f);
}

static struct front_vm *find(struct forward_request *f)
{
    struct front_vm *vm = table_find(f->req.proxy, f->alias);
    if (!vm) {
        struct err err = {0};
        err_set(&err, ERR_NOTFOUND, "no VM %s is known here; `adit status` shows those that are", f->alias);
        request_failed(&f->req, &err);
    }
    return vm;
}

/* A runtime forward that is no more; the VM may have been there for it alone. */
static void forget(struct forward_request *f)
{
    struct front_vm *vm = table_find(f->req.proxy, f->alias);
    if (!vm)
        return;
    table_runtime_remove(vm, &f->spec);
    table_collect(vm);
}

static void on_added(struct proxy_req *r, struct proxy_mail *m)
{
    struct forward_request *f = (struct forward_request *)r;
    if (m->err.code) {
        request_failed(r, &m->err);
        forget(f);
    } else {
        f->listening = m->text;
        m->text = NULL;
    }
    request_answered(r);
}

static void run_add(struct proxy_req *r)
{
    struct forward_request *f = (struct forward_request *)r;
    struct front_vm *vm = find(f);
    struct err err = {0};
    if (vm && list_count(&vm->runtimes) >= CONFIG_FORWARDS_MAX) {
        err_set(&err, ERR_LIMIT, "vm %s has %d forwards added at run time already", f->alias,
                CONFIG_FORWARDS_MAX);
        request_failed(r, &err);
    } else if (vm && table_runtime_add(vm, &f->spec) < 0) {
        err_set(&err, ERR_NOMEM, "out of memory");
        request_failed(r, &err);
    } else if (vm) {
        front_post_forward(vm, MAIL_FORWARD_ADD, &f->spec, 0, f->deadline_ms, r);
    }
    request_answered(r);
}

static void deliver_add(struct proxy_req *r)
{
    struct forward_request *f = (struct forward_request *)r;
    r->cb.forward(r->arg, r->failures ? NULL : f->listening, r->failures ? &r->err : NULL);
}

static void on_canceled(struct proxy_req *r, struct proxy_mail *m)
{
    if (m->err.code)
        request_failed(r, &m->err);
    else
        forget((struct forward_request *)r);
    request_answered(r);
}

static void run_cancel(struct proxy_req *r)
{
    struct forward_request *f = (struct forward_request *)r;
    struct front_vm *vm = find(f);
    if (vm)
        front_post_forward(vm, MAIL_FORWARD_CANCEL, &f->spec, 0, 0, r);
    request_answered(r);
}

static struct forward_request *request_new(const char *alias, const struct forward_spec *spec, void *arg,
                                           struct err *err)
{
    struct forward_request *f = mem_zalloc(sizeof *f);
    if (!f) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    f->req.drop = drop;
    f->req.arg = arg;
    f->alias = mem_strdup(alias);
    if (!f->alias || forward_spec_copy(&f->spec, spec) < 0) {
        mem_free(f->alias);
        mem_free(f);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    return f;
}

int proxy_forward_add(struct proxy *p, const char *alias, const struct forward_spec *spec,
                      uint32_t deadline_ms, proxy_forward_cb cb, void *arg, struct proxy_req **out,
                      struct err *err)
{
    struct forward_request *f = request_new(alias, spec, arg, err);
    if (!f)
        return ERR_NOMEM;
    f->deadline_ms = deadline_ms;
    f->req.run = run_add;
    f->req.mail = on_added;
    f->req.deliver = deliver_add;
    f->req.cb.forward = cb;
    return request_submit(p, &f->req, out, err);
}

int proxy_forward_cancel(struct proxy *p, const char *alias, const struct forward_spec *spec,
                         proxy_done_cb cb, void *arg, struct proxy_req **out, struct err *err)
{
    struct forward_request *f = request_new(alias, spec, arg, err);
    if (!f)
        return ERR_NOMEM;
    f->req.run = run_cancel;
    f->req.mail = on_canceled;
    f->req.deliver = request_deliver_done;
    f->req.cb.done = cb;
    return request_submit(p, &f->req, out, err);
}

/*
 * fake_proxy: proxy.h without threads, sockets or VMs: remembers what was asked, and answers when the test
 * says so.
 *
 * A forward at a port that another one has is ERR_EXISTS, so that a test can see failures.
 */
#include "fake_proxy.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"

struct fake_vm {
    struct list node;
    char *alias;
    bool adhoc;
};

struct fake_forward {
    struct list node;
    char *alias;
    struct forward_spec spec;
};

enum fake_kind { FAKE_DONE, FAKE_UP, FAKE_FORWARD, FAKE_DIAL, FAKE_STATUS };

struct proxy_req {
    struct list node;
    enum fake_kind kind;
    bool canceled;
    proxy_done_cb done;
    proxy_forward_cb forward;
    proxy_dial_cb dial;
    proxy_status_cb status;
    void *arg;
    char *alias;
    struct forward_spec spec;
    struct err err;
};

struct proxy {
    uv_timer_t timer;
    proxy_closed_cb closed;
    void *closed_arg;
};

static struct list vms = {&vms, &vms}, forwards = {&forwards, &forwards}, reqs = {&reqs, &reqs};
static atomic_bool held, dials_held;
static atomic_int up_code, dial_code;
static atomic_uint dial_failures, dials;
static atomic_uint applied, forward_count, vm_count, req_count; /* read by the test's thread */

static void forward_free(struct fake_forward *f)
{
    forward_count--;
    list_remove(&f->node);
    forward_spec_done(&f->spec);
    mem_free(f->alias);
    mem_free(f);
}

static void vm_free(struct fake_vm *vm)
{
    vm_count--;
    list_remove(&vm->node);
    mem_free(vm->alias);
    mem_free(vm);
}

static struct fake_vm *find_vm(const char *alias)
{
    struct fake_vm *vm;
    list_each(vm, &vms, struct fake_vm, node)
    {
        if (strcasecmp(vm->alias, alias) == 0)
            return vm;
    }
    return NULL;
}

static void want_vm(const char *alias, bool adhoc)
{
    if (find_vm(alias))
        return;
    struct fake_vm *vm = mem_zalloc(sizeof *vm);
    vm->alias = mem_strdup(alias);
    vm->adhoc = adhoc;
    list_push(&vms, &vm->node);
    vm_count++;
}

static struct fake_forward *find_forward(const char *alias, const struct forward_spec *spec)
{
    struct fake_forward *f;
    list_each(f, &forwards, struct fake_forward, node)
    {
        if ((!alias || strcasecmp(f->alias, alias) == 0) && forward_spec_same_listener(&f->spec, spec))
            return f;
    }
    return NULL;
}

static struct proxy_req *req_new(enum fake_kind kind, void *arg, struct proxy_req **out)
{
    struct proxy_req *r = mem_zalloc(sizeof *r);
    r->kind = kind;
    r->arg = arg;
    list_push(&reqs, &r->node);
    req_count++;
    if (out)
        *out = r;
    return r;
}

static void req_free(struct proxy_req *r)
{
    req_count--;
    list_remove(&r->node);
    if (r->spec.text)
        forward_spec_done(&r->spec);
    mem_free(r->alias);
    mem_free(r);
}

static void run_forward(struct proxy_req *r)
{
    char listening[64];
    if (find_forward(NULL, &r->spec)) {
        err_set(&r->err, ERR_EXISTS, "vm %s: forward %s: address in use", r->alias, r->spec.text);
    } else {
        struct fake_forward *f = mem_zalloc(sizeof *f);
        f->alias = mem_strdup(r->alias);
        forward_spec_copy(&f->spec, &r->spec);
        list_push(&forwards, &f->node);
        forward_count++;
    }
    snprintf(listening, sizeof listening, "127.0.0.1:%u", (unsigned)r->spec.listen.port);
    if (!r->canceled)
        r->forward(r->arg, r->err.code ? NULL : listening, r->err.code ? &r->err : NULL);
}

static void run_dial(struct proxy_req *r)
{
    int fds[2];
    if (!r->canceled && r->err.code) {
        r->dial(r->arg, -1, &r->err);
        return;
    }
    if (r->canceled || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return;
    if (write(fds[1], "SSH-2.0-fake\r\n", 14) != 14)
        err_set(&r->err, ERR_SYSTEM, "write");
    close(fds[1]);
    r->dial(r->arg, fds[0], NULL);
}

static void run_status(struct proxy_req *r)
{
    struct proxy_vm_status list[16];
    struct proxy_status status = {.vms = list, .workers = 2};
    struct fake_vm *vm;
    memset(list, 0, sizeof list);
    list_each(vm, &vms, struct fake_vm, node)
    {
        if (status.vm_count < 16) {
            list[status.vm_count].alias = vm->alias;
            list[status.vm_count].name = vm->alias;
            list[status.vm_count++].state = held ? PROXY_VM_CONNECTING : PROXY_VM_UP;
        }
    }
    if (!r->canceled)
        r->status(r->arg, &status, NULL);
}

static void run(struct proxy_req *r)
{
    list_remove(&r->node);
    switch (r->kind) {
    case FAKE_DONE:
    case FAKE_UP:
        if (!r->canceled)
            r->done(r->arg, r->err.code ? &r->err : NULL);
        break;
    case FAKE_FORWARD:
        run_forward(r);
        break;
    case FAKE_DIAL:
        run_dial(r);
        break;
    case FAKE_STATUS:
        run_status(r);
        break;
    }
    req_free(r);
}

static void on_timer(uv_timer_t *timer)
{
    struct list now;
    list_init(&now);
    list_splice(&now, &reqs);
    struct list *node;
    while ((node = list_first(&now))) {
        struct proxy_req *r = container_of(node, struct proxy_req, node);
        if ((held && (r->kind == FAKE_UP || r->kind == FAKE_FORWARD)) || (dials_held && r->kind == FAKE_DIAL))
            list_move(&reqs, node);
        else
            run(r);
    }
}

void fake_proxy_hold(bool hold)
{
    held = hold;
}

void fake_proxy_hold_dials(bool hold)
{
    dials_held = hold;
}

void fake_proxy_release(void)
{
    held = false;
}

size_t fake_proxy_waiting(void)
{
    return req_count;
}

void fake_proxy_fail_dials(unsigned count, int code)
{
    dial_code = code;
    dial_failures = count;
}

unsigned fake_proxy_dials(void)
{
    return dials;
}

void fake_proxy_fail_up(int code)
{
    up_code = code;
}

size_t fake_proxy_forwards(void)
{
    return forward_count;
}

size_t fake_proxy_vms(void)
{
    return vm_count;
}

unsigned fake_proxy_applied(void)
{
    return applied;
}

int proxy_new(struct proxy **out, const struct proxy_options *options, struct err *err)
{
    struct proxy *p = mem_zalloc(sizeof *p);
    uv_timer_init(options->loop, &p->timer);
    p->timer.data = p;
    uv_timer_start(&p->timer, on_timer, 1, 1);
    fake_questions_open(options);
    *out = p;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct proxy *p = handle->data;
    proxy_closed_cb cb = p->closed;
    void *arg = p->closed_arg;
    struct list *node;

    while ((node = list_first(&reqs)))
        req_free(container_of(node, struct proxy_req, node));
    while ((node = list_first(&forwards)))
        forward_free(container_of(node, struct fake_forward, node));
    while ((node = list_first(&vms)))
        vm_free(container_of(node, struct fake_vm, node));
    mem_free(p);
    cb(arg);
}

void proxy_close(struct proxy *p, uint32_t grace_ms, proxy_closed_cb cb, void *arg)
{
    p->closed = cb;
    p->closed_arg = arg;
    fake_questions_close();
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

void proxy_cancel(struct proxy_req *req)
{
    req->canceled = true;
}

int proxy_apply(struct proxy *p, const struct config *c, proxy_done_cb cb, void *arg, struct proxy_req **out,
                struct err *err)
{
    applied++;
    for (size_t i = 0; i < c->vm_count; i++)
        want_vm(c->vms[i].alias, false);
    req_new(FAKE_DONE, arg, out)->done = cb;
    return 0;
}

int proxy_vm_up(struct proxy *p, const struct config_vm *vm, bool adhoc, uint32_t deadline_ms,
                proxy_done_cb cb, void *arg, struct proxy_req **out, struct err *err)
{
    want_vm(vm->alias, adhoc);
    struct proxy_req *r = req_new(FAKE_UP, arg, out);
    r->done = cb;
    if (up_code)
        err_set(&r->err, up_code, "vm %s: no luck", vm->alias);
    return 0;
}

int proxy_vm_down(struct proxy *p, const char *alias, proxy_done_cb cb, void *arg, struct proxy_req **out,
                  struct err *err)
{
    struct fake_forward *f;
    struct fake_vm *vm = find_vm(alias);
    if (!vm)
        return err_set(err, ERR_NOTFOUND, "vm %s is not here", alias);
    list_each(f, &forwards, struct fake_forward, node)
    {
        if (strcasecmp(f->alias, alias) == 0)
            forward_free(f);
    }
    vm_free(vm);
    req_new(FAKE_DONE, arg, out)->done = cb;
    return 0;
}

int proxy_forward_add(struct proxy *p, const char *alias, const struct forward_spec *spec,
                      uint32_t deadline_ms, proxy_forward_cb cb, void *arg, struct proxy_req **out,
                      struct err *err)
{
    if (!find_vm(alias))
        return err_set(err, ERR_NOTFOUND, "vm %s is not here", alias);
    struct proxy_req *r = req_new(FAKE_FORWARD, arg, out);
    r->forward = cb;
    r->alias = mem_strdup(alias);
    return forward_spec_copy(&r->spec, spec);
}

int proxy_forward_cancel(struct proxy *p, const char *alias, const struct forward_spec *spec,
                         proxy_done_cb cb, void *arg, struct proxy_req **out, struct err *err)
{
    struct fake_forward *f = find_forward(alias, spec);
    if (!f)
        return err_set(err, ERR_NOTFOUND, "vm %s has no forward %s", alias, spec->text);
    forward_free(f);
    req_new(FAKE_DONE, arg, out)->done = cb;
    return 0;
}

int proxy_dial(struct proxy *p, const struct config_vm *vm, uint16_t port, uint32_t deadline_ms,
               proxy_dial_cb cb, void *arg, struct proxy_req **out, struct err *err)
{
    struct proxy_req *r = req_new(FAKE_DIAL, arg, out);
    r->dial = cb;
    dials++;
    if (dial_failures > 0) {
        dial_failures--;
        err_set(&r->err, dial_code, "vm %s: nobody there", vm->alias);
    }
    return 0;
}

const char *proxy_vm_state_name(enum proxy_vm_state s)
{
    static const char *const NAMES[] = {"down", "resolving", "connecting", "up", "waiting", "idle", "failed"};
    return NAMES[s];
}

int proxy_status(struct proxy *p, proxy_status_cb cb, void *arg, struct proxy_req **out, struct err *err)
{
    req_new(FAKE_STATUS, arg, out)->status = cb;
    return 0;
}

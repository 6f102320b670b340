/*
 * vm_wait: requests that end when their VM is up, when it definitely cannot be, or with their deadline.
 *
 * A look-up that fails and an attempt that is refused for good are answered at once. What may pass (nobody
 * listens yet, a time-out) is tried again once first, within the deadline.
 */
#include <stdio.h>

#include "base/mem.h"
#include "forward.h"
#include "vm.h"

#define ATTEMPTS_BEFORE_ANSWER 2 /* the second follows at once, at a freshly looked-up address */

struct vm_wait {
    struct list node; /* vm.waits */
    struct vm *vm;
    uint64_t req;
    struct forward *forward; /* or NULL */
    uint32_t failed;         /* attempts since it began to wait */
    uint32_t deadline_ms;
    struct timer deadline;
};

/* Ends the wait; a forward that has failed goes with it. */
static void answer(struct vm_wait *w, const char *text, const struct err *err)
{
    struct plane *plane = w->vm->plane;
    uint64_t req = w->req;
    struct forward *forward = w->forward;
    list_remove(&w->node);
    timer_stop(&w->deadline);
    mem_free(w);
    if (err)
        plane->o.ops.done(plane->o.ops_arg, req, NULL, err);
    else
        plane->o.ops.done(plane->o.ops_arg, req, text, NULL);
    if (err && forward)
        forward_free(forward);
}

static void answer_failed(struct vm_wait *w, const struct err *err)
{
    struct err why = *err;
    err_wrap(&why, "%s", w->vm->label);
    if (w->forward)
        err_wrap(&why, "forward %s", w->forward->spec.text);
    answer(w, NULL, &why);
}

/* A VM that is up with a forward that does not listen is not what was asked for. */
static int not_listening(struct vm *vm, const struct forward *f, struct err *err)
{
    *err = f->err;
    return err_wrap(err, "%s: forward %s", vm->label, f->spec.text);
}

/* False: the VM has yet to say whether it listens. */
static bool answer_up(struct vm_wait *w)
{
    struct err err = {0};
    struct forward *f = w->forward;
    if (f) {
        if (forward_pending(f))
            return false;
        bool failed = f->remote && !forward_listening(f) && not_listening(w->vm, f, &err) != 0;
        answer(w, failed ? NULL : forward_listening(f), failed ? &err : NULL);
        return true;
    }
    list_each(f, &w->vm->forwards, struct forward, node)
    {
        if (forward_pending(f))
            return false;
        if (err.code == 0 && !forward_listening(f) && f->err.code)
            not_listening(w->vm, f, &err);
    }
    answer(w, NULL, err.code ? &err : NULL);
    return true;
}

static void on_deadline(struct timer *t)
{
    struct vm_wait *w = container_of(t, struct vm_wait, deadline);
    struct err err = {0};
    uint64_t patience = asking_patience(w->vm);
    if (patience > 0 && timer_start(&w->deadline, patience) == 0)
        return;
    if (w->vm->err.code)
        err_set(&err, ERR_TIMEOUT, "not up after %u ms; last error: %s", w->deadline_ms, w->vm->err.msg);
    else
        err_set(&err, ERR_TIMEOUT, "not up after %u ms", w->deadline_ms);
    answer_failed(w, &err);
}

void vm_wait_add(struct vm *vm, uint64_t req, uint32_t deadline_ms, struct forward *forward)
{
    struct err err = {0};
    struct vm_wait *w = list_count(&vm->waits) < VM_WAITS_MAX ? mem_zalloc(sizeof *w) : NULL;
    if (!w) {
        err_set(&err, ERR_LIMIT, "%s: no room for another request", vm->label);
        vm->plane->o.ops.done(vm->plane->o.ops_arg, req, NULL, &err);
        if (forward)
            forward_free(forward);
        return;
    }
    w->vm = vm;
    w->req = req;
    w->forward = forward;
    w->deadline_ms = deadline_ms;
    list_push(&vm->waits, &w->node);
    timer_init(&w->deadline, vm->plane->o.clock, on_deadline);
    if (vm->state == PROXY_VM_UP && answer_up(w))
        return;
    if (vm_check(vm, &err) < 0)
        answer_failed(w, &err);
    else if (timer_start(&w->deadline, deadline_ms) < 0)
        answer_failed(w, &(struct err){.code = ERR_NOMEM, .msg = "out of memory"});
    else
        vm_demand(vm);
}

void vm_wait_up(struct vm *vm)
{
    struct vm_wait *w;
    list_each(w, &vm->waits, struct vm_wait, node) answer_up(w);
}

void vm_wait_failed(struct vm *vm, const struct err *err, bool definite)
{
    struct vm_wait *w;
    list_each(w, &vm->waits, struct vm_wait, node)
    {
        if (++w->failed >= ATTEMPTS_BEFORE_ANSWER || definite)
            answer_failed(w, err);
    }
}

void vm_wait_forget_forward(struct forward *f, const struct err *err)
{
    struct vm_wait *w;
    list_each(w, &f->vm->waits, struct vm_wait, node)
    {
        if (w->forward != f)
            continue;
        w->forward = NULL;
        answer(w, NULL, err);
    }
}

void vm_wait_cancel_all(struct vm *vm, const struct err *err)
{
    struct list *node;
    while ((node = list_first(&vm->waits)) != NULL)
        answer(container_of(node, struct vm_wait, node), NULL, err);
}

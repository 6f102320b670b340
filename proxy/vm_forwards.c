/*
 * vm_forwards: the set of a VM's forwards: those of its configuration, in its order, then those added at run
 * time.
 */
#include <stdio.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "forward.h"
#include "remote.h"
#include "vm.h"

static struct forward *find(const struct vm *vm, const struct forward_spec *spec)
{
    struct forward *f;
    list_each(f, &vm->forwards, struct forward, node)
    {
        if (forward_is(f, spec))
            return f;
    }
    return NULL;
}

static bool configured(const struct vm *vm, const struct forward *f)
{
    for (size_t i = 0; i < vm->config->forward_count; i++)
        if (forward_is(f, &vm->config->forwards[i]))
            return true;
    return false;
}

static void remove_forward(struct forward *f, const char *why)
{
    struct err err = {0};
    err_set(&err, ERR_CANCELED, "forward %s: %s: %s", f->spec.text, f->vm->label, why);
    vm_wait_forget_forward(f, &err);
    forward_free(f);
}

/* Keeps the first failure and counts the rest. */
static void note(struct err *first, const struct err *err, unsigned *more)
{
    if (err->code == 0 || !first)
        return;
    if (first->code == 0)
        *first = *err;
    else
        ++*more;
}

void vm_forwards_sync(struct vm *vm, bool trim_only, struct err *first_err)
{
    struct forward *f;
    list_each(f, &vm->forwards, struct forward, node)
    {
        if (!f->runtime && !configured(vm, f))
            remove_forward(f, "it was removed from the configuration");
    }
    if (trim_only)
        return;
    unsigned more = 0;
    struct list ordered;
    list_init(&ordered);
    for (size_t i = 0; i < vm->config->forward_count; i++) {
        const struct forward_spec *spec = &vm->config->forwards[i];
        struct err err = {0};
        f = find(vm, spec);
        if (!f && forward_new(&f, vm, spec, false, &err) < 0) {
            note(first_err, &err, &more);
            continue;
        }
        f->runtime = false;
        f->bulk = spec->listen.port != 0 && config_vm_is_bulk(vm->config, spec->listen.port);
        list_move(&ordered, &f->node);
    }
    list_splice(&ordered, &vm->forwards);
    list_splice(&vm->forwards, &ordered);
    list_each(f, &vm->forwards, struct forward, node)
    {
        struct err err = {0};
        forward_listen(f, &err);
        note(first_err, &err, &more);
    }
    if (first_err && first_err->code)
        err_wrap(first_err, "%s", vm->label);
    if (more > 0)
        err_hint(first_err, " (and %u more)", more);
}

int vm_forward_add(struct vm *vm, const struct forward_spec *spec, bool keep, struct forward **out,
                   struct err *err)
{
    size_t count = list_count(&vm->forwards);
    if (count >= 2 * (size_t)CONFIG_FORWARDS_MAX)
        return err_set(err, ERR_LIMIT, "%s has %zu forwards already", vm->label, count);
    const struct forward *there = find(vm, spec);
    if (there)
        return err_set(err, ERR_EXISTS, "%s has the forward %s already%s%s", vm->label, spec->text,
                       forward_listening(there) ? ", listening on " : "",
                       forward_listening(there) ? forward_listening(there) : "");
    struct forward *f;
    int r = forward_new(&f, vm, spec, true, err);
    if (r < 0)
        return r;
    r = forward_listen(f, err);
    if (r < 0) {
        if (err)
            err_wrap(err, "%s", vm->label);
        if (!keep) {
            forward_free(f);
            return r;
        }
    }
    list_push(&vm->forwards, &f->node);
    *out = f;
    return 0;
}

int vm_forward_cancel(struct vm *vm, const struct forward_spec *spec, struct err *err)
{
    struct forward *f = find(vm, spec);
    if (f) {
        remove_forward(f, "it was cancelled");
        return 0;
    }
    struct strbuf names;
    strbuf_init(&names);
    list_each(f, &vm->forwards, struct forward, node)
        strbuf_printf(&names, "%s%s", names.len ? ", " : "", f->spec.text);
    err_set(err, ERR_NOTFOUND, "%s has no forward %s; it has: %s", vm->label, spec->text,
            names.len && !names.bad ? names.data : "none");
    strbuf_done(&names);
    return ERR_NOTFOUND;
}

void vm_forwards_up(struct vm *vm)
{
    struct forward *f;
    list_each(f, &vm->forwards, struct forward, node)
    {
        if (f->remote)
            remote_vm_up(f->remote);
    }
}

void vm_forwards_down(struct vm *vm)
{
    struct forward *f;
    list_each(f, &vm->forwards, struct forward, node)
    {
        if (f->remote)
            remote_vm_down(f->remote);
    }
}

void vm_forwards_free(struct vm *vm)
{
    struct list *node;
    while ((node = list_first(&vm->forwards)) != NULL)
        forward_free(container_of(node, struct forward, node));
}

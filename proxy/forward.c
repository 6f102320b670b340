/*
 * forward: listening for one forward and keeping count of its flows.
 */
#include "forward.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "remote.h"
#include "vm.h"

void forward_flow_failed(struct forward *f, const struct err *err, bool told)
{
    static struct log_rate rate = {.burst = 20, .every_ms = 1000};
    struct err why = *err;
    err_wrap(&why, "%s", f->vm->label);
    err_wrap(&why, "forward %s", f->spec.text);
    bool quiet = told || err->code == ERR_CANCELED;
    if (!quiet || log_enabled(LOG_DEBUG))
        log_write(quiet ? LOG_DEBUG : LOG_WARN,
                  &(struct log_ctx){.module = "proxy", .vm = f->vm->config->alias, .forward = f->spec.text},
                  &rate, "%s", why.msg);
    if (err->code == ERR_CANCELED)
        return;
    f->flows_failed++;
    if (f->spec.kind != FORWARD_DYNAMIC || !told) /* where its clients go is their own business */
        f->err = *err;
}

static void on_flow_ended(void *arg, const struct err *err, bool told)
{
    struct forward_flow *ff = arg;
    struct forward *f = ff->forward;
    list_remove(&ff->node);
    mem_free(ff);
    if (err)
        forward_flow_failed(f, err, told);
    f->flow_count--;
}

static const struct flow_events flow_events = {.ended = on_flow_ended};

static struct ssh_target target_of(const struct forward_spec *s)
{
    if (s->target.path)
        return (struct ssh_target){.kind = SSH_TARGET_UNIX, .path = s->target.path};
    return (struct ssh_target){.kind = SSH_TARGET_TCP, .host = s->target.host, .port = s->target.port};
}

enum pool_class forward_class(const struct forward *f)
{
    if (f->spec.kind == FORWARD_DYNAMIC) /* where it listens tells nothing of what is carried */
        return pool_policy_class(0, 0, f->bulk);
    return pool_policy_class(f->spec.listen.port, f->spec.target.path ? 0 : f->spec.target.port, f->bulk);
}

struct flow_options forward_flow_options(struct forward *f, struct forward_flow *ff)
{
    return (struct flow_options){
        .vm = f->vm,
        .cls = forward_class(f),
        .target = target_of(&f->spec),
        .dynamic = f->spec.kind == FORWARD_DYNAMIC,
        .wait_ms = f->vm->config->ssh.connect_timeout_ms,
        .open_ms = FLOW_OPEN_MS,
        .counters = &f->bytes,
        .events = &flow_events,
        .arg = ff,
    };
}

void forward_flow_begun(struct forward *f, struct forward_flow *ff, struct flow *flow)
{
    list_push(&f->flows, &ff->node);
    ff->forward = f;
    ff->flow = flow;
    f->flow_count++;
    f->flows_total++;
}

static bool on_connection(void *arg, uv_stream_t *server)
{
    struct forward *f = arg;
    struct vm *vm = f->vm;
    if (vm->plane->flows >= vm->plane->o.flows_max) {
        static struct log_rate rate = {.burst = 1, .every_ms = 10000};
        log_write(LOG_WARN, VM_LOG_CTX(vm), &rate,
                  "forward %s: %zu connections are open, which is the limit: new ones wait", f->spec.text,
                  vm->plane->flows);
        return false;
    }
    struct err err = {0};
    struct forward_flow *ff = mem_zalloc(sizeof *ff);
    struct flow_options options = forward_flow_options(f, ff);
    struct flow *flow;
    if (!ff || flow_accept(&flow, &options, server, &err) < 0) {
        mem_free(ff);
        return false; /* it stays in the backlog until there is memory again */
    }
    forward_flow_begun(f, ff, flow);
    if ((!options.dynamic && vm_check(vm, &err) < 0) || flow_start(flow, &err) < 0) {
        flow_close(flow);
        on_flow_ended(ff, &err, false);
    }
    return true;
}

int forward_new(struct forward **out, struct vm *vm, const struct forward_spec *spec, bool runtime,
                struct err *err)
{
    struct forward *f = mem_zalloc(sizeof *f);
    if (!f)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (forward_spec_copy(&f->spec, spec) < 0) {
        mem_free(f);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    f->vm = vm;
    f->runtime = runtime;
    f->bulk = spec->listen.port != 0 && config_vm_is_bulk(vm->config, spec->listen.port);
    list_init(&f->node);
    list_init(&f->flows);
    if (spec->kind == FORWARD_REMOTE && remote_new(&f->remote, f) < 0) {
        forward_free(f);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    *out = f;
    return 0;
}

int forward_listen(struct forward *f, struct err *err)
{
    if (f->listener)
        return 0;
    if (f->remote)
        return remote_start(f->remote, err);
    struct err why = {0};
    listener_open(&f->listener, f->vm->plane, &f->spec.listen, on_connection, f, &why);
    if (!f->listener) {
        f->err = why;
        err_copy(err, &why, ERR_SYSTEM);
        if (err)
            err_wrap(err, "forward %s", f->spec.text);
        return why.code;
    }
    err_clear(&f->err);
    log_info((&(struct log_ctx){.module = "proxy", .vm = f->vm->config->alias, .forward = f->spec.text}),
             "%s: listening on %s", f->vm->label, listener_text(f->listener));
    return 0;
}

void forward_mute(struct forward *f)
{
    if (f->listener)
        listener_close(f->listener);
    f->listener = NULL;
    if (f->remote)
        remote_stop(f->remote);
}

const char *forward_listening(const struct forward *f)
{
    return f->remote ? remote_listening(f->remote) : f->listener ? listener_text(f->listener) : NULL;
}

bool forward_pending(const struct forward *f)
{
    return f->remote && remote_pending(f->remote);
}

void forward_stop(struct forward *f)
{
    forward_mute(f);
    struct list *node;
    while ((node = list_pop(&f->flows)) != NULL) {
        struct forward_flow *ff = container_of(node, struct forward_flow, node);
        flow_close(ff->flow);
        mem_free(ff);
    }
    f->flow_count = 0;
}

void forward_free(struct forward *f)
{
    forward_stop(f);
    list_remove(&f->node);
    remote_free(f->remote);
    forward_spec_done(&f->spec);
    mem_free(f);
}

bool forward_is(const struct forward *f, const struct forward_spec *spec)
{
    if (f->spec.kind != spec->kind)
        return false;
    char *a = forward_spec_canonical(&f->spec), *b = forward_spec_canonical(spec);
    bool same = a && b && strcmp(a, b) == 0;
    mem_free(a);
    mem_free(b);
    return same;
}

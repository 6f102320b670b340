/*
 * status: copying what goes on into records that may travel.
 *
 * Strings that cannot be allocated are left out: a status with holes is better than none.
 */
#include "status.h"

#include <string.h>

#include "base/mem.h"
#include "forward.h"
#include "plane.h"
#include "vm.h"

const char *proxy_vm_state_name(enum proxy_vm_state s)
{
    static const char *const names[] = {
        [PROXY_VM_DOWN] = "down",
        [PROXY_VM_RESOLVING] = "resolving",
        [PROXY_VM_CONNECTING] = "connecting",
        [PROXY_VM_UP] = "up",
        [PROXY_VM_WAITING] = "waiting",
        [PROXY_VM_IDLE] = "idle",
        [PROXY_VM_FAILED] = "failed",
    };
    return (size_t)s < sizeof names / sizeof names[0] ? names[s] : "?";
}

static char *text_or_null(const char *s)
{
    return s && *s ? mem_strdup(s) : NULL;
}

static char *target_text(const struct forward_spec *s)
{
    if (s->target.path)
        return mem_strdup(s->target.path);
    if (!s->target.host)
        return NULL;
    return mem_printf(strchr(s->target.host, ':') ? "[%s]:%u" : "%s:%u", s->target.host, s->target.port);
}

static void take_forward(struct proxy_forward_status *out, const struct forward *f)
{
    *out = (struct proxy_forward_status){
        .kind = f->spec.kind,
        .text = mem_strdup(f->spec.text),
        .listening = mem_strdup(forward_listening(f)),
        .target = target_text(&f->spec),
        .runtime = f->runtime,
        .bulk = f->bulk,
        .flows = f->flow_count,
        .flows_total = f->flows_total,
        .flows_failed = f->flows_failed,
        .bytes_in = f->bytes.in,
        .bytes_out = f->bytes.out,
        .error = f->err.code ? mem_strdup(f->err.msg) : NULL,
    };
}

static const struct pool_conn *first_conn(const struct pool *p)
{
    static const enum pool_state order[] = {POOL_ACTIVE, POOL_IDLE, POOL_FULL, POOL_AUTH, POOL_CONNECTING};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (p->counts[order[i]] > 0)
            return container_of(list_first(&p->conns[order[i]]), struct pool_conn, node);
    return NULL;
}

static void take_conn(struct proxy_vm_status *out, const struct vm *vm)
{
    const struct pool_conn *c = first_conn(&vm->pool);
    char address[DIAL_TEXT_MAX] = "";
    if (vm->reach.count > 0)
        dial_address_text(&vm->reach.addresses[0], address);
    out->address = text_or_null(c ? c->address : address);
    if (!c || !c->ssh || c->state == POOL_AUTH)
        return;
    struct ssh_conn_info info;
    ssh_conn_info(c->ssh, &info);
    out->rtt_us = info.rtt_us;
    out->server = text_or_null(info.server);
    out->cipher = text_or_null(info.cipher);
    out->engine = text_or_null(info.engine);
    out->host_key = text_or_null(info.host_key);
    out->auth = text_or_null(info.auth);
}

static void take_vm(struct proxy_vm_status *out, const struct vm *vm)
{
    const struct resolver_facts *facts = vm->reach.facts;
    uint64_t now = clock_now(vm->plane->o.clock);
    *out = (struct proxy_vm_status){
        .alias = mem_strdup(vm->config->alias),
        .name = vm_name_text(&vm->config->vm),
        .user = mem_strdup(vm->config->ssh.user),
        .id = facts ? text_or_null(facts->id) : NULL,
        .vm_id = facts ? text_or_null(facts->vm_id) : NULL,
        .power = facts ? mem_strdup(resolver_power_name(facts->power)) : NULL,
        .via = mem_strdup(vm->config->via),
        .state = vm->state,
        .since_wall_ms = vm->since_wall_ms,
        .attempts = vm->attempts,
        .connections = (uint32_t)pool_up(&vm->pool),
        .reconnects = vm->reconnects,
        .error = vm->err.code ? mem_strdup(vm->err.msg) : NULL,
        .error_wall_ms = vm->err.code ? vm->err_wall_ms : 0,
    };
    if (vm->state == PROXY_VM_WAITING && timer_active(&vm->timer) && vm->timer.due_ms > now)
        out->retry_in_ms = vm->timer.due_ms - now;
    take_conn(out, vm);
    size_t count = list_count(&vm->forwards);
    out->forwards = count ? mem_calloc(count, sizeof *out->forwards) : NULL;
    if (!out->forwards)
        return;
    const struct forward *f;
    list_each(f, &vm->forwards, struct forward, node) take_forward(&out->forwards[out->forward_count++], f);
}

int status_take(const struct plane *plane, struct proxy_vm_status **out, uint64_t **ids, size_t *count)
{
    *count = 0;
    size_t max = list_count(&plane->vms);
    *out = mem_calloc(max + 1, sizeof **out);
    *ids = mem_calloc(max + 1, sizeof **ids);
    if (!*out || !*ids) {
        mem_free(*out);
        mem_free(*ids);
        *out = NULL;
        *ids = NULL;
        return ERR_NOMEM;
    }
    const struct vm *vm;
    list_each(vm, &plane->vms, struct vm, node)
    {
        if (vm->dropped || !vm->config)
            continue;
        (*ids)[*count] = vm->id;
        take_vm(&(*out)[(*count)++], vm);
    }
    return 0;
}

void status_done(struct proxy_vm_status *vm)
{
    char *own[] = {vm->alias,   vm->name,   vm->user,   vm->id,     vm->vm_id,    vm->power, vm->via,
                   vm->address, vm->server, vm->cipher, vm->engine, vm->host_key, vm->auth,  vm->error};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        mem_free(own[i]);
    for (size_t i = 0; i < vm->forward_count; i++) {
        struct proxy_forward_status *f = &vm->forwards[i];
        mem_free(f->text);
        mem_free(f->listening);
        mem_free(f->target);
        mem_free(f->error);
    }
    mem_free(vm->forwards);
    *vm = (struct proxy_vm_status){0};
}

void status_free(struct proxy_vm_status *vms, size_t count)
{
    for (size_t i = 0; vms && i < count; i++)
        status_done(&vms[i]);
    mem_free(vms);
}

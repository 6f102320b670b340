/*
 * vm_deallocate: looks past every cache, and deallocates a VM that is not.
 *
 *   LOOKING ──deallocated──▶ cb(changed false)
 *    ▲   │
 *    │   ├──deallocating already──▶ WAITING ──after a pause──┐
 *    └───│───────────────────────────────────────────────────┘
 *        └──anything else──▶ WORKING ──Succeeded──▶ cb(changed true)
 *
 * Failure modes: the look-up fails, ARM refuses (no permission, another operation on it), the deadline
 * passes; each is told as it is. Afterwards what is remembered of the VM is forgotten: its address may be a
 * stranger's soon.
 */
#include "vm_deallocate.h"

#include "azure/lro.h"
#include "base/mem.h"

#define COMPUTE_API "2024-11-01"
#define LOOK_AGAIN_MS 3000

enum deallocate_state { DEALLOCATE_LOOKING, DEALLOCATE_WAITING, DEALLOCATE_WORKING };

struct vm_deallocate {
    struct daemon *d;
    struct config_vm *vm;
    enum deallocate_state state;
    struct resolver_req *lookup;
    struct azure_lro *lro;
    struct timer pause;
    uint64_t deadline_at;
    vm_deallocate_cb cb;
    void *arg;
};

static void deallocate_free(struct vm_deallocate *s)
{
    timer_stop(&s->pause);
    config_vm_free(s->vm);
    mem_free(s);
}

static struct resolver_name name_of(const struct vm_deallocate *s)
{
    const struct vm_name *n = &s->vm->vm;
    return (struct resolver_name){n->subscription, n->group, n->name, n->instance};
}

static void finish(struct vm_deallocate *s, bool changed, const struct err *err)
{
    vm_deallocate_cb cb = s->cb;
    void *arg = s->arg;
    const struct resolver_name name = name_of(s);
    struct err why = {0};
    if (err) {
        why = *err;
        err_wrap(&why, "vm %s", s->vm->alias);
    }
    resolver_invalidate(s->d->resolver, &name);
    deallocate_free(s);
    cb(arg, changed, err ? &why : NULL);
}

static uint32_t time_left(const struct vm_deallocate *s)
{
    uint64_t now = clock_now(s->d->clock);
    return now < s->deadline_at ? (uint32_t)(s->deadline_at - now) : 0;
}

static void on_deallocated(void *arg, const struct json_t *result, const struct err *err)
{
    struct vm_deallocate *s = arg;
    struct err why = {0};
    (void)result;
    s->lro = NULL;
    if (err) {
        why = *err;
        err_wrap(&why, "it cannot be deallocated");
    }
    finish(s, true, err ? &why : NULL);
}

static void begin(struct vm_deallocate *s, const struct resolver_facts *facts)
{
    struct err err = {0};
    char *path = mem_printf("%s/deallocate?api-version=" COMPUTE_API, facts->id);
    struct azure_call call = {.method = "POST", .path = path, .deadline_ms = time_left(s)};
    s->state = DEALLOCATE_WORKING;
    log_info(&DAEMON_LOG, "vm %s: %s: deallocating it", s->vm->alias, resolver_power_name(facts->power));
    int rc = path ? azure_lro_start(s->d->azure, &call, on_deallocated, s, &s->lro, &err)
                  : err_set(&err, ERR_NOMEM, "out of memory");
    mem_free(path);
    if (rc < 0)
        finish(s, false, &err);
}

static int look(struct vm_deallocate *s, struct err *err);

static void on_pause(struct timer *t)
{
    struct vm_deallocate *s = container_of(t, struct vm_deallocate, pause);
    struct err err = {0};
    if (time_left(s) == 0)
        err_set(&err, ERR_TIMEOUT, "it is still deallocating");
    if (err.code || look(s, &err) < 0)
        finish(s, false, &err);
}

static void on_facts(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct vm_deallocate *s = arg;
    s->lookup = NULL;
    if (!facts) {
        finish(s, false, err);
    } else if (facts->power == RESOLVER_POWER_DEALLOCATED) {
        finish(s, s->state == DEALLOCATE_WAITING, NULL);
    } else if (facts->power == RESOLVER_POWER_DEALLOCATING) {
        s->state = DEALLOCATE_WAITING;
        timer_start(&s->pause, time_left(s) < LOOK_AGAIN_MS ? time_left(s) : LOOK_AGAIN_MS);
    } else {
        begin(s, facts);
    }
}

static int look(struct vm_deallocate *s, struct err *err)
{
    const struct resolver_name name = name_of(s);
    return resolver_lookup(s->d->resolver, &name, RESOLVER_NO_CACHE | RESOLVER_DIRECT, time_left(s), on_facts,
                           s, &s->lookup, err);
}

int vm_deallocate_begin(struct vm_deallocate **out, struct daemon *d, const struct config_vm *vm,
                        uint32_t deadline_ms, vm_deallocate_cb cb, void *arg, struct err *err)
{
    if (vm->vm.kind == VM_NAME_ADDRESS)
        return err_set(err, ERR_INVAL,
                       "vm %s: an address cannot be deallocated: name the VM (vm: group/name)", vm->alias);
    if (!d->resolver)
        return err_copy(err, &d->azure_err, ERR_UNAVAILABLE);
    struct vm_deallocate *s = mem_zalloc(sizeof *s);
    if (!s || config_vm_copy(vm, &s->vm) < 0) {
        mem_free(s);
        return err_set(err, ERR_NOMEM, "aditd is out of memory");
    }
    s->d = d;
    s->cb = cb;
    s->arg = arg;
    s->deadline_at = clock_now(d->clock) + deadline_ms;
    timer_init(&s->pause, d->clock, on_pause);
    int rc = look(s, err);
    if (rc < 0) {
        err_wrap(err, "vm %s", vm->alias);
        deallocate_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

void vm_deallocate_cancel(struct vm_deallocate *s)
{
    if (s->lookup)
        resolver_cancel(s->lookup);
    if (s->lro)
        azure_lro_cancel(s->lro);
    deallocate_free(s);
}

const char *vm_deallocate_text(const struct vm_deallocate *s)
{
    return s->state == DEALLOCATE_LOOKING ? "asking Azure whether it runs" : "deallocating";
}

/*
 * vm_start: looks past every cache, waits until a VM that is stopping has stopped, starts one that is off.
 *
 *   LOOKING ──running, starting, unknown──▶ cb(started false)
 *    ▲   │
 *    │   ├──stopping, deallocating──▶ STOPPING (ARM refuses to start it now)
 *    └───│──────after a pause────────────┘
 *        └──stopped, deallocated──▶ STARTING ──Succeeded──▶ cb(started true)
 *
 * Failure modes: the look-up fails, ARM refuses or fails to start it (quota, no permission, no capacity), the
 * deadline passes; each is told as it is. After a start what is remembered of the VM is forgotten: its
 * address may be another one.
 */
#include "vm_start.h"

#include "azure/lro.h"
#include "base/mem.h"

#define COMPUTE_API "2024-11-01"
#define LOOK_AGAIN_MS 3000

enum start_state { START_LOOKING, START_STOPPING, START_STARTING };

struct vm_start {
    struct daemon *d;
    struct config_vm *vm;
    enum start_state state;
    struct resolver_req *lookup;
    struct azure_lro *lro;
    struct timer pause;
    uint64_t deadline_at;
    vm_start_cb cb;
    void *arg;
};

static void start_free(struct vm_start *s)
{
    timer_stop(&s->pause);
    config_vm_free(s->vm);
    mem_free(s);
}

static void finish(struct vm_start *s, bool started, const struct err *err)
{
    vm_start_cb cb = s->cb;
    void *arg = s->arg;
    struct err why = {0};
    if (err) {
        why = *err;
        err_wrap(&why, "vm %s", s->vm->alias);
    }
    start_free(s);
    cb(arg, started, err ? &why : NULL);
}

static uint32_t time_left(const struct vm_start *s)
{
    uint64_t now = clock_now(s->d->clock);
    return now < s->deadline_at ? (uint32_t)(s->deadline_at - now) : 0;
}

static struct resolver_name name_of(const struct vm_start *s)
{
    const struct vm_name *n = &s->vm->vm;
    return (struct resolver_name){n->subscription, n->group, n->name, n->instance};
}

static void on_started(void *arg, const struct json_t *result, const struct err *err)
{
    struct vm_start *s = arg;
    const struct resolver_name name = name_of(s);
    struct err why = {0};
    (void)result;
    s->lro = NULL;
    resolver_invalidate(s->d->resolver, &name);
    if (err) {
        why = *err;
        err_wrap(&why, "it cannot be started");
    }
    finish(s, true, err ? &why : NULL);
}

static void begin(struct vm_start *s, const struct resolver_facts *facts)
{
    struct err err = {0};
    char *path = mem_printf("%s/start?api-version=" COMPUTE_API, facts->id);
    struct azure_call call = {.method = "POST", .path = path, .deadline_ms = time_left(s)};
    s->state = START_STARTING;
    log_info(&DAEMON_LOG, "vm %s: %s: starting it", s->vm->alias, resolver_power_name(facts->power));
    int rc = path ? azure_lro_start(s->d->azure, &call, on_started, s, &s->lro, &err)
                  : err_set(&err, ERR_NOMEM, "out of memory");
    mem_free(path);
    if (rc < 0)
        finish(s, false, &err);
}

static int look(struct vm_start *s, struct err *err);

static void on_pause(struct timer *t)
{
    struct vm_start *s = container_of(t, struct vm_start, pause);
    struct err err = {0};
    if (time_left(s) == 0)
        err_set(&err, ERR_TIMEOUT, "it is still stopping, and cannot be started before it has stopped");
    if (err.code || look(s, &err) < 0)
        finish(s, false, &err);
}

static void on_facts(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct vm_start *s = arg;
    s->lookup = NULL;
    if (!facts) {
        finish(s, false, err);
        return;
    }
    switch (facts->power) {
    case RESOLVER_POWER_STOPPED:
    case RESOLVER_POWER_DEALLOCATED:
        begin(s, facts);
        break;
    case RESOLVER_POWER_STOPPING:
    case RESOLVER_POWER_DEALLOCATING:
        s->state = START_STOPPING;
        timer_start(&s->pause, time_left(s) < LOOK_AGAIN_MS ? time_left(s) : LOOK_AGAIN_MS);
        break;
    case RESOLVER_POWER_UNKNOWN:
    case RESOLVER_POWER_STARTING:
    case RESOLVER_POWER_RUNNING:
        finish(s, false, NULL);
        break;
    }
}

static int look(struct vm_start *s, struct err *err)
{
    const struct resolver_name name = name_of(s);
    if (s->state != START_STOPPING)
        s->state = START_LOOKING;
    return resolver_lookup(s->d->resolver, &name, RESOLVER_NO_CACHE | RESOLVER_DIRECT, time_left(s), on_facts,
                           s, &s->lookup, err);
}

int vm_start_begin(struct vm_start **out, struct daemon *d, const struct config_vm *vm, uint32_t deadline_ms,
                   vm_start_cb cb, void *arg, struct err *err)
{
    if (vm->vm.kind == VM_NAME_ADDRESS)
        return err_set(err, ERR_INVAL, "vm %s: an address cannot be started: name the VM (vm: group/name)",
                       vm->alias);
    if (!d->resolver)
        return err_copy(err, &d->azure_err, ERR_UNAVAILABLE);
    struct vm_start *s = mem_zalloc(sizeof *s);
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
        start_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

void vm_start_cancel(struct vm_start *s)
{
    if (s->lookup)
        resolver_cancel(s->lookup);
    if (s->lro)
        azure_lro_cancel(s->lro);
    start_free(s);
}

const char *vm_start_text(const struct vm_start *s)
{
    switch (s->state) {
    case START_STOPPING:
        return "waiting until it has stopped";
    case START_STARTING:
        return "starting";
    case START_LOOKING:
        break;
    }
    return "asking Azure whether it runs";
}

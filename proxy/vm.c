/*
 * vm: one VM's way up and its return, for ever, while it is wanted or somebody asks for it.
 *
 *   DOWN ──wanted──▶ RESOLVING ──addresses──▶ CONNECTING ──authenticated──▶ UP
 *    ▲                ▲  │ no address             │ failed                 │ │ last connection lost
 *    │           pause│  ▼                        │                        │ ▼
 *    │                WAITING ◀───────────────────┴────────────────────────┼─(0–500 ms)
 *    │                                            │ refused for good       │ no flow for idle-timeout
 *    └────── no longer wanted ── any              ▼                        ▼
 *                                               FAILED ──retry──▶       IDLE ──a client──▶ RESOLVING
 *
 * Happy path: the main loop looks the name up, the pool opens a connection to what it says, the VM is UP
 * until the last connection is lost. Failure modes: a failed attempt may be due to an old address (it belongs
 * to nobody, or to another VM by now), so a look-up past all caches follows at once; only when that says the
 * same, the failure counts. Then there is a growing pause, which a waiting client shortens, or, when trying
 * again cannot help, FAILED. Callbacks store what happened; step() moves on.
 */
#include "vm.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "forward.h"
#include "reach.h"

static uint64_t now(const struct vm *vm)
{
    return clock_now(vm->plane->o.clock);
}

static bool asked_for(const struct vm *vm)
{
    return vm->pool.waiter_count > 0 || !list_empty(&vm->waits);
}

static void enter(struct vm *vm, enum proxy_vm_state state)
{
    if (vm->state == state)
        return;
    log_debug(VM_LOG_CTX(vm), "%s: %s, was %s", vm->label, proxy_vm_state_name(state),
              proxy_vm_state_name(vm->state));
    vm->state = state;
    vm->since_wall_ms = clock_wall_ms();
    timer_stop(&vm->timer);
}

static void reach_clear(struct mail_reach *r)
{
    resolver_facts_unref(r->facts);
    *r = (struct mail_reach){0};
}

static void look_up_stop(struct vm *vm)
{
    vm->seq++;
    vm->looking = vm->answered = vm->relook = false;
    reach_clear(&vm->answer);
}

static void settle(struct vm *vm, const struct err *err, bool from_lookup);

static bool keys_by_arm(const struct vm *vm)
{
    return vm->config->ssh.host_key_check == CONFIG_HOST_KEY_ARM;
}

static int check_supported(const struct vm *vm, struct err *err)
{
    if (keys_by_arm(vm) && vm->config->vm.kind == VM_NAME_ADDRESS)
        return err_set(
            err, ERR_UNSUPPORTED,
            "host-key-check: arm needs a VM that Azure knows by a name, and %s is an address; use strict or "
            "accept-new",
            vm->config->vm.name);
    return 0;
}

static void look_up(struct vm *vm, bool direct)
{
    struct err err = {0};
    if (check_supported(vm, &err) < 0) {
        settle(vm, &err, false);
        return;
    }
    enter(vm, PROXY_VM_RESOLVING);
    vm->attempt_ms = now(vm);
    vm->looking = true;
    vm->answered = false;
    vm->direct = direct;
    bool rekey = vm->relook && vm->relook_err.code == ERR_HOSTKEY && keys_by_arm(vm);
    vm->rekeyed |= rekey;
    vm->plane->o.ops.resolve(vm->plane->o.ops_arg, vm->id, ++vm->seq,
                             (direct ? MAIL_DIRECT : 0) | (rekey ? MAIL_REKEY : 0));
}

static void remember(struct vm *vm, const struct err *err)
{
    vm->err = *err;
    vm->err_wall_ms = clock_wall_ms();
}

/* Trying again will not help until the user has done something. */
static bool is_final(bool from_lookup, int code)
{
    if (from_lookup) /* what ARM says can be put right over there; a VM may be created again */
        return code == ERR_AMBIGUOUS || code == ERR_INVAL || code == ERR_UNSUPPORTED;
    return !err_is_transient(code) && code != ERR_PROTOCOL && code != ERR_SYSTEM;
}

/* The attempt came to nothing. */
static void settle(struct vm *vm, const struct err *err, bool from_lookup)
{
    struct err why = *err;
    if (asking_try_again(vm) && (why.code == ERR_AUTH || why.code == ERR_HOSTKEY)) {
        look_up(vm, false);
        return;
    }
    bool again = strncmp(vm->err.msg, why.msg, strlen(why.msg)) == 0 && vm->attempts > 0;
    if (!from_lookup)
        reach_doubt(&vm->reach, &why);
    vm->attempts++;
    remember(vm, &why);
    bool final = is_final(from_lookup, why.code);
    uint64_t pause = backoff_pause(vm->attempts);
    enter(vm, final ? PROXY_VM_FAILED : PROXY_VM_WAITING);
    if (final)
        log_error(VM_LOG_CTX(vm), "%s: %s; not tried again before `adit up` or a changed configuration",
                  vm->label, why.msg);
    else if (!again)
        log_warn(VM_LOG_CTX(vm), "%s: %s; trying again", vm->label, why.msg);
    else
        log_debug(VM_LOG_CTX(vm), "%s: %s; attempt %u", vm->label, why.msg, vm->attempts);
    if (!final)
        timer_start(&vm->timer, pause);
    vm_wait_failed(vm, &why, final || from_lookup);
    if (final)
        pool_fail_waiters(&vm->pool, &why);
    ready_push(vm->plane->o.ready, &vm->kick);
}

static bool same_place(const struct mail_reach *a, const struct mail_reach *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->addresses[i].host, b->addresses[i].host) != 0 ||
            a->addresses[i].port != b->addresses[i].port)
            return false;
    const char *before = a->facts ? a->facts->vm_id : NULL, *after = b->facts ? b->facts->vm_id : NULL;
    return (!before && !after) || (before && after && strcmp(before, after) == 0);
}

/* The look-up has been answered: connect, or see why not. */
static void answered(struct vm *vm)
{
    vm->looking = vm->answered = false;
    bool relook = vm->relook;
    vm->relook = false;
    struct err err = vm->answer_err;
    if (err.code == 0 && relook && !vm->answer.rekeyed && same_place(&vm->reach, &vm->answer)) {
        reach_clear(&vm->reach);
        vm->reach = vm->answer;
        vm->answer = (struct mail_reach){0};
        settle(vm, &vm->relook_err, false);
        return;
    }
    if (err.code == 0 || vm->answer.facts) {
        reach_clear(&vm->reach);
        vm->reach = vm->answer; /* even without an address: its power state is worth showing */
        vm->answer = (struct mail_reach){0};
    }
    if (err.code) {
        settle(vm, &err, true);
        return;
    }
    enter(vm, PROXY_VM_CONNECTING);
    struct err why = {0};
    if (pool_connecting(&vm->pool) == 0 && conn_open(&vm->pool, &why) < 0)
        settle(vm, &why, false);
}

void vm_conn_failed(struct vm *vm, enum pool_stage stage, const struct err *err)
{
    if (vm->state != PROXY_VM_CONNECTING) {
        log_debug(VM_LOG_CTX(vm), "%s: %s", vm->label, err->msg);
        return;
    }
    /* An old address; or keys that were made anew, which is asked once. */
    bool may_be_old =
        vm->reach.facts && (!vm->direct || (err->code == ERR_HOSTKEY && keys_by_arm(vm) && !vm->rekeyed));
    /* UNAVAILABLE at the dial is the VM in between, which says nothing of this one's address. */
    bool suspicious = (stage == POOL_STAGE_DIAL && err->code != ERR_UNAVAILABLE) ||
                      err->code == ERR_HOSTKEY || err->code == ERR_AUTH;
    if (may_be_old && suspicious && !vm->dropped && (vm->wanted || asked_for(vm))) {
        log_info(VM_LOG_CTX(vm), "%s: %s; looking its address up again", vm->label, err->msg);
        vm->relook = true;
        vm->relook_err = *err;
        look_up(vm, true);
        return;
    }
    settle(vm, err, false);
}

void vm_conn_up(struct vm *vm)
{
    if (vm->state == PROXY_VM_UP)
        return;
    look_up_stop(vm);
    enter(vm, PROXY_VM_UP);
    vm->up_ms = now(vm);
    vm->attempts = 0;
    vm->direct = vm->rekeyed = false;
    if (vm->was_up)
        vm->reconnects++;
    vm->was_up = true;
    struct pool_conn *c;
    const char *address = "";
    list_each(c, &vm->pool.conns[POOL_IDLE], struct pool_conn, node) address = c->address;
    log_info(VM_LOG_CTX(vm), "%s: connected to %s", vm->label, address);
    vm_forwards_up(vm);
    vm_wait_up(vm);
    vm_flows_changed(vm);
}

void vm_conn_lost(struct vm *vm, const struct err *err)
{
    struct err why = *err;
    err_wrap(&why, "connection lost");
    remember(vm, &why);
    log_error(VM_LOG_CTX(vm), "%s: %s", vm->label, why.msg);
    if (vm->state != PROXY_VM_UP || pool_up(&vm->pool) > 0)
        return;
    vm_forwards_down(vm);
    if (pool_connecting(&vm->pool) > 0) {
        enter(vm, PROXY_VM_CONNECTING);
        return;
    }
    /* The first reconnect comes at once. One that does not last must not become a storm. */
    vm->short_lives = now(vm) - vm->up_ms < VM_STABLE_MS ? vm->short_lives + 1 : 0;
    enter(vm, PROXY_VM_WAITING);
    timer_start(&vm->timer, backoff_pause(vm->short_lives > 1 ? vm->short_lives - 1 : 0));
    ready_push(vm->plane->o.ready, &vm->kick);
}

void vm_flows_changed(struct vm *vm)
{
    if (vm->state != PROXY_VM_UP)
        return;
    uint32_t idle_ms = vm->config->ssh.idle_timeout_ms;
    if (!vm->wanted && (idle_ms == 0 || idle_ms > VM_UNWANTED_IDLE_MS))
        idle_ms = VM_UNWANTED_IDLE_MS;
    if (vm->pool.flow_count == 0 && idle_ms > 0)
        timer_start(&vm->timer, idle_ms);
    else
        timer_stop(&vm->timer);
}

static void go_idle(struct vm *vm)
{
    if (vm->pool.flow_count > 0 || asked_for(vm))
        return;
    log_info(VM_LOG_CTX(vm), "%s: no client for a while; closing its connection until the next one",
             vm->label);
    enter(vm, vm->wanted ? PROXY_VM_IDLE : PROXY_VM_DOWN);
    pool_close(&vm->pool);
}

void vm_timer_fired(struct vm *vm)
{
    if (vm->state == PROXY_VM_UP)
        go_idle(vm);
    else if (vm->state == PROXY_VM_WAITING && (vm->wanted || asked_for(vm)))
        look_up(vm, vm->attempts > 0);
    else
        vm_step(vm);
}

/* A client waits: the next attempt comes sooner, though not at any price. */
static void hurry(struct vm *vm)
{
    uint64_t t = now(vm), due = vm->attempt_ms + VM_CLIENT_LOOKUP_MS;
    uint64_t after = due > t ? due - t : 0;
    if (!timer_active(&vm->timer) || vm->timer.due_ms > t + after)
        timer_start(&vm->timer, after);
}

/* Forgets what is under way and what is known of its whereabouts. */
static void begin_anew(struct vm *vm)
{
    look_up_stop(vm);
    vm->attempts = 0;
    vm->rekeyed = false;
    enter(vm, PROXY_VM_DOWN);
}

void vm_forget_reach(struct vm *vm)
{
    begin_anew(vm);
    reach_clear(&vm->reach);
    reach_clear(&vm->answer);
}

void vm_stop_trying(struct vm *vm)
{
    begin_anew(vm);
    pool_close(&vm->pool);
}

void vm_step(struct vm *vm)
{
    bool needed = vm->wanted || asked_for(vm);
    switch (vm->state) {
    case PROXY_VM_DOWN:
        if (needed)
            look_up(vm, false);
        break;
    case PROXY_VM_IDLE:
        if (asked_for(vm))
            look_up(vm, false);
        else if (!vm->wanted)
            enter(vm, PROXY_VM_DOWN);
        break;
    case PROXY_VM_RESOLVING:
        if (!needed)
            vm_stop_trying(vm);
        else if (vm->answered)
            answered(vm);
        break;
    case PROXY_VM_CONNECTING:
        if (!needed)
            vm_stop_trying(vm);
        break;
    case PROXY_VM_WAITING:
        if (!needed)
            vm_stop_trying(vm);
        else if (asked_for(vm))
            hurry(vm);
        break;
    case PROXY_VM_UP:
        if (pool_up(&vm->pool) == 0)
            look_up(vm, false);
        else
            vm_wait_up(vm); /* a remote forward may have settled */
        break;
    case PROXY_VM_FAILED:
        if (!needed)
            enter(vm, PROXY_VM_DOWN);
        break;
    }
}

void vm_demand(struct vm *vm)
{
    ready_push(vm->plane->o.ready, &vm->kick);
}

void vm_retry(struct vm *vm)
{
    asking_somebody_came(vm);
    if (vm->state == PROXY_VM_FAILED || vm->state == PROXY_VM_WAITING) {
        vm->attempts = 0;
        vm->rekeyed = false;
        look_up(vm, vm->err.code != 0);
    }
    vm_demand(vm);
}

void vm_woke(struct vm *vm)
{
    if (vm->state != PROXY_VM_WAITING)
        return;
    vm->attempts = 0;
    log_info(VM_LOG_CTX(vm), "%s: the machine was asleep; trying again", vm->label);
    timer_start(&vm->timer, backoff_pause(0));
}

int vm_check(const struct vm *vm, struct err *err)
{
    if (vm->state != PROXY_VM_FAILED)
        return 0;
    return err_copy(err, &vm->err, ERR_UNAVAILABLE);
}

void vm_reached(struct vm *vm, uint64_t seq, const struct mail_reach *reach, const struct err *err)
{
    if (!vm->looking || vm->answered || seq != vm->seq)
        return;
    vm->answered = true;
    vm->answer = *reach;
    if (reach->facts)
        vm->answer.facts = resolver_facts_ref(reach->facts);
    vm->answer_err = (struct err){0};
    if (err)
        vm->answer_err = *err;
    vm_demand(vm);
}

/*
 * pool: who gets which connection, in what order, and when there is to be one more or one less.
 *
 *            ┌──────────┐ fd  ┌────┐ up  ┌────┐ flow ┌──────┐ channels ┌────┐
 *   open ──▶ │CONNECTING│ ──▶ │AUTH│ ──▶ │IDLE│ ◀──▶ │ACTIVE│ ◀──────▶ │FULL│
 *            └────┬─────┘     └─┬──┘     └─┬──┘      └──┬───┘          └─┬──┘
 *                 │ failed      │          │ drain      │                │
 *                 ▼             ▼          ▼            ▼                ▼
 *               freed         freed      CLOSED ◀── DRAINING ◀───────────┘
 *                                          │ goodbye said
 *                                          ▼
 *                                        freed
 *
 * Everything that changes what could be given out ends in pool_changed(): the line is looked through on the
 * next turn, oldest first. The decisions themselves are pool_policy's.
 */
#include "pool.h"

#include <assert.h>

#include "vm.h"

static uint64_t now(const struct pool *p)
{
    return clock_now(p->vm->plane->o.clock);
}

size_t pool_up(const struct pool *p)
{
    return p->counts[POOL_IDLE] + p->counts[POOL_ACTIVE] + p->counts[POOL_FULL];
}

size_t pool_connecting(const struct pool *p)
{
    return p->counts[POOL_CONNECTING] + p->counts[POOL_AUTH];
}

size_t pool_total(const struct pool *p)
{
    size_t n = 0;
    for (int s = 0; s < POOL_STATES; s++)
        n += p->counts[s];
    return n;
}

void conn_move(struct pool_conn *c, enum pool_state to)
{
    struct pool *p = c->pool;
    if (!list_empty(&c->node)) {
        list_remove(&c->node);
        p->counts[c->state]--;
    }
    c->state = to;
    if (to == POOL_IDLE)
        c->idle_since_ms = now(p);
    list_push(&p->conns[to], &c->node);
    p->counts[to]++;
}

unsigned pool_load_flows(const struct pool_load *l)
{
    return l->flows[POOL_INTERACTIVE] + l->flows[POOL_UNKNOWN] + l->flows[POOL_BULK];
}

void conn_settle(struct pool_conn *c)
{
    unsigned flows = pool_load_flows(&c->load);
    enum pool_state to = flows == 0 ? POOL_IDLE : flows < SSH_CHANNELS_MAX - 1 ? POOL_ACTIVE : POOL_FULL;
    if (to != c->state || list_empty(&c->node))
        conn_move(c, to);
}

enum pool_growth pool_growth(const struct pool *p)
{
    if (pool_connecting(p) > 0)
        return POOL_GROWTH_UNDER_WAY;
    size_t max = p->vm->config->ssh.connections_max;
    if (max > POOL_CONNECTIONS_MAX)
        max = POOL_CONNECTIONS_MAX;
    bool may = pool_up(p) < max && now(p) >= p->grow_after_ms && !p->vm->dropped && !p->vm->plane->closing;
    return may ? POOL_GROWTH_MAY : POOL_GROWTH_NONE;
}

void pool_grow(struct pool *p)
{
    struct err err = {0};
    if (conn_open(p, &err) < 0)
        pool_conn_failed(p, POOL_STAGE_DIAL, &err);
}

void pool_changed(struct pool *p)
{
    ready_push(p->vm->plane->o.ready, &p->pump);
}

static void retire(struct pool *p)
{
    struct pool_conn *c;
    list_each(c, &p->conns[POOL_IDLE], struct pool_conn, node)
    {
        uint64_t idle = now(p) - c->idle_since_ms;
        if (pool_policy_retire(idle, pool_up(p) - 1, p->vm->config->ssh.idle_timeout_ms))
            conn_close(c);
    }
}

void pool_conn_up(struct pool_conn *c)
{
    struct pool *p = c->pool;
    p->grow_failures = 0;
    conn_settle(c);
    pool_changed(p);
    vm_conn_up(p->vm);
}

void pool_conn_failed(struct pool *p, enum pool_stage stage, const struct err *err)
{
    if (pool_up(p) == 0) {
        vm_conn_failed(p->vm, stage, err);
        return;
    }
    p->grow_after_ms = now(p) + backoff_pause(++p->grow_failures);
    log_warn(VM_LOG_CTX(p->vm), "%s: one more connection: %s; its flows share what is there", p->vm->label,
             err->msg);
    pool_changed(p);
}

void pool_conn_lost(struct pool *p, const struct err *err)
{
    vm_conn_lost(p->vm, err);
    pool_changed(p);
}

void pool_conn_freed(struct pool *p)
{
    if (pool_total(p) == 0)
        vm_pool_empty(p->vm);
}

void pool_drain(struct pool *p)
{
    struct pool_conn *c;
    for (int s = 0; s < POOL_DRAINING; s++) {
        list_each(c, &p->conns[s], struct pool_conn, node)
        {
            if (pool_load_flows(&c->load) > 0)
                conn_move(c, POOL_DRAINING);
            else
                conn_close(c);
        }
    }
}

void pool_close(struct pool *p)
{
    struct pool_conn *c;
    for (int s = 0; s < POOL_CLOSED; s++)
        list_each(c, &p->conns[s], struct pool_conn, node) conn_close(c);
}

static void on_pump(struct ready *r)
{
    pool_pump(container_of(r, struct pool, pump));
}

static void on_tick(struct timer *t)
{
    struct pool *p = container_of(t, struct pool, tick);
    retire(p);
    pool_ticked(p);
}

void pool_init(struct pool *p, struct vm *vm)
{
    *p = (struct pool){.vm = vm};
    for (int s = 0; s < POOL_STATES; s++)
        list_init(&p->conns[s]);
    list_init(&p->waiters);
    timer_init(&p->tick, vm->plane->o.clock, on_tick);
    ready_init(&p->pump, on_pump);
}

void pool_done(struct pool *p)
{
    assert(pool_total(p) == 0 && p->waiter_count == 0);
    timer_stop(&p->tick);
    ready_cancel(&p->pump);
}

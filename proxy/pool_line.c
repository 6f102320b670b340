/*
 * pool_line: the flows that wait for a connection or hold one: in line, served, recalled, expired.
 *
 * The line is looked through oldest first; a class that cannot be served now does not hold up the others. A
 * flow may leave, and its owner go, inside served(): the line is looked through anew after each.
 */
#include <assert.h>

#include "pool.h"
#include "vm.h"

#define SPARE_TICK_MS 5000
#define BUSY_PATIENCE_MS                                                                                     \
    45000 /* beyond the deadline, while the VM is up and merely slow to open channels                        \
           */

static uint64_t now(const struct pool *p)
{
    return clock_now(p->vm->plane->o.clock);
}

/* The connections that are up, with what each carries; returns how many. */
static size_t pool_survey(const struct pool *p, struct pool_conn **conns, struct pool_load *loads)
{
    static const enum pool_state up[] = {POOL_IDLE, POOL_ACTIVE, POOL_FULL};
    size_t n = 0;
    for (size_t s = 0; s < sizeof up / sizeof up[0]; s++) {
        struct pool_conn *c;
        list_each(c, &p->conns[up[s]], struct pool_conn, node)
        {
            if (n == POOL_CONNECTIONS_MAX)
                return n;
            conns[n] = c;
            loads[n] = c->load;
            loads[n].full = c->state == POOL_FULL;
            if (c->load.opening > 0) {
                struct ssh_conn_info info;
                ssh_conn_info(c->ssh, &info);
                loads[n].stuck = pool_policy_stuck(info.oldest_open_ms, info.rtt_us);
                loads[n].behind = pool_policy_behind(c->load.opening, info.rtt_us);
            }
            n++;
        }
    }
    return n;
}

static void waiter_give(struct pool_waiter *w, struct pool_conn *c)
{
    if (!list_empty(&w->node)) {
        list_remove(&w->node);
        w->pool->waiter_count--;
    }
    w->conn = c;
    w->opening = true;
    list_push(&c->opening, &w->node);
    c->load.flows[w->cls]++;
    c->load.opening++;
    conn_settle(c);
    if (w->pool->flow_count++ == 0)
        vm_flows_changed(w->pool->vm);
}

static void tick_start(struct pool *p)
{
    bool watch = p->waiter_count > 0;
    struct pool_conn *c;
    list_each(c, &p->conns[POOL_ACTIVE], struct pool_conn, node) watch = watch || c->load.opening > 0;
    uint64_t ms = watch ? POOL_TICK_MS : SPARE_TICK_MS;
    if (!watch && (p->counts[POOL_IDLE] == 0 || pool_up(p) < 2))
        return;
    if (!timer_active(&p->tick) || p->tick.due_ms > now(p) + ms)
        timer_start(&p->tick, ms);
}

/* Looks through the line; true when one was served (the line may have changed under our feet: look again). */
static bool pool_serve_one(struct pool *p, bool *grow)
{
    struct pool_conn *conns[POOL_CONNECTIONS_MAX];
    struct pool_load loads[POOL_CONNECTIONS_MAX];
    size_t n = pool_survey(p, conns, loads);
    enum pool_growth growth = pool_growth(p);
    bool blocked[POOL_CLASSES] = {false};
    unsigned open_classes = POOL_CLASSES;
    struct pool_waiter *w;
    list_each(w, &p->waiters, struct pool_waiter, node)
    {
        if (blocked[w->cls])
            continue;
        struct pool_choice choice = pool_policy_pick(loads, n, w->cls, growth);
        if (choice.action == POOL_PICK) {
            *grow = *grow || (growth == POOL_GROWTH_MAY && loads[choice.index].behind);
            waiter_give(w, conns[choice.index]);
            w->served(w, NULL);
            return true;
        }
        *grow = *grow || choice.action == POOL_GROW;
        blocked[w->cls] = true;
        if (--open_classes == 0)
            break;
    }
    return false;
}

void pool_pump(struct pool *p)
{
    bool grow = false;
    while (p->waiter_count > 0 && pool_serve_one(p, &grow))
        ;
    if (grow && pool_growth(p) == POOL_GROWTH_MAY)
        pool_grow(p);
    tick_start(p);
}

int pool_get(struct pool *p, struct pool_waiter *w, struct err *err)
{
    assert(!w->pool);
    if (p->waiter_count >= POOL_WAITERS_MAX)
        return err_set(err, ERR_LIMIT, "%u clients wait for it already", POOL_WAITERS_MAX);
    list_init(&w->node);
    w->pool = p;
    w->conn = NULL;
    if (p->waiter_count == 0 && pool_up(p) > 0) {
        struct pool_conn *conns[POOL_CONNECTIONS_MAX];
        struct pool_load loads[POOL_CONNECTIONS_MAX];
        size_t n = pool_survey(p, conns, loads);
        struct pool_choice choice = pool_policy_pick(loads, n, w->cls, pool_growth(p));
        if (choice.action == POOL_PICK) {
            waiter_give(w, conns[choice.index]);
            tick_start(p);
            return 0;
        }
    }
    list_push(&p->waiters, &w->node);
    p->waiter_count++;
    pool_changed(p);
    tick_start(p);
    vm_demand(p->vm);
    return 0;
}

static void opening_over(struct pool_waiter *w)
{
    if (!w->opening)
        return;
    w->opening = false;
    list_remove(&w->node);
    w->conn->load.opening--;
}

void pool_opened(struct pool_waiter *w)
{
    opening_over(w);
    if (w->pool->waiter_count > 0)
        pool_changed(w->pool);
}

/* Gives the connection back; what it does without this flow is up to its state. */
static void conn_release(struct pool_waiter *w)
{
    struct pool_conn *c = w->conn;
    struct pool *p = w->pool;
    opening_over(w);
    w->conn = NULL;
    c->load.flows[w->cls]--;
    if (c->state == POOL_IDLE || c->state == POOL_ACTIVE || c->state == POOL_FULL)
        conn_settle(c);
    else if (c->state == POOL_DRAINING && pool_load_flows(&c->load) == 0)
        conn_close(c);
    if (--p->flow_count == 0)
        vm_flows_changed(p->vm);
}

void pool_leave(struct pool_waiter *w)
{
    struct pool *p = w->pool;
    if (!p)
        return;
    w->pool = p; /* conn_release needs it */
    if (w->conn) {
        conn_release(w);
    } else {
        list_remove(&w->node);
        p->waiter_count--;
    }
    w->pool = NULL;
    if (p->waiter_count > 0)
        pool_changed(p);
    tick_start(p);
}

void pool_join(struct pool_waiter *w, struct pool_conn *c)
{
    assert(!w->pool);
    w->pool = c->pool;
    w->conn = c;
    c->load.flows[w->cls]++;
    if (c->state == POOL_IDLE || c->state == POOL_ACTIVE || c->state == POOL_FULL)
        conn_settle(c);
    if (w->pool->flow_count++ == 0)
        vm_flows_changed(w->pool->vm);
}

void pool_reclass(struct pool_waiter *w, enum pool_class cls)
{
    if (w->conn) {
        w->conn->load.flows[w->cls]--;
        w->conn->load.flows[cls]++;
    }
    w->cls = cls;
}

static void waiter_fail(struct pool_waiter *w, const struct err *err)
{
    pool_leave(w);
    w->served(w, err);
}

void pool_fail_waiters(struct pool *p, const struct err *err)
{
    struct err copy = *err;
    /* Those who get in line again meanwhile stand behind these. */
    for (size_t n = p->waiter_count; n > 0 && !list_empty(&p->waiters); n--)
        waiter_fail(container_of(list_first(&p->waiters), struct pool_waiter, node), &copy);
}

static void expire(struct pool *p)
{
    uint64_t t = now(p), patience = pool_up(p) > 0 ? BUSY_PATIENCE_MS : 0;
    bool asking = asking_patience(p->vm) > 0;
    struct pool_waiter *w;
    list_each(w, &p->waiters, struct pool_waiter, node)
    {
        if (w->gone && w->gone(w)) {
            struct err err = {0};
            err_set(&err, ERR_CANCELED, "the client hung up while it waited");
            waiter_fail(w, &err);
        } else if (t >= w->deadline_ms + patience && !asking) {
            struct err err = {0};
            err_set(&err, ERR_TIMEOUT, "no connection to it in time");
            if (p->vm->err.code && patience == 0)
                err_set(&err, ERR_TIMEOUT, "no connection to it in time; last error: %s", p->vm->err.msg);
            waiter_fail(w, &err);
        }
    }
}

/* Opens that stand behind a stuck one go elsewhere. The one at the head stays: it is the one that is slow. */
static void recall(struct pool *p)
{
    struct pool_conn *conns[POOL_CONNECTIONS_MAX];
    struct pool_load loads[POOL_CONNECTIONS_MAX];
    size_t n = pool_survey(p, conns, loads), free_ones = 0;
    for (size_t i = 0; i < n; i++)
        free_ones += !loads[i].stuck && !loads[i].full;
    if (free_ones == 0 && pool_growth(p) == POOL_GROWTH_NONE)
        return;
    for (size_t i = 0; i < n; i++) {
        struct list *head = &conns[i]->opening;
        while (loads[i].stuck && conns[i]->load.opening > 1) {
            struct pool_waiter *w = container_of(head->prev, struct pool_waiter, node);
            conn_release(w);
            list_push_front(&p->waiters, &w->node);
            p->waiter_count++;
            w->recalled(w);
        }
    }
    if (p->waiter_count > 0)
        pool_changed(p);
}

void pool_ticked(struct pool *p)
{
    expire(p);
    recall(p);
    if (p->waiter_count > 0)
        pool_changed(p); /* the pool may grow again by now */
    tick_start(p);
}

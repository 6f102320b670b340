/*
 * miss: first what is remembered (told in the next turn of the loop), then one query.
 */
#include "miss.h"

#include "base/mem.h"
#include "lookup_near.h"

struct miss {
    struct nearest nearest;
    struct timer turn;
    struct lookup_near *query;
    miss_cb cb;
    void *arg;
};

void miss_cancel(struct miss *m)
{
    timer_stop(&m->turn);
    if (m->query)
        lookup_near_cancel(m->query);
    mem_free(m);
}

static void finish(struct miss *m)
{
    miss_cb cb = m->cb;
    void *arg = m->arg;
    struct nearest nearest = m->nearest;
    miss_cancel(m);
    cb(arg, &nearest);
}

static void on_turn(struct timer *t)
{
    finish(container_of(t, struct miss, turn));
}

static void on_query(void *arg)
{
    struct miss *m = arg;
    m->query = NULL;
    finish(m);
}

static int offer(void *arg, const struct cache_item *item)
{
    struct miss *m = arg;
    struct arm_vm_id vm;
    if (item->facts && arm_vm_id_parse(item->facts->id, &vm))
        nearest_offer(&m->nearest, &vm);
    return 0;
}

static int ask(struct miss *m, const struct miss_options *o, struct err *err)
{
    struct resolver *r = o->resolver;
    struct subscriptions_wait none;
    const char **guids = NULL;
    size_t count = 0;
    if (o->subscription)
        return lookup_near_start(r->azure, &m->nearest, &o->subscription, 1, on_query, m, &m->query, err);
    subscriptions_wait_init(&none, NULL);
    int rc = subscriptions_search(r->subscriptions, false, LOOKUP_NEAR_MS, &none, &guids, &count, err);
    subscriptions_cancel(&none); /* it is not worth waiting for a list */
    if (rc == 0)
        rc = lookup_near_start(r->azure, &m->nearest, guids, count, on_query, m, &m->query, err);
    mem_free(guids);
    return rc;
}

int miss_start(struct miss **out, const struct miss_options *o, miss_cb cb, void *arg, struct err *err)
{
    struct miss *m = mem_zalloc(sizeof(*m));
    if (!m)
        return err_set(err, ERR_NOMEM, "out of memory");
    nearest_init(&m->nearest, o->group, o->name);
    timer_init(&m->turn, o->resolver->clock, on_turn);
    m->cb = cb;
    m->arg = arg;
    cache_each(o->resolver->cache, offer, m);
    if ((m->nearest.count || !o->ask || ask(m, o, NULL)) && timer_start(&m->turn, 0)) {
        mem_free(m);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    *out = m;
    return 0;
}

/*
 * resolver_all: every VM that there is, for `adit resolve --all`.
 *
 *   SUBSCRIPTIONS --list, if one is needed--> QUERY --last page--> done
 */
#include <string.h>

#include "base/mem.h"
#include "facts_build.h"
#include "resolver_private.h"

#define DEADLINE_DEFAULT_MS 30000u

struct resolver_list {
    struct list node; /* in resolver.lists */
    struct resolver *resolver;
    struct subscriptions_wait wait;
    struct lookup_graph *query;
    uint64_t deadline_at;
    resolver_list_cb cb;
    void *arg;
};

void resolver_all_cancel(struct resolver_list *l)
{
    list_remove(&l->node);
    subscriptions_cancel(&l->wait);
    if (l->query)
        lookup_graph_cancel(l->query);
    mem_free(l);
}

void resolver_all_free(struct resolver *r)
{
    struct list *node;
    while ((node = list_first(&r->lists)) != NULL)
        resolver_all_cancel(container_of(node, struct resolver_list, node));
}

static void finish(struct resolver_list *l, struct resolver_facts *const *vms, size_t count,
                   const struct err *err)
{
    resolver_list_cb cb = l->cb;
    void *arg = l->arg;
    resolver_all_cancel(l);
    cb(arg, vms, count, err);
}

/* Those of which ARM itself has not said anything since `since_ms`. */
static void remember(struct resolver *r, struct resolver_facts *const *vms, size_t count, uint64_t since_ms)
{
    char key[CACHE_KEY_MAX];
    for (size_t i = 0; i < count && i < CACHE_ENTRIES_MAX / 2; i++) {
        const struct resolver_facts *copy;
        asked_full_key(key, vms[i]);
        if (vms[i]->power != RESOLVER_POWER_RUNNING || vms[i]->address_count == 0 ||
            cache_put_since(r->cache, key, since_ms) || facts_copy(&copy, vms[i], RESOLVER_SOURCE_CACHE))
            continue;
        cache_put(r->cache, key, copy);
        resolver_facts_unref(copy);
    }
}

static void on_rows(void *arg, struct resolver_facts *const *vms, size_t count, bool answered,
                    const struct err *err)
{
    struct resolver_list *l = arg;
    struct err why;
    (void)answered;
    l->query = NULL;
    if (err) {
        why = *err;
        err_wrap(&why, "looking up every VM");
        finish(l, NULL, 0, &why);
        return;
    }
    uint64_t now = clock_now(l->resolver->clock), young = RESOLVER_GRAPH_LAG_MS;
    remember(l->resolver, vms, count, now > young ? now - young : 0);
    finish(l, vms, count, NULL);
}

static uint32_t time_left(const struct resolver_list *l)
{
    uint64_t now = clock_now(l->resolver->clock);
    return now < l->deadline_at ? (uint32_t)(l->deadline_at - now) : 1;
}

static int ask(struct resolver_list *l, struct err *err)
{
    struct resolver *r = l->resolver;
    const char **guids = NULL;
    size_t count = 0;
    int rc = subscriptions_search(r->subscriptions, false, time_left(l), &l->wait, &guids, &count, err);
    if (rc == 0)
        rc = lookup_graph_start(r->azure, r->clock, NULL, 0, guids, count, time_left(l), on_rows, l,
                                &l->query, err);
    mem_free(guids);
    return rc;
}

static void on_subscriptions(struct subscriptions_wait *w, const struct err *err)
{
    struct resolver_list *l = container_of(w, struct resolver_list, wait);
    struct err why;
    err_clear(&why);
    if (err)
        why = *err;
    if (why.code || ask(l, &why) < 0)
        finish(l, NULL, 0, &why);
}

int resolver_all(struct resolver *r, uint32_t deadline_ms, resolver_list_cb cb, void *arg,
                 struct resolver_list **out, struct err *err)
{
    struct resolver_list *l = mem_zalloc(sizeof(*l));
    if (!l)
        return err_set(err, ERR_NOMEM, "out of memory");
    l->resolver = r;
    l->cb = cb;
    l->arg = arg;
    l->deadline_at = clock_now(r->clock) + (deadline_ms ? deadline_ms : DEADLINE_DEFAULT_MS);
    subscriptions_wait_init(&l->wait, on_subscriptions);
    list_init(&l->node);
    list_push(&r->lists, &l->node);
    int rc = ask(l, err);
    if (rc < 0) {
        resolver_all_cancel(l);
        return rc;
    }
    *out = l;
    return 0;
}

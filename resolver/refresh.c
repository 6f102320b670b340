/*
 * refresh: answers are asked for anew before anyone has to wait for them.
 *
 * Every so often all the names that were asked for within the last day go out together: the batch makes one
 * Resource Graph query of up to 1000 of them. Those that have just been asked of ARM directly stay as they
 * are (the Resource Graph lags behind), and so do instances of Uniform scale sets, of which it knows nothing.
 */
#include <stdio.h>

#include "base/mem.h"
#include "resolver_private.h"

#define USED_MS 86400000u
#define REFRESH_DEADLINE_MS 60000u
#define REFRESH_MAX 4000 /* names in one go */

static void on_refreshed(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    (void)arg;
    (void)facts;
    (void)err; /* kept by the flight; what was remembered stays */
}

void refresh_one(struct resolver *r, const struct asked *asked)
{
    struct flight *f = NULL;
    if (flight_find(r, asked->key, false) || !cache_refresh_due(r->cache, asked->key))
        return;
    struct resolver_req *req = resolver_req_new(r, REFRESH_DEADLINE_MS, on_refreshed, NULL);
    if (!req)
        return;
    req->background = true;
    req->flags = RESOLVER_NO_CACHE;
    if (flight_new(&f, r, asked, false, NULL, REFRESH_DEADLINE_MS, NULL) < 0 || !f) {
        resolver_req_free(req);
        return;
    }
    flight_join(f, req);
    if (timer_start(&req->timer, REFRESH_DEADLINE_MS)) {
        flight_leave(req);
        resolver_req_free(req);
    }
}

struct due {
    struct resolver *r;
    char (*keys)[CACHE_KEY_MAX];
    size_t count, room;
};

static int collect(void *arg, const struct cache_item *item)
{
    struct due *d = arg;
    uint64_t now = clock_now(d->r->clock);
    struct asked a;
    if (!item->facts || item->suspect || !item->asked_ms || now - item->asked_ms > USED_MS ||
        (item->put_ms && now - item->put_ms < RESOLVER_GRAPH_LAG_MS) || !asked_of_key(&a, item->key) ||
        a.instance[0])
        return 0;
    if (d->count == d->room) {
        size_t room = d->room ? 2 * d->room : 16;
        char(*grown)[CACHE_KEY_MAX] = mem_realloc(d->keys, room * sizeof(*grown));
        if (!grown)
            return 1;
        d->keys = grown;
        d->room = room;
    }
    snprintf(d->keys[d->count++], CACHE_KEY_MAX, "%s", item->key);
    return d->count >= REFRESH_MAX;
}

void on_refresh(struct timer *t)
{
    struct resolver *r = container_of(t, struct resolver, refresh);
    struct due d = {.r = r};
    struct asked a;
    cache_each(r->cache, collect, &d);
    for (size_t i = 0; i < d.count; i++)
        if (asked_of_key(&a, d.keys[i]))
            refresh_one(r, &a);
    mem_free(d.keys);
    timer_start(&r->refresh, clock_jitter(r->refresh_ms, 10));
}

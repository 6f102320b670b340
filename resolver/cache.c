/*
 * cache: the table of what is remembered, and its order of use.
 */
#include "cache.h"

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

struct entry {
    struct list used; /* in cache.used, most recently used first */
    char *key;
    const struct resolver_facts *facts; /* or NULL */
    struct err *missing;                /* or NULL */
    uint64_t missing_wall_ms;
    uint64_t until_ms;       /* fresh, or missing, so long */
    uint64_t stale_until_ms; /* fit to be used so long */
    uint64_t again_ms;       /* no refresh before */
    uint64_t put_ms, asked_ms;
    bool suspect;
};

struct cache {
    struct clock *clock;
    uint32_t fresh_ms;
    struct map *entries;
    struct list used;
    void (*changed)(void *arg);
    void *changed_arg;
};

static void entry_free(struct entry *e)
{
    list_remove(&e->used);
    resolver_facts_unref(e->facts);
    mem_free(e->missing);
    mem_free(e->key);
    mem_free(e);
}

int cache_new(struct cache **out, struct clock *clock, uint32_t fresh_ms, struct err *err)
{
    struct cache *c = mem_zalloc(sizeof(*c));
    struct map *entries = map_new(true);
    if (!c || !entries) {
        mem_free(c);
        map_free(entries, NULL);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    c->clock = clock;
    c->fresh_ms = fresh_ms;
    c->entries = entries;
    list_init(&c->used);
    *out = c;
    return 0;
}

void cache_free(struct cache *c)
{
    struct list *node;
    if (!c)
        return;
    while ((node = list_first(&c->used)) != NULL)
        entry_free(container_of(node, struct entry, used));
    map_free(c->entries, NULL);
    mem_free(c);
}

void cache_on_change(struct cache *c, void (*changed)(void *arg), void *arg)
{
    c->changed = changed;
    c->changed_arg = arg;
}

static void tell(struct cache *c)
{
    if (c->changed)
        c->changed(c->changed_arg);
}

static void drop(struct cache *c, struct entry *e)
{
    map_remove(c->entries, e->key);
    entry_free(e);
}

static void to_front(struct cache *c, struct entry *e)
{
    list_remove(&e->used);
    list_push_front(&c->used, &e->used);
}

static struct entry *entry_make(struct cache *c, const char *key)
{
    struct entry *e = map_get(c->entries, key);
    if (e)
        return e;
    if (map_count(c->entries) >= CACHE_ENTRIES_MAX)
        drop(c, container_of(c->used.prev, struct entry, used));
    e = mem_zalloc(sizeof(*e));
    if (!e)
        return NULL;
    list_init(&e->used);
    e->key = mem_strdup(key);
    if (!e->key || map_set(c->entries, key, e, NULL)) {
        entry_free(e);
        return NULL;
    }
    list_push(&c->used, &e->used);
    return e;
}

enum cache_answer cache_get(struct cache *c, const char *key, const struct resolver_facts **facts,
                            const struct err **missing)
{
    struct entry *e = map_get(c->entries, key);
    uint64_t now = clock_now(c->clock);
    if (!e)
        return CACHE_NOTHING;
    to_front(c, e);
    e->asked_ms = now;
    if (e->missing && now < e->until_ms) {
        *missing = e->missing;
        return CACHE_MISSING;
    }
    if (!e->facts)
        return CACHE_NOTHING;
    *facts = e->facts;
    if (e->suspect)
        return CACHE_HINT;
    return now < e->until_ms ? CACHE_FRESH : now < e->stale_until_ms ? CACHE_STALE : CACHE_NOTHING;
}

/* Whether it may stay so for long: a VM that is off, or on its way, may be up in a moment. */
static bool is_settled(const struct resolver_facts *f)
{
    return f->power == RESOLVER_POWER_RUNNING || f->power == RESOLVER_POWER_UNKNOWN;
}

static uint64_t age_of(const struct resolver_facts *f)
{
    uint64_t now = clock_wall_ms();
    if (f->fetched_wall_ms > now) /* the clock was set back: it may be of any age */
        return CACHE_STALE_MS;
    return now - f->fetched_wall_ms;
}

const struct resolver_facts *cache_last_resort(struct cache *c, const char *key)
{
    struct entry *e = map_get(c->entries, key);
    return e && e->facts && is_settled(e->facts) && age_of(e->facts) < CACHE_KEEP_MS ? e->facts : NULL;
}

bool cache_refresh_due(struct cache *c, const char *key)
{
    struct entry *e = map_get(c->entries, key);
    uint64_t now = clock_now(c->clock);
    if (!e || now < e->again_ms)
        return false;
    e->again_ms = now + CACHE_AGAIN_MS;
    return true;
}

static void set_facts(struct entry *e, const struct resolver_facts *facts)
{
    resolver_facts_ref(facts);
    resolver_facts_unref(e->facts);
    e->facts = facts;
    mem_free(e->missing);
    e->missing = NULL;
}

void cache_put(struct cache *c, const char *key, const struct resolver_facts *facts)
{
    struct entry *e = entry_make(c, key);
    if (!e)
        return;
    uint64_t now = clock_now(c->clock);
    set_facts(e, facts);
    to_front(c, e);
    e->suspect = false;
    e->put_ms = now;
    e->until_ms = now + (is_settled(facts) ? c->fresh_ms : CACHE_UNSETTLED_MS);
    e->stale_until_ms = is_settled(facts) ? now + CACHE_STALE_MS : 0;
    tell(c);
}

void cache_asked(struct cache *c, const char *key)
{
    struct entry *e = map_get(c->entries, key);
    if (e)
        e->asked_ms = clock_now(c->clock);
}

void cache_load(struct cache *c, const char *key, const struct resolver_facts *facts, bool sure, bool suspect)
{
    uint64_t now = clock_now(c->clock), age = age_of(facts);
    if (age >= CACHE_KEEP_MS || map_get(c->entries, key))
        return;
    struct entry *e = entry_make(c, key);
    if (!e)
        return;
    set_facts(e, facts);
    e->suspect = suspect && sure;
    if (!sure || !is_settled(facts))
        return;
    e->until_ms = age < c->fresh_ms ? now + (c->fresh_ms - age) : 0;
    e->stale_until_ms = age < CACHE_STALE_MS ? now + (CACHE_STALE_MS - age) : 0;
}

static struct entry *missing_make(struct cache *c, const char *key)
{
    struct entry *e = entry_make(c, key);
    if (!e)
        return NULL;
    resolver_facts_unref(e->facts);
    e->facts = NULL;
    e->suspect = false;
    e->put_ms = e->stale_until_ms = 0;
    if (!e->missing)
        e->missing = mem_alloc(sizeof(*e->missing));
    if (e->missing)
        return e;
    drop(c, e);
    return NULL;
}

void cache_put_missing(struct cache *c, const char *key, const struct err *err)
{
    struct entry *e = missing_make(c, key);
    if (!e)
        return;
    *e->missing = *err;
    e->missing_wall_ms = clock_wall_ms();
    e->until_ms = clock_now(c->clock) + CACHE_MISSING_MS;
    to_front(c, e);
    tell(c);
}

void cache_load_missing(struct cache *c, const char *key, const char *message, uint64_t since_wall_ms)
{
    uint64_t now = clock_wall_ms();
    if (since_wall_ms > now || now - since_wall_ms >= CACHE_MISSING_MS || map_get(c->entries, key))
        return;
    struct entry *e = missing_make(c, key);
    if (!e)
        return;
    err_set(e->missing, ERR_NOTFOUND, "%s", message);
    e->missing_wall_ms = since_wall_ms;
    e->until_ms = clock_now(c->clock) + CACHE_MISSING_MS - (now - since_wall_ms);
}

bool cache_put_since(struct cache *c, const char *key, uint64_t since_ms)
{
    struct entry *e = map_get(c->entries, key);
    return e && e->facts && !e->suspect && e->put_ms && e->put_ms >= since_ms;
}

void cache_suspect(struct cache *c, const char *key)
{
    struct entry *e = map_get(c->entries, key);
    if (!e || (e->suspect && e->facts))
        return;
    e->suspect = true;
    if (!e->facts)
        drop(c, e);
    tell(c);
}

void cache_forget(struct cache *c, const char *key)
{
    struct entry *e = map_get(c->entries, key);
    if (!e)
        return;
    drop(c, e);
    tell(c);
}

void cache_each(struct cache *c, cache_visit_cb visit, void *arg)
{
    struct entry *e;
    list_each(e, &c->used, struct entry, used)
    {
        const struct cache_item item = {.key = e->key,
                                        .facts = e->facts,
                                        .missing = e->missing,
                                        .missing_wall_ms = e->missing_wall_ms,
                                        .put_ms = e->put_ms,
                                        .asked_ms = e->asked_ms,
                                        .suspect = e->suspect};
        if (visit(arg, &item))
            return;
    }
}

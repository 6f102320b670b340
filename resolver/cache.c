/*
 * cache: the table of what is remembered, and its order of use.
 */
#include "cache.h"

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

struct entry {
    struct list used; /* in cache.used, least recently used first */
    char *key;
    const struct resolver_facts *facts; /* or NULL */
    struct err *missing;                /* or NULL */
    uint64_t until_ms;                  /* fresh, or missing, so long */
    bool suspect;
};

struct cache {
    struct clock *clock;
    uint32_t fresh_ms;
    struct map *entries;
    struct list used;
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

static void forget(struct cache *c, struct entry *e)
{
    map_remove(c->entries, e->key);
    entry_free(e);
}

static struct entry *entry_make(struct cache *c, const char *key)
{
    struct entry *e = map_get(c->entries, key);
    if (e) {
        list_move(&c->used, &e->used);
        return e;
    }
    if (map_count(c->entries) >= CACHE_ENTRIES_MAX)
        forget(c, container_of(list_first(&c->used), struct entry, used));
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
    if (!e)
        return CACHE_NOTHING;
    bool in_time = clock_now(c->clock) < e->until_ms;
    list_move(&c->used, &e->used);
    if (e->missing && in_time) {
        *missing = e->missing;
        return CACHE_MISSING;
    }
    if (!e->facts)
        return CACHE_NOTHING;
    *facts = e->facts;
    if (e->suspect)
        return CACHE_HINT;
    return in_time && !e->missing ? CACHE_FRESH : CACHE_NOTHING;
}

/* Whether it may stay so for long: a VM that is off, or on its way, may be up in a moment. */
static bool is_settled(const struct resolver_facts *f)
{
    return f->power == RESOLVER_POWER_RUNNING || f->power == RESOLVER_POWER_UNKNOWN;
}

void cache_put(struct cache *c, const char *key, const struct resolver_facts *facts)
{
    struct entry *e = entry_make(c, key);
    if (!e)
        return;
    resolver_facts_unref(e->facts);
    e->facts = resolver_facts_ref(facts);
    mem_free(e->missing);
    e->missing = NULL;
    e->suspect = false;
    e->until_ms = clock_now(c->clock) + (is_settled(facts) ? c->fresh_ms : CACHE_UNSETTLED_MS);
}

void cache_put_missing(struct cache *c, const char *key, const struct err *err)
{
    struct entry *e = entry_make(c, key);
    if (!e)
        return;
    resolver_facts_unref(e->facts);
    e->facts = NULL;
    if (!e->missing)
        e->missing = mem_alloc(sizeof(*e->missing));
    if (!e->missing) {
        forget(c, e);
        return;
    }
    *e->missing = *err;
    e->suspect = false;
    e->until_ms = clock_now(c->clock) + CACHE_MISSING_MS;
}

void cache_suspect(struct cache *c, const char *key)
{
    struct entry *e = map_get(c->entries, key);
    if (!e)
        return;
    e->suspect = true;
    if (!e->facts)
        forget(c, e);
}

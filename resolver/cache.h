/*
 * cache: what is remembered of VMs, in memory: facts while they are fresh or fit to be used while they are
 * asked for anew, "there is none" for a few seconds.
 *
 * A name may be asked for in several spellings, each a key of its own; case does not count. The least
 * recently used go first. Ages are those of what ARM said, so that what comes from the disk is as old as it
 * is. Thread: the loop's.
 */
#ifndef ADIT_RESOLVER_CACHE_H
#define ADIT_RESOLVER_CACHE_H

#include "base/clock.h"
#include "facts.h"

#define CACHE_ENTRIES_MAX 8192
#define CACHE_MISSING_MS 10000u          /* how long "there is none" holds */
#define CACHE_UNSETTLED_MS 10000u        /* how long facts of a VM that does not run are fresh */
#define CACHE_STALE_MS 86400000u         /* so old an answer is used at once while it is asked for anew */
#define CACHE_KEEP_MS (30 * 86400000ull) /* older ones are not even a last resort */
#define CACHE_AGAIN_MS 30000u            /* between two refreshes of one name */
#define CACHE_KEY_MAX 1024

struct cache;

enum cache_answer {
    CACHE_NOTHING, /* never heard of, or too old and not even a hint */
    CACHE_FRESH,   /* facts may be used as they are */
    CACHE_STALE,   /* facts may be used now, and should be asked for anew: see cache_refresh_due() */
    CACHE_HINT,    /* facts say where the VM was, but ARM must be asked directly */
    CACHE_MISSING, /* err says that there is no such VM */
};

int cache_new(struct cache **out, struct clock *clock, uint32_t fresh_ms, struct err *err); /* ERR_NOMEM */
void cache_free(struct cache *c);

/* Borrowed until the next call. */
enum cache_answer cache_get(struct cache *c, const char *key, const struct resolver_facts **facts,
                            const struct err **missing);

/* The facts of a running VM, whatever is held against them, for when ARM cannot be asked; or NULL. Borrowed.
 */
const struct resolver_facts *cache_last_resort(struct cache *c, const char *key);

/* Whether a refresh may start now; the next one not before CACHE_AGAIN_MS. */
bool cache_refresh_due(struct cache *c, const char *key);

/* Remembers; out of memory only forgets. */
void cache_put(struct cache *c, const char *key, const struct resolver_facts *facts);
void cache_put_missing(struct cache *c, const char *key, const struct err *err);

/* Somebody has asked for it who was told without the cache. */
void cache_asked(struct cache *c, const char *key);

/* From the disk. sure: the key means the same VM whoever is signed in; without it facts are a last resort.
 * What is there already stays. */
void cache_load(struct cache *c, const char *key, const struct resolver_facts *facts, bool sure,
                bool suspect);
void cache_load_missing(struct cache *c, const char *key, const char *message, uint64_t since_wall_ms);

/* Whether facts were put under this key at clock_now() ≥ since_ms and nothing is held against them. */
bool cache_put_since(struct cache *c, const char *key, uint64_t since_ms);

/* What is there is from now on a hint only (or forgotten, if it is "there is none"). */
void cache_suspect(struct cache *c, const char *key);
void cache_forget(struct cache *c, const char *key);

/* One entry, the most recently used first; facts or missing is set. Nothing may be changed meanwhile.
 * Non-zero stops. */
struct cache_item {
    const char *key;
    const struct resolver_facts *facts;
    const struct err *missing;
    uint64_t missing_wall_ms;  /* since when */
    uint64_t put_ms, asked_ms; /* clock_now(); 0: never, in this life */
    bool suspect;
};
typedef int (*cache_visit_cb)(void *arg, const struct cache_item *item);
void cache_each(struct cache *c, cache_visit_cb visit, void *arg);

/* After every change. One at most; NULL for none. */
void cache_on_change(struct cache *c, void (*changed)(void *arg), void *arg);

#endif

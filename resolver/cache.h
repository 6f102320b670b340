/*
 * cache: what is remembered of VMs, in memory: facts while they are fresh, "there is none" for a few seconds.
 *
 * A name may be asked for in several spellings, each a key of its own; case does not count. The least
 * recently used go first. Thread: the loop's.
 */
#ifndef ADIT_RESOLVER_CACHE_H
#define ADIT_RESOLVER_CACHE_H

#include "base/clock.h"
#include "facts.h"

#define CACHE_ENTRIES_MAX 8192
#define CACHE_MISSING_MS 10000u   /* how long "there is none" holds */
#define CACHE_UNSETTLED_MS 10000u /* how long facts of a VM that does not run are fresh */
#define CACHE_KEY_MAX 1024

struct cache;

enum cache_answer {
    CACHE_NOTHING, /* never heard of, or too old and not even a hint */
    CACHE_FRESH,   /* facts may be used as they are */
    CACHE_HINT,    /* facts say where the VM was, but ARM must be asked directly */
    CACHE_MISSING, /* err says that there is no such VM */
};

int cache_new(struct cache **out, struct clock *clock, uint32_t fresh_ms, struct err *err); /* ERR_NOMEM */
void cache_free(struct cache *c);

/* Borrowed until the next call. */
enum cache_answer cache_get(struct cache *c, const char *key, const struct resolver_facts **facts,
                            const struct err **missing);

/* Remembers; out of memory only forgets. */
void cache_put(struct cache *c, const char *key, const struct resolver_facts *facts);
void cache_put_missing(struct cache *c, const char *key, const struct err *err);

/* What is there is from now on a hint only (or forgotten, if it is "there is none"). */
void cache_suspect(struct cache *c, const char *key);

#endif

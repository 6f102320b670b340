/*
 * cache_file: the cache on disk: read once at the start, written a little after it has changed.
 *
 * One file a scope (cloud, tenant, identity, subscriptions), so that what is known of one is never taken for
 * another's. Mode 0600, replaced in one step by a thread of the pool; the last changes are written at the
 * close. A file that is damaged, another's, or open to others is ignored with a warning and replaced. Thread:
 * the loop's.
 */
#ifndef ADIT_RESOLVER_CACHE_FILE_H
#define ADIT_RESOLVER_CACHE_FILE_H

#include <uv.h>

#include "cache.h"

#define CACHE_FILE_DELAY_MS 1000u

struct cache_file;

struct cache_file_options {
    uv_loop_t *loop;
    struct clock *clock;
    struct cache *cache; /* outlives it */
    const char *dir;     /* made if need be */
    const char *scope;   /* copied */
    bool sure;           /* see cache_load() */
};

/* Fills the cache with what is there. ERR_NOMEM, or why there cannot be a file in that directory. */
int cache_file_open(struct cache_file **out, const struct cache_file_options *o, struct err *err);
void cache_file_close(struct cache_file *f); /* blocks for a write if something has changed; NULL is fine */

#endif

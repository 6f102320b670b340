/*
 * map: a hash table from strings to pointers, keyed hashing (SipHash) so that a peer cannot pick collisions.
 *
 * The map copies keys and borrows values. Thread: none of its own.
 */
#ifndef ADIT_BASE_MAP_H
#define ADIT_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct map;

struct map *
map_new(bool fold_case); /* fold_case: ASCII case does not count (Azure names). NULL when out of memory */
void map_free(struct map *m, void (*free_value)(void *)); /* free_value may be NULL; m may be NULL */

int map_set(struct map *m, const char *key, void *value,
            void **old);                             /* ERR_NOMEM; old (may be NULL) gets what was there */
void *map_get(const struct map *m, const char *key); /* NULL when absent */
void *map_remove(struct map *m, const char *key);    /* gives back the value */
size_t map_count(const struct map *m);

/* Calls visit for each entry in unspecified order; visit may not change the map; non-zero stops and is
 * returned. */
int map_each(const struct map *m, int (*visit)(void *arg, const char *key, void *value), void *arg);

#endif

/*
 * map: open addressing with linear probing; removal closes the gap, so that no tombstones pile up.
 */
#include "map.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "err.h"
#include "mem.h"
#include "siphash.h"

struct slot {
    char *key; /* NULL: free */
    void *value;
    uint64_t hash;
};

struct map {
    struct slot *slots;
    size_t cap, count; /* cap: a power of two, or 0 */
    bool fold_case;
};

static uint64_t hash_key[2];
static uv_once_t hash_key_once = UV_ONCE_INIT;

static void hash_key_draw(void)
{
    if (uv_random(NULL, NULL, hash_key, sizeof hash_key, 0, NULL) == 0)
        return;
    hash_key[0] = uv_hrtime() ^ (uint64_t)getpid() << 32;
    hash_key[1] = (uint64_t)time(NULL) ^ (uint64_t)(uintptr_t)&hash_key;
}

static unsigned char fold(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

/* SipHash-1-3 (Aumasson, Bernstein 2012) of the key, folded on the way in when case does not count. */
static uint64_t hash_of(const struct map *m, const char *key)
{
    uint64_t v[4];
    uint64_t word = 0;
    size_t n = 0;
    siphash_begin(v, hash_key);
    for (const unsigned char *p = (const unsigned char *)key; *p; p++) {
        word |= (uint64_t)(m->fold_case ? fold(*p) : *p) << (n % 8 * 8);
        if (++n % 8 == 0) {
            v[3] ^= word;
            siphash_round(v);
            v[0] ^= word;
            word = 0;
        }
    }
    word |= (uint64_t)n << 56;
    v[3] ^= word;
    siphash_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        siphash_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static bool same(const struct map *m, const char *a, const char *b)
{
    if (!m->fold_case)
        return strcmp(a, b) == 0;
    while (*a && fold((unsigned char)*a) == fold((unsigned char)*b))
        a++, b++;
    return fold((unsigned char)*a) == fold((unsigned char)*b);
}

struct map *map_new(bool fold_case)
{
    uv_once(&hash_key_once, hash_key_draw);
    struct map *m = mem_zalloc(sizeof *m);
    if (m)
        m->fold_case = fold_case;
    return m;
}

void map_free(struct map *m, void (*free_value)(void *))
{
    if (!m)
        return;
    for (size_t i = 0; i < m->cap; i++) {
        if (!m->slots[i].key)
            continue;
        if (free_value)
            free_value(m->slots[i].value);
        mem_free(m->slots[i].key);
    }
    mem_free(m->slots);
    mem_free(m);
}

/* The slot that holds the key, or the free one where it belongs. There is always a free one. */
static struct slot *slot_of(const struct map *m, uint64_t hash, const char *key)
{
    size_t mask = m->cap - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct slot *s = &m->slots[i];
        if (!s->key || (s->hash == hash && same(m, s->key, key)))
            return s;
    }
}

static int grow(struct map *m)
{
    size_t cap = m->cap ? m->cap * 2 : 16;
    struct slot *slots = mem_calloc(cap, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    for (size_t i = 0; i < m->cap; i++) {
        if (!m->slots[i].key)
            continue;
        size_t to = m->slots[i].hash & (cap - 1);
        while (slots[to].key)
            to = (to + 1) & (cap - 1);
        slots[to] = m->slots[i];
    }
    mem_free(m->slots);
    m->slots = slots;
    m->cap = cap;
    return 0;
}

int map_set(struct map *m, const char *key, void *value, void **old)
{
    if (old)
        *old = NULL;
    uint64_t hash = hash_of(m, key);
    struct slot *s = m->cap ? slot_of(m, hash, key) : NULL;
    if (s && s->key) {
        if (old)
            *old = s->value;
        s->value = value;
        return 0;
    }
    char *copy = mem_strdup(key);
    if (!copy)
        return ERR_NOMEM;
    if (m->count >= m->cap / 4 * 3) {
        if (grow(m) < 0) {
            mem_free(copy);
            return ERR_NOMEM;
        }
        s = slot_of(m, hash, key);
    }
    assert(s);
    *s = (struct slot){copy, value, hash};
    m->count++;
    return 0;
}

void *map_get(const struct map *m, const char *key)
{
    if (m->count == 0)
        return NULL;
    const struct slot *s = slot_of(m, hash_of(m, key), key);
    return s->key ? s->value : NULL;
}

void *map_remove(struct map *m, const char *key)
{
    if (m->count == 0)
        return NULL;
    struct slot *s = slot_of(m, hash_of(m, key), key);
    if (!s->key)
        return NULL;
    void *value = s->value;
    mem_free(s->key);
    m->count--;
    /* Entries behind the gap move into it unless they would land before their own place. */
    size_t mask = m->cap - 1, gap = (size_t)(s - m->slots);
    for (size_t i = (gap + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            m->slots[gap] = m->slots[i];
            gap = i;
        }
    }
    m->slots[gap] = (struct slot){NULL, NULL, 0};
    return value;
}

size_t map_count(const struct map *m)
{
    return m->count;
}

int map_each(const struct map *m, int (*visit)(void *arg, const char *key, void *value), void *arg)
{
    for (size_t i = 0; i < m->cap; i++) {
        if (!m->slots[i].key)
            continue;
        int r = visit(arg, m->slots[i].key, m->slots[i].value);
        if (r != 0)
            return r;
    }
    return 0;
}

/*
 * tenants: a small map from subscription to tenant.
 */
#include "tenants.h"

#include <stdbool.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define TENANTS_MAX 256
#define SUBSCRIPTION_SIZE 64

struct tenants {
    struct map *map;
};

struct tenants *tenants_new(void)
{
    struct tenants *t = mem_zalloc(sizeof(*t));
    if (t)
        t->map = map_new(true);
    if (t && t->map)
        return t;
    mem_free(t);
    return NULL;
}

void tenants_free(struct tenants *t)
{
    if (!t)
        return;
    map_free(t->map, mem_free);
    mem_free(t);
}

static bool subscription_of(const char *url, char out[SUBSCRIPTION_SIZE])
{
    static const char before[] = "/subscriptions/";
    const char *p = strcasestr(url, before);
    p = p ? p + sizeof(before) - 1 : "";
    size_t n = strcspn(p, "/?#");
    if (n == 0 || n >= SUBSCRIPTION_SIZE)
        return false;
    memcpy(out, p, n);
    out[n] = 0;
    return true;
}

const char *tenants_get(const struct tenants *t, const char *url)
{
    char subscription[SUBSCRIPTION_SIZE];
    return subscription_of(url, subscription) ? map_get(t->map, subscription) : NULL;
}

void tenants_learn(struct tenants *t, const char *url, const char *tenant)
{
    char subscription[SUBSCRIPTION_SIZE];
    void *old = NULL;
    if (!subscription_of(url, subscription) || map_count(t->map) >= TENANTS_MAX)
        return;
    char *copy = mem_strdup(tenant);
    if (!copy)
        return;
    if (map_set(t->map, subscription, copy, &old))
        mem_free(copy);
    mem_free(old);
}

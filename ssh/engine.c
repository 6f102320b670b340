/*
 * engine: finds an engine by its name, and for "auto" the one that suits a host.
 *
 * "auto" is the native engine, until a host turned out to have no algorithm in common with it: that host gets
 * libssh2, which knows older ones, for as long as this process lives and remembers it.
 */
#include "engine.h"

#include <stdatomic.h>
#include <string.h>

#include "base/siphash.h"

#define HOSTS 256 /* that are remembered; the oldest is forgotten first */

static const struct ssh_engine_ops *extra;
static _Atomic uint64_t old_hosts[HOSTS]; /* by hash; workers on several threads read and add */
static atomic_uint old_next;

void ssh_engine_set_extra(const struct ssh_engine_ops *ops)
{
    extra = ops;
}

static bool is_auto(const char *name)
{
    return !name || strcmp(name, "auto") == 0;
}

static uint64_t hash(const char *host)
{
    static const uint64_t key[2];
    uint64_t h = siphash(key, host, strlen(host));
    return h ? h : 1;
}

static bool is_old(const char *host)
{
    uint64_t h = hash(host);
    for (size_t i = 0; i < HOSTS; i++)
        if (atomic_load_explicit(&old_hosts[i], memory_order_relaxed) == h)
            return true;
    return false;
}

bool ssh_engine_fall_back(const char *name, const struct ssh_engine_ops *used, const char *host)
{
    if (!is_auto(name) || used != &ssh_engine_native || is_old(host))
        return false;
    atomic_store(&old_hosts[atomic_fetch_add(&old_next, 1) % HOSTS], hash(host));
    return true;
}

const struct ssh_engine_ops *ssh_engine_find(const char *name, const char *host)
{
    if (is_auto(name))
        return is_old(host) ? &ssh_engine_libssh2 : &ssh_engine_native;
    if (strcmp(name, ssh_engine_libssh2.name) == 0)
        return &ssh_engine_libssh2;
    if (strcmp(name, ssh_engine_native.name) == 0)
        return &ssh_engine_native;
    if (extra && strcmp(name, extra->name) == 0)
        return extra;
    return NULL;
}

static bool knows_any(const struct ssh_engine_ops *ops, enum ssh_method method, const char *list)
{
    if (!ops || !ops->knows)
        return true;
    for (const char *p = list; *p;) {
        char name[128];
        size_t n = strcspn(p, ",");
        if (n > 0 && n < sizeof name) {
            memcpy(name, p, n);
            name[n] = '\0';
            if (ops->knows(method, name))
                return true;
        }
        p += n;
        p += *p == ',';
    }
    return false;
}

bool ssh_engine_knows_any(const char *engine, enum ssh_method method, const char *list)
{
    if (is_auto(engine))
        return knows_any(&ssh_engine_native, method, list) || knows_any(&ssh_engine_libssh2, method, list);
    return knows_any(ssh_engine_find(engine, ""), method, list);
}

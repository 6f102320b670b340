/*
 * engine: finds an engine by its name.
 */
#include "engine.h"

#include <string.h>

static const struct ssh_engine_ops *extra;

void ssh_engine_set_extra(const struct ssh_engine_ops *ops)
{
    extra = ops;
}

const struct ssh_engine_ops *ssh_engine_find(const char *name)
{
    if (!name || strcmp(name, "auto") == 0)
        return &ssh_engine_libssh2;
    if (strcmp(name, ssh_engine_libssh2.name) == 0)
        return &ssh_engine_libssh2;
    if (extra && strcmp(name, extra->name) == 0)
        return extra;
    return NULL;
}

bool ssh_engine_knows_any(const char *engine, enum ssh_method method, const char *list)
{
    const struct ssh_engine_ops *ops = ssh_engine_find(engine);
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

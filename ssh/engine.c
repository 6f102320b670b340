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

/*
 * arm_writes: keeps a list of the requests that could change something, so that a test can say that none was
 * sent.
 */
#include <string.h>

#include "sandbox.h"

#define KEPT_MAX 2000

/* POST is for actions; some only ask something. */
static bool writes(const struct arm_call *c)
{
    bool asks = !c->route || c->only_reads || c->route->handler == arm_graph ||
                c->route->handler == arm_effective_nsgs;
    return !asks && strcmp(c->q->method, "GET") != 0 && strcmp(c->q->method, "HEAD") != 0;
}

void arm_write_note(const struct arm_call *c)
{
    struct arm *a = &c->sb->arm;
    if (!writes(c))
        return;
    a->writes_count++;
    if (json_array_size(a->writes) < KEPT_MAX)
        json_array_append_new(a->writes, json_pack("{s:s,s:s,s:s,s:i}", "method", c->q->method, "path",
                                                   c->q->path, "kind", c->route->kind, "status",
                                                   c->r->status ? (int)c->r->status : 200));
}

json_t *arm_writes_json(const struct arm *a)
{
    return json_pack("{s:i,s:O}", "count", (int)a->writes_count, "writes", a->writes);
}

void arm_writes_clear(struct arm *a)
{
    a->writes_count = 0;
    json_array_clear(a->writes);
}

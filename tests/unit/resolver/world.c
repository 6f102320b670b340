/*
 * world: writes ARM's replies for the VMs of a test.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void world_reopen(struct world *w, const char *const *subscriptions, size_t count)
{
    struct resolver_options options = {.azure = w->rig->azure,
                                       .clock = w->rig->clock,
                                       .subscriptions = subscriptions,
                                       .subscription_count = count,
                                       .fresh_ms = w->fresh_ms,
                                       .loop = &w->rig->loop,
                                       .cache_dir = w->cache_dir,
                                       .cache_scope = w->cache_scope};
    struct err err;
    resolver_free(w->resolver);
    w->resolver = NULL;
    if (resolver_new(&w->resolver, &options, &err))
        fail_msg("%s", err.msg);
}

void world_reopen_same(struct world *w)
{
    static const char *const subscriptions[] = {SUB};
    world_reopen(w, subscriptions, 1);
}

int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    void *rig;
    if (rig_setup(&rig))
        return -1;
    w->rig = rig;
    world_reopen_same(w);
    *state = w;
    return 0;
}

int world_teardown(void **state)
{
    struct world *w = *state;
    void *rig = w->rig;
    resolver_free(w->resolver);
    free(w);
    return rig_teardown(&rig);
}

static void replace(struct world *w, const char *route, int status, const char *body)
{
    fake_arm_forget(w->rig->arm, route);
    fake_arm_on(w->rig->arm, route, status, NULL, body);
}

void world_vm(struct world *w, const char *group, const char *name, const char *power, const char *private_ip,
              const char *public_ip)
{
    char route[512], body[2048], public_part[256] = "";
    snprintf(route, sizeof(route), "GET " VM_PATH("%s", "%s") "?$expand=instanceView", group, name);
    snprintf(body, sizeof(body),
             "{\"id\":\"" VM_PATH("%s", "%s") "\",\"properties\":{\"vmId\":\"vmid-%s\",\"networkProfile\":{"
                                              "\"networkInterfaces\":[{\"id\":\"" NIC_PATH(
                                                  "%s-nic") "\"}]},\"instanceView\":{\"statuses\":["
                                                            "{\"code\":\"PowerState/%s\"}]}}}",
             group, name, name, name, power);
    replace(w, route, 200, body);
    if (public_ip)
        snprintf(public_part, sizeof(public_part),
                 ",\"publicIPAddress\":{\"properties\":{\"ipAddress\":\"%s\"}}", public_ip);
    snprintf(route, sizeof(route), "GET " NIC_PATH("%s-nic") "?$expand=IPConfigurations/PublicIPAddress&",
             name);
    snprintf(body, sizeof(body),
             "{\"properties\":{\"ipConfigurations\":[{\"properties\":{\"primary\":true,\"privateIPAddress\":"
             "\"%s\"%s}}]}}",
             private_ip ? private_ip : "", public_part);
    replace(w, route, 200, body);
}

void world_no_vm(struct world *w, const char *group, const char *name)
{
    char route[512];
    snprintf(route, sizeof(route), "GET " VM_PATH("%s", "%s") "?$expand=instanceView", group, name);
    replace(w, route, 404, NO_SUCH("ResourceNotFound"));
}

void world_graph(struct world *w, const char *rows)
{
    char body[8192];
    snprintf(body, sizeof(body),
             "{\"totalRecords\":1,\"count\":1,\"data\":[%s],\"resultTruncated\":\"false\"}", rows);
    replace(w, GRAPH, 200, body);
}

void found_cb(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct found *f = arg;
    f->count++;
    f->facts = facts ? resolver_facts_ref(facts) : NULL;
    err_clear(&f->err);
    if (err)
        f->err = *err;
    assert_true(!facts != !err);
}

void found_done(struct found *f)
{
    resolver_facts_unref(f->facts);
    memset(f, 0, sizeof(*f));
}

/* Cuts text in place. */
static struct resolver_name name_of(char *text)
{
    struct resolver_name n = {0};
    char *last = text[0] == '/' ? NULL : strrchr(text, '/');
    n.name = last ? last + 1 : text;
    if (last) {
        *last = 0;
        char *first = strchr(text, '/');
        n.group = first ? first + 1 : text;
        n.subscription = first ? text : NULL;
        if (first)
            *first = 0;
    }
    return n;
}

struct resolver_req *world_ask(struct world *w, const char *name, unsigned flags, uint32_t deadline_ms,
                               struct found *found)
{
    char text[512];
    struct resolver_req *req = NULL;
    struct err err;
    snprintf(text, sizeof(text), "%s", name);
    struct resolver_name n = name_of(text);
    memset(found, 0, sizeof(*found));
    if (resolver_lookup(w->resolver, &n, flags, deadline_ms, found_cb, found, &req, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(found->count, 0);
    return req;
}

void world_find(struct world *w, const char *name, unsigned flags, struct found *found)
{
    world_ask(w, name, flags, 0, found);
    rig_until(w->rig, &found->count, 1);
}

void world_invalidate(struct world *w, const char *name)
{
    char text[512];
    snprintf(text, sizeof(text), "%s", name);
    struct resolver_name n = name_of(text);
    resolver_invalidate(w->resolver, &n);
}

unsigned world_requests(struct world *w)
{
    struct azure_stats stats;
    azure_stats_get(w->rig->azure, &stats);
    return (unsigned)stats.requests;
}

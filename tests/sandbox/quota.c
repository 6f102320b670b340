/*
 * quota: the counters of each caller: Resource Graph's window.
 */
#include "quota.h"

#include <stdio.h>
#include <string.h>

#include "arm.h"
#include "base/mem.h"
#include "sandbox.h"

#define GRAPH_MOST 15
#define GRAPH_WINDOW_MS 5000

struct caller {
    struct list node;
    char client[WORLD_UUID_LEN];
    uint64_t graph_began_ms; /* of the window that is open */
    unsigned graph_used;
};

void quota_init(struct quota *q)
{
    list_init(&q->callers);
    q->off = false;
}

void quota_done(struct quota *q)
{
    struct list *n;
    while ((n = list_pop(&q->callers)))
        mem_free(container_of(n, struct caller, node));
}

static struct caller *caller_of(struct arm_call *c)
{
    struct quota *q = &c->sb->arm.quota;
    struct caller *who;
    list_each(who, &q->callers, struct caller, node)
    {
        if (strcmp(who->client, c->token->client) == 0)
            return who;
    }
    who = mem_zalloc(sizeof *who);
    if (!who)
        return NULL;
    snprintf(who->client, sizeof who->client, "%s", c->token->client);
    list_init(&who->node);
    list_push(&q->callers, &who->node);
    return who;
}

bool quota_graph_take(struct arm_call *c)
{
    struct caller *who = caller_of(c);
    uint64_t now = uv_now(&c->sb->loop);
    if (!who)
        return true;
    if (who->graph_used == 0 || now >= who->graph_began_ms + GRAPH_WINDOW_MS) {
        who->graph_began_ms = now;
        who->graph_used = 0;
    }
    bool full = who->graph_used >= GRAPH_MOST, refused = full && !c->sb->arm.quota.off;
    if (!full)
        who->graph_used++;
    unsigned left_s = (unsigned)((who->graph_began_ms + GRAPH_WINDOW_MS - now + 999) / 1000);
    http_reply_header(c->r, "x-ms-user-quota-remaining", "%u", GRAPH_MOST - who->graph_used);
    http_reply_header(c->r, "x-ms-user-quota-resets-after", "00:00:%02u", left_s);
    if (!refused)
        return true;
    arm_count(c->sb, "throttled");
    arm_error(c->r, 429, "RateLimiting",
              "Please provide below info when asking for support: the client application has been throttled "
              "and should not continue to make requests until a period of time has elapsed.");
    http_reply_header(c->r, "Retry-After", "%u", left_s);
    return false;
}

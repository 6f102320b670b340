/*
 * quota: the counters of each caller, and what is said to one that asks too often.
 */
#include "quota.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "arm.h"
#include "base/mem.h"
#include "sandbox.h"
#include "vm.h"

#define GRAPH_MOST 15
#define GRAPH_WINDOW_MS 5000
#define GLOBAL_TIMES 15
#define VM_MOST 30
#define VM_PER_S 0.5

enum kind { READ, WRITE, DELETE, KINDS };

static const struct {
    const char *word, *subscription_header, *tenant_header, *global_header;
    double most, per_s;
} kinds[KINDS] = {
    {"read", "x-ms-ratelimit-remaining-subscription-reads", "x-ms-ratelimit-remaining-tenant-reads",
     "x-ms-ratelimit-remaining-subscription-global-reads", 250, 25},
    {"write", "x-ms-ratelimit-remaining-subscription-writes", "x-ms-ratelimit-remaining-tenant-writes",
     "x-ms-ratelimit-remaining-subscription-global-writes", 200, 10},
    {"delete", "x-ms-ratelimit-remaining-subscription-deletes", "x-ms-ratelimit-remaining-tenant-deletes",
     "x-ms-ratelimit-remaining-subscription-global-deletes", 200, 10},
};

struct scope {
    struct list node;
    const struct world_subscription *subscription; /* NULL: the tenant */
    struct quota_bucket buckets[KINDS];
};

struct caller {
    struct list node;
    char client[WORLD_UUID_LEN];
    struct list scopes;
    struct quota_bucket global[KINDS];
    uint64_t graph_began_ms; /* of the window that is open */
    unsigned graph_used;
};

void quota_init(struct quota *q)
{
    list_init(&q->callers);
    q->off = false;
}

static void caller_free(struct caller *who)
{
    struct list *n;
    while ((n = list_pop(&who->scopes)))
        mem_free(container_of(n, struct scope, node));
    mem_free(who);
}

void quota_done(struct quota *q)
{
    struct list *n;
    while ((n = list_pop(&q->callers)))
        caller_free(container_of(n, struct caller, node));
}

void quota_clear(struct sandbox *sb)
{
    quota_done(&sb->arm.quota);
    sb->arm.quota.off = false;
    for (unsigned i = 0; i < sb->world.vms_count; i++)
        sb->world.vms[i].reads = (struct quota_bucket){0};
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
    list_init(&who->scopes);
    list_push(&q->callers, &who->node);
    return who;
}

static struct scope *scope_of(struct caller *who, const struct world_subscription *subscription)
{
    struct scope *s;
    list_each(s, &who->scopes, struct scope, node)
    {
        if (s->subscription == subscription)
            return s;
    }
    s = mem_zalloc(sizeof *s);
    if (!s)
        return NULL;
    s->subscription = subscription;
    list_init(&s->node);
    list_push(&who->scopes, &s->node);
    return s;
}

/* Takes one; 0, or so many milliseconds until there is one. */
static unsigned take(struct quota_bucket *b, double most, double per_s, uint64_t now, unsigned *left)
{
    double back = (double)(now - b->at_ms) / 1000 * per_s;
    b->used = b->used > back ? b->used - back : 0;
    b->at_ms = now;
    bool full = b->used + 1 > most;
    unsigned wait = full ? 1 + (unsigned)((b->used + 1 - most) / per_s * 1000) : 0;
    b->used += full ? 0 : 1;
    *left = (unsigned)(most - b->used);
    return wait;
}

static void refuse(struct arm_call *c, unsigned wait_ms, const char *code, const char *what)
{
    unsigned s = (wait_ms + 999) / 1000;
    arm_count(c->sb, "throttled");
    arm_error(c->r, 429, code,
              "%s Please try again after '%u' seconds after additional tokens are available. Refer to "
              "https://aka.ms/arm-throttling for additional information.",
              what, s);
    http_reply_header(c->r, "Retry-After", "%u", s);
}

bool quota_arm_take(struct arm_call *c)
{
    enum kind k = strcmp(c->q->method, "GET") == 0      ? READ
                  : strcmp(c->q->method, "DELETE") == 0 ? DELETE
                                                        : WRITE;
    struct caller *who = caller_of(c);
    struct scope *s = who ? scope_of(who, c->subscription) : NULL;
    uint64_t now = uv_now(&c->sb->loop);
    unsigned left = 0, left_global = 0;
    if (!s)
        return true;
    unsigned wait = take(&s->buckets[k], kinds[k].most, kinds[k].per_s, now, &left);
    unsigned wait_global =
        take(&who->global[k], GLOBAL_TIMES * kinds[k].most, GLOBAL_TIMES * kinds[k].per_s, now, &left_global);
    http_reply_header(c->r, c->subscription ? kinds[k].subscription_header : kinds[k].tenant_header, "%u",
                      left);
    http_reply_header(c->r, kinds[k].global_header, "%u", left_global);
    if ((!wait && !wait_global) || c->sb->arm.quota.off)
        return true;
    char what[200];
    snprintf(what, sizeof what, "Number of '%s' requests for %s '%s' actor '%s' exceeded.", kinds[k].word,
             c->subscription ? "subscription" : "tenant",
             c->subscription ? c->subscription->id : c->sb->world.file->tenant, who->client);
    refuse(c, wait > wait_global ? wait : wait_global,
           c->subscription ? "SubscriptionRequestsThrottled" : "TenantRequestsThrottled", what);
    return false;
}

bool quota_vm_take(struct arm_call *c, struct vm *vm)
{
    unsigned left, wait = take(&vm->reads, VM_MOST, VM_PER_S, uv_now(&c->sb->loop), &left);
    http_reply_header(c->r, "x-ms-ratelimit-remaining-resource", "Microsoft.Compute/LowCostGetResource;%u",
                      left);
    if (!wait || c->sb->arm.quota.off)
        return true;
    refuse(c, wait, "OperationNotAllowed",
           "The server rejected the request because too many requests have been received for this resource.");
    return false;
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
    bool full = who->graph_used >= GRAPH_MOST;
    who->graph_used += !full;
    unsigned left_ms = (unsigned)(who->graph_began_ms + GRAPH_WINDOW_MS - now);
    http_reply_header(c->r, "x-ms-user-quota-remaining", "%u", GRAPH_MOST - who->graph_used);
    http_reply_header(c->r, "x-ms-user-quota-resets-after", "00:00:%02u", (left_ms + 999) / 1000);
    if (!full || c->sb->arm.quota.off)
        return true;
    refuse(c, left_ms, "RateLimiting", "Client application has been throttled.");
    return false;
}

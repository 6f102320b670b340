/*
 * batch: gathers, sends, and hands out the rows.
 *
 *   gathered --quiet, or long enough--> query (names of all) --rows--> each is told of the VMs that fit it
 *                                  \--few qualified ones, or foreign--> each is told to ask directly
 */
#include "batch.h"

#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "base/mem.h"

struct query {
    struct batch *batch; /* NULL for a free place */
    struct lookup_graph *graph;
    struct list waits;
};

struct batch {
    struct azure *azure;
    struct clock *clock;
    char (*scope)[ARM_SUBSCRIPTION_MAX];
    size_t scope_count;
    struct list gathered;
    struct timer quiet;
    uint64_t since_ms; /* the first of the gathered ones came */
    struct query queries[BATCH_FLYING_MAX];
    uint64_t sent_ms[BATCH_RATE_MAX]; /* a ring */
    size_t sent_count;
};

static void on_quiet(struct timer *t);

int batch_new(struct batch **out, struct azure *a, struct clock *clock, struct err *err)
{
    struct batch *b = mem_zalloc(sizeof(*b));
    if (!b)
        return err_set(err, ERR_NOMEM, "out of memory");
    b->azure = a;
    b->clock = clock;
    list_init(&b->gathered);
    timer_init(&b->quiet, clock, on_quiet);
    for (size_t i = 0; i < BATCH_FLYING_MAX; i++)
        list_init(&b->queries[i].waits);
    *out = b;
    return 0;
}

void batch_free(struct batch *b)
{
    if (!b)
        return;
    timer_stop(&b->quiet);
    while (list_pop(&b->gathered))
        ;
    for (size_t i = 0; i < BATCH_FLYING_MAX; i++) {
        if (b->queries[i].graph)
            lookup_graph_cancel(b->queries[i].graph);
        while (list_pop(&b->queries[i].waits))
            ;
    }
    mem_free(b->scope);
    mem_free(b);
}

int batch_scope(struct batch *b, const char *const *guids, size_t count)
{
    char(*copy)[ARM_SUBSCRIPTION_MAX] = count ? mem_calloc(count, sizeof(*copy)) : NULL;
    if (count && !copy)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        memcpy(copy[i], guids[i], strnlen(guids[i], ARM_SUBSCRIPTION_MAX - 1));
    mem_free(b->scope);
    b->scope = copy;
    b->scope_count = count;
    return 0;
}

void batch_wait_init(struct batch_wait *w)
{
    list_init(&w->node);
}

void batch_leave(struct batch_wait *w)
{
    list_remove(&w->node);
}

static struct query *free_query(struct batch *b)
{
    for (size_t i = 0; i < BATCH_FLYING_MAX; i++)
        if (!b->queries[i].graph)
            return &b->queries[i];
    return NULL;
}

/* How long until another query may be sent. */
static uint64_t rate_pause(const struct batch *b)
{
    uint64_t now = clock_now(b->clock);
    uint64_t oldest = b->sent_ms[b->sent_count % BATCH_RATE_MAX];
    return b->sent_count < BATCH_RATE_MAX || now >= oldest + BATCH_RATE_MS ? 0 : oldest + BATCH_RATE_MS - now;
}

static int gather_on(struct batch *b)
{
    uint64_t waited = clock_now(b->clock) - b->since_ms;
    uint64_t left = waited < BATCH_WAIT_MS ? BATCH_WAIT_MS - waited : 0;
    return timer_start(&b->quiet, left < BATCH_QUIET_MS ? left : BATCH_QUIET_MS);
}

int batch_join(struct batch *b, struct batch_wait *w)
{
    if (list_empty(&b->gathered))
        b->since_ms = clock_now(b->clock);
    if (gather_on(b))
        return ERR_NOMEM;
    list_push(&b->gathered, &w->node);
    return 0;
}

/* ---- the answer ---- */

static bool in_scope(const struct batch *b, const char *guid)
{
    for (size_t i = 0; i < b->scope_count; i++)
        if (strcasecmp(b->scope[i], guid) == 0)
            return true;
    return b->scope_count == 0;
}

static bool fits(const struct batch *b, const struct batch_wait *w, const struct resolver_facts *vm)
{
    if (strcasecmp(w->name, vm->name) != 0)
        return false;
    if (!w->group[0])
        return in_scope(b, vm->subscription);
    return strcasecmp(w->group, vm->group) == 0 && strcasecmp(w->subscription, vm->subscription) == 0;
}

/* Counts for each who waits the VMs that fit, in their order, and, with `out`, notes them. */
static void each_fit(const struct batch *b, const struct map *by_name, struct resolver_facts *const *vms,
                     size_t count, struct resolver_facts **out)
{
    for (size_t i = 0; i < count; i++) {
        for (struct batch_wait *w = map_get(by_name, vms[i]->name); w; w = w->same) {
            if (!fits(b, w, vms[i]))
                continue;
            if (out)
                out[w->first + w->count] = vms[i];
            w->count++;
        }
    }
}

/* Sorts the VMs by who waits for them. NULL when out of memory. */
static struct resolver_facts **sort_out(const struct batch *b, struct list *told,
                                        struct resolver_facts *const *vms, size_t count)
{
    struct map *by_name = map_new(true);
    struct resolver_facts **out = NULL;
    struct batch_wait *w;
    size_t total = 0;
    bool bad = !by_name;
    list_each(w, told, struct batch_wait, node)
    {
        w->count = 0;
        w->same = bad ? NULL : map_get(by_name, w->name);
        bad = bad || map_set(by_name, w->name, w, NULL);
    }
    if (!bad) {
        each_fit(b, by_name, vms, count, NULL);
        list_each(w, told, struct batch_wait, node)
        {
            w->first = total;
            total += w->count;
            w->count = 0;
        }
        out = mem_calloc(total + 1, sizeof(struct resolver_facts *));
    }
    if (out)
        each_fit(b, by_name, vms, count, out);
    map_free(by_name, NULL);
    return out;
}

/* Whoever is told may free the batch, or take others off this list. */
static void tell_all(struct list *told, bool directly, struct resolver_facts **vms, bool answered,
                     const struct err *err)
{
    struct list *node;
    while ((node = list_pop(told)) != NULL) {
        struct batch_wait *w = container_of(node, struct batch_wait, node);
        w->cb(w, directly, vms ? vms + w->first : NULL, vms ? w->count : 0, answered, err);
    }
}

static void on_rows(void *arg, struct resolver_facts *const *vms, size_t count, bool answered,
                    const struct err *err)
{
    struct query *q = arg;
    struct batch *b = q->batch;
    struct resolver_facts **sorted = NULL;
    struct list told;
    struct err why;
    list_init(&told);
    list_splice(&told, &q->waits);
    q->graph = NULL;
    if (!list_empty(&b->gathered))
        gather_on(b);
    if (!err) {
        sorted = sort_out(b, &told, vms, count);
        if (!sorted)
            err_set(&why, ERR_NOMEM, "out of memory");
    }
    tell_all(&told, false, sorted, answered, err || sorted ? err : &why);
    mem_free(sorted);
}

/* ---- the question ---- */

struct question {
    const char *names[LOOKUP_GRAPH_NAMES_MAX];
    const char **guids;
    size_t name_count, guid_count, guid_room;
    uint64_t deadline_at;
};

static bool add_guid(struct question *q, const char *guid)
{
    for (size_t i = 0; i < q->guid_count; i++)
        if (strcasecmp(q->guids[i], guid) == 0)
            return true;
    if (q->guid_count == q->guid_room) {
        size_t room = q->guid_room ? 2 * q->guid_room : 16;
        const char **grown = mem_realloc(q->guids, room * sizeof(*grown));
        if (!grown)
            return false;
        q->guids = grown;
        q->guid_room = room;
    }
    q->guids[q->guid_count++] = guid;
    return true;
}

/* The names and subscriptions of all who wait; a bare name needs the whole scope. */
static bool compose(const struct batch *b, struct list *waits, struct question *q)
{
    bool bare = false, good = true;
    struct batch_wait *w;
    list_each(w, waits, struct batch_wait, node)
    {
        q->names[q->name_count++] = w->name;
        q->deadline_at = w->deadline_at > q->deadline_at ? w->deadline_at : q->deadline_at;
        bare = bare || !w->group[0];
        good = good && (!w->group[0] || add_guid(q, w->subscription));
    }
    if (bare && b->scope_count == 0)
        q->guid_count = 0;
    for (size_t i = 0; bare && i < b->scope_count; i++)
        good = good && add_guid(q, b->scope[i]);
    return good;
}

static int send_query(struct batch *b, struct query *to, struct list *waits, struct err *err)
{
    struct question *q = mem_zalloc(sizeof(*q));
    uint64_t now = clock_now(b->clock);
    int rc = ERR_NOMEM;
    to->batch = b;
    if (q && compose(b, waits, q))
        rc = lookup_graph_start(b->azure, b->clock, q->names, q->name_count, q->guids, q->guid_count,
                                q->deadline_at > now ? (uint32_t)(q->deadline_at - now) : 1, on_rows, to,
                                &to->graph, err);
    else
        err_set(err, rc, "out of memory");
    if (q)
        mem_free(q->guids);
    mem_free(q);
    if (rc)
        return rc;
    b->sent_ms[b->sent_count++ % BATCH_RATE_MAX] = now;
    list_splice(&to->waits, waits);
    return 0;
}

static void on_quiet(struct timer *t)
{
    struct batch *b = container_of(t, struct batch, quiet);
    struct query *to = free_query(b);
    struct list asked, directly;
    struct batch_wait *w;
    struct err err;
    size_t qualified = 0, count = 0;
    uint64_t pause = rate_pause(b);
    list_init(&asked);
    list_init(&directly);
    list_each(w, &b->gathered, struct batch_wait, node) qualified += w->group[0] != 0;
    list_each(w, &b->gathered, struct batch_wait, node)
    {
        if (w->group[0] && qualified < BATCH_MIN)
            list_move(&directly, &w->node);
        else if (to && !pause && count++ < LOOKUP_GRAPH_NAMES_MAX)
            list_move(&asked, &w->node);
    }
    err_clear(&err);
    if (!list_empty(&asked))
        send_query(b, to, &asked, &err);
    if (!list_empty(&b->gathered) && (pause || free_query(b)))
        timer_start(&b->quiet, pause);
    list_splice(&directly, &asked); /* those that could not be sent: all get the error */
    tell_all(&directly, !err.code, NULL, false, err.code ? &err : NULL);
}

/*
 * subscriptions: the configured and the visible subscriptions, and those who wait for the list.
 */
#include "subscriptions.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "arm_id.h"
#include "azure/page.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "facts_build.h"

#define LIST_PATH "/subscriptions?api-version=2022-12-01"
#define LIST_AGAIN_MS 60000u /* a name that is not in the list is looked for anew after so long */
#define SHOWN_MAX 8

struct visible {
    char guid[ARM_SUBSCRIPTION_MAX];
    char *name; /* displayName */
};

struct subscriptions {
    struct azure *azure;
    struct clock *clock;
    char **configured;
    size_t configured_count;
    struct visible *seen;
    size_t seen_count, seen_room;
    bool listed;
    uint64_t listed_ms;
    struct azure_pages *pages; /* while the list is under way */
    struct list waiting;
};

static void seen_clear(struct subscriptions *s)
{
    for (size_t i = 0; i < s->seen_count; i++)
        mem_free(s->seen[i].name);
    mem_free(s->seen);
    s->seen = NULL;
    s->seen_count = s->seen_room = 0;
    s->listed = false;
}

void subscriptions_free(struct subscriptions *s)
{
    if (!s)
        return;
    if (s->pages)
        azure_pages_cancel(s->pages);
    while (list_pop(&s->waiting))
        ;
    seen_clear(s);
    for (size_t i = 0; i < s->configured_count; i++)
        mem_free(s->configured[i]);
    mem_free(s->configured);
    mem_free(s);
}

int subscriptions_new(struct subscriptions **out, struct azure *a, struct clock *clock,
                      const char *const *configured, size_t count, struct err *err)
{
    const char *from_env = getenv("AZURE_SUBSCRIPTION_ID");
    struct subscriptions *s = mem_zalloc(sizeof(*s));
    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    list_init(&s->waiting);
    s->azure = a;
    s->clock = clock;
    if (count == 0 && from_env && *from_env) {
        configured = &from_env;
        count = 1;
    }
    s->configured = mem_calloc(count ? count : 1, sizeof(char *));
    for (size_t i = 0; s->configured && i < count; i++) {
        s->configured[i] = mem_strdup(configured[i]);
        if (!s->configured[i])
            break;
        s->configured_count++;
    }
    if (!s->configured || s->configured_count != count) {
        subscriptions_free(s);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    *out = s;
    return 0;
}

void subscriptions_wait_init(struct subscriptions_wait *w,
                             void (*cb)(struct subscriptions_wait *, const struct err *))
{
    list_init(&w->node);
    w->cb = cb;
}

void subscriptions_cancel(struct subscriptions_wait *w)
{
    list_remove(&w->node);
}

static int seen_add(struct subscriptions *s, const json_t *item)
{
    const char *guid = facts_text(item, "subscriptionId"), *name = facts_text(item, "displayName");
    if (!guid || !arm_guid_ok(guid) || s->seen_count >= SUBSCRIPTIONS_MAX)
        return 0;
    if (s->seen_count == s->seen_room) {
        size_t room = s->seen_room ? s->seen_room * 2 : 16;
        struct visible *grown = mem_realloc(s->seen, room * sizeof(*grown));
        if (!grown)
            return ERR_NOMEM;
        s->seen = grown;
        s->seen_room = room;
    }
    struct visible *v = &s->seen[s->seen_count];
    memcpy(v->guid, guid, sizeof(v->guid));
    v->name = mem_strdup(name ? name : guid);
    if (!v->name)
        return ERR_NOMEM;
    s->seen_count++;
    return 0;
}

/* A callback may free the resolver and with it `s` and every other wait: those leave the list on this stack
 * by themselves. */
static void tell_all(struct subscriptions *s, const struct err *err)
{
    struct list told, *node;
    list_init(&told);
    list_splice(&told, &s->waiting);
    while ((node = list_pop(&told)) != NULL) {
        struct subscriptions_wait *w = container_of(node, struct subscriptions_wait, node);
        w->cb(w, err);
    }
}

static void on_page(void *arg, const json_t *value, bool last, const struct err *err)
{
    struct subscriptions *s = arg;
    struct err why;
    size_t i;
    json_t *item;
    err_clear(&why);
    json_array_foreach(value, i, item)
    {
        if (seen_add(s, item))
            err_set(&why, ERR_NOMEM, "out of memory");
    }
    if (!last && !err && !why.code)
        return;
    if (!last && why.code)
        azure_pages_cancel(s->pages);
    s->pages = NULL;
    s->listed = !err && !why.code;
    s->listed_ms = clock_now(s->clock);
    if (!s->listed)
        seen_clear(s);
    if (err)
        err_copy(&why, err, ERR_UNAVAILABLE);
    err_wrap(&why, "listing the visible subscriptions");
    tell_all(s, why.code ? &why : NULL);
}

static int wait_for_list(struct subscriptions *s, uint32_t deadline_ms, struct subscriptions_wait *w,
                         struct err *err)
{
    if (!s->pages) {
        seen_clear(s);
        int rc = azure_pages_start(s->azure, LIST_PATH, deadline_ms, on_page, s, &s->pages, err);
        if (rc)
            return rc;
    }
    list_push(&s->waiting, &w->node);
    return 1;
}

static void seen_show(const struct subscriptions *s, struct strbuf *out)
{
    for (size_t i = 0; i < s->seen_count && i < SHOWN_MAX; i++)
        strbuf_printf(out, "%s%s (%s)", i ? ", " : "", s->seen[i].name, s->seen[i].guid);
    if (s->seen_count > SHOWN_MAX)
        strbuf_printf(out, " and %zu more", s->seen_count - SHOWN_MAX);
}

static int only_one(const struct subscriptions *s, const char **guid, struct err *err)
{
    struct strbuf names;
    if (s->seen_count == 1) {
        *guid = s->seen[0].guid;
        return 0;
    }
    if (s->seen_count == 0)
        return err_set(
            err, ERR_NOTFOUND,
            "the identity sees no subscription; give it a role (Reader) in the one that holds your VMs");
    strbuf_init(&names);
    seen_show(s, &names);
    err_set(err, ERR_AMBIGUOUS, "the identity sees several subscriptions: %s", names.data ? names.data : "");
    err_hint(err, "; set azure: subscription, or write subscription/group/vm");
    strbuf_done(&names);
    return ERR_AMBIGUOUS;
}

static int by_name(const struct subscriptions *s, const char *wanted, const char **guid, struct err *err)
{
    size_t found = 0;
    for (size_t i = 0; i < s->seen_count; i++) {
        if (strcasecmp(s->seen[i].name, wanted) != 0)
            continue;
        *guid = s->seen[i].guid;
        found++;
    }
    if (found == 1)
        return 0;
    if (found > 1)
        return err_set(err, ERR_AMBIGUOUS, "%zu subscriptions are named \"%s\"; write its GUID", found,
                       wanted);
    struct strbuf names;
    strbuf_init(&names);
    seen_show(s, &names);
    err_set(err, ERR_NOTFOUND, "the identity sees no subscription \"%s\"; it sees %s", wanted,
            s->seen_count && names.data ? names.data : "none");
    strbuf_done(&names);
    return ERR_NOTFOUND;
}

int subscriptions_resolve(struct subscriptions *s, const char *wanted, uint32_t deadline_ms,
                          struct subscriptions_wait *w, const char **guid, struct err *err)
{
    if (!wanted && s->configured_count)
        wanted = s->configured[0];
    if (wanted && arm_guid_ok(wanted)) {
        *guid = wanted;
        return 0;
    }
    if (!s->listed)
        return wait_for_list(s, deadline_ms, w, err);
    int rc = wanted ? by_name(s, wanted, guid, err) : only_one(s, guid, err);
    if (rc && clock_now(s->clock) >= s->listed_ms + LIST_AGAIN_MS)
        return wait_for_list(s, deadline_ms, w, err);
    return rc;
}

const char *subscriptions_default(const struct subscriptions *s)
{
    if (s->configured_count)
        return arm_guid_ok(s->configured[0]) ? s->configured[0] : NULL;
    return s->listed && s->seen_count == 1 ? s->seen[0].guid : NULL;
}

bool subscriptions_fixed(const struct subscriptions *s)
{
    for (size_t i = 0; i < s->configured_count; i++)
        if (!arm_guid_ok(s->configured[i]))
            return false;
    return s->configured_count > 0;
}

void subscriptions_text(const struct subscriptions *s, struct strbuf *out)
{
    for (size_t i = 0; i < s->configured_count; i++)
        strbuf_printf(out, " subscription=%s", s->configured[i]);
}

int subscriptions_search(struct subscriptions *s, bool listed, uint32_t deadline_ms,
                         struct subscriptions_wait *w, const char ***guids, size_t *count, struct err *err)
{
    *guids = NULL;
    *count = 0;
    if (s->configured_count == 0 && !listed)
        return 0;
    if (s->configured_count == 0 && !s->listed)
        return wait_for_list(s, deadline_ms, w, err);
    size_t n = s->configured_count ? s->configured_count : s->seen_count;
    if (n == 0)
        return err_set(err, ERR_NOTFOUND,
                       "the identity sees no subscription; give it a role (Reader) in one");
    const char **all = mem_calloc(n, sizeof(*all));
    if (!all)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        int rc = 0;
        if (s->configured_count)
            rc = subscriptions_resolve(s, s->configured[i], deadline_ms, w, &all[i], err);
        else
            all[i] = s->seen[i].guid;
        if (rc) {
            mem_free(all);
            return rc;
        }
    }
    *guids = all;
    *count = n;
    return 0;
}

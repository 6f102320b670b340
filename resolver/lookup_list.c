/*
 * lookup_list: finds VMs by name by listing every VM of each subscription, page by page.
 *
 * Source: GET /subscriptions/{s}/providers/Microsoft.Compute/virtualMachines. One subscription after the
 * other, so that a caller with many of them stays polite. A subscription that may not be read is passed over
 * with a warning; when none may be read, its error is the answer.
 */
#include <jansson.h>
#include <string.h>

#include "azure/page.h"
#include "base/log.h"
#include "base/mem.h"
#include "facts_build.h"
#include "lookup.h"

#define COMPUTE_API "2024-11-01"

struct lookup_list {
    struct azure *azure;
    struct clock *clock;
    uint64_t deadline_at;
    char *name;
    char (*subscriptions)[ARM_SUBSCRIPTION_MAX];
    size_t subscription_count, next, unread;
    struct azure_pages *pages;
    struct arm_vm_id found[LOOKUP_LIST_MAX];
    size_t found_count;
    lookup_list_cb cb;
    void *arg;
};

void lookup_list_cancel(struct lookup_list *l)
{
    if (l->pages)
        azure_pages_cancel(l->pages);
    mem_free(l->subscriptions);
    mem_free(l->name);
    mem_free(l);
}

static void finish(struct lookup_list *l, const struct err *err)
{
    lookup_list_cb cb = l->cb;
    void *arg = l->arg;
    l->cb = NULL;
    cb(arg, l->found, err ? 0 : l->found_count, err);
    lookup_list_cancel(l);
}

static void on_page(void *arg, const json_t *value, bool last, const struct err *err);

static int ask_next(struct lookup_list *l, struct err *err)
{
    struct strbuf path;
    uint64_t now = clock_now(l->clock);
    if (now >= l->deadline_at)
        return err_set(err, ERR_TIMEOUT, "listing %zu subscriptions takes longer than the deadline",
                       l->subscription_count);
    strbuf_init(&path);
    strbuf_printf(&path,
                  "/subscriptions/%s/providers/Microsoft.Compute/virtualMachines?api-version=" COMPUTE_API,
                  l->subscriptions[l->next++]);
    int rc = path.bad ? err_set(err, ERR_NOMEM, "out of memory")
                      : azure_pages_start(l->azure, path.data, (uint32_t)(l->deadline_at - now), on_page, l,
                                          &l->pages, err);
    strbuf_done(&path);
    return rc;
}

static void keep_fitting(struct lookup_list *l, const json_t *value)
{
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        const char *id = facts_text(item, "id");
        if (l->found_count < LOOKUP_LIST_MAX && id && arm_vm_id_parse(id, &l->found[l->found_count]) &&
            strcasecmp(l->found[l->found_count].name, l->name) == 0)
            l->found_count++;
    }
}

static void on_page(void *arg, const json_t *value, bool last, const struct err *err)
{
    struct lookup_list *l = arg;
    struct err why;
    err_clear(&why);
    if (err && (err->code == ERR_DENIED || err->code == ERR_NOTFOUND) &&
        ++l->unread < l->subscription_count) {
        log_warn((&(struct log_ctx){.module = "resolver"}), "a subscription is passed over: %s", err->msg);
    } else if (err) {
        l->pages = NULL;
        finish(l, err);
        return;
    }
    keep_fitting(l, value);
    if (!last && !err)
        return;
    l->pages = NULL;
    if (l->next == l->subscription_count)
        finish(l, NULL);
    else if (ask_next(l, &why))
        finish(l, &why);
}

int lookup_list_start(struct azure *a, struct clock *clock, const char *name,
                      const char *const *subscriptions, size_t subscription_count, uint32_t deadline_ms,
                      lookup_list_cb cb, void *arg, struct lookup_list **out, struct err *err)
{
    struct lookup_list *l = mem_zalloc(sizeof(*l));
    if (!l)
        return err_set(err, ERR_NOMEM, "out of memory");
    l->azure = a;
    l->clock = clock;
    l->deadline_at = clock_now(clock) + deadline_ms;
    l->cb = cb;
    l->arg = arg;
    l->name = mem_strdup(name);
    l->subscriptions = mem_calloc(subscription_count, sizeof(*l->subscriptions));
    l->subscription_count = subscription_count;
    if (!l->name || !l->subscriptions) {
        lookup_list_cancel(l);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < subscription_count; i++)
        memcpy(l->subscriptions[i], subscriptions[i], strnlen(subscriptions[i], ARM_SUBSCRIPTION_MAX - 1));
    int rc = ask_next(l, err);
    if (rc) {
        lookup_list_cancel(l);
        return rc;
    }
    *out = l;
    return 0;
}

/*
 * page: asks for the next page before it hands on the one that came, so that handing on is the last thing it
 * does.
 */
#include "page.h"

#include <jansson.h>

#include "azure_private.h"
#include "base/mem.h"

#define DEADLINE_DEFAULT_MS 30000u

struct azure_pages {
    struct azure *azure;
    struct azure_req *req;
    uint64_t deadline_at;
    unsigned count;
    azure_page_cb cb;
    void *arg;
};

static void on_page(void *arg, const struct azure_reply *reply, const struct err *err);

static int ask(struct azure_pages *p, const char *path, struct err *err)
{
    uint64_t now = clock_now(p->azure->clock);
    if (now >= p->deadline_at)
        return err_set(err, ERR_TIMEOUT, "ARM: the list has more pages than the deadline left time for");
    if (p->count++ >= AZURE_PAGES_MAX)
        return err_set(err, ERR_LIMIT, "ARM: the list has more than %d pages", AZURE_PAGES_MAX);
    struct azure_call call = {.method = "GET", .path = path, .deadline_ms = (uint32_t)(p->deadline_at - now)};
    return azure_send(p->azure, &call, on_page, p, &p->req, err);
}

static void finish(struct azure_pages *p, const json_t *value, const struct err *err)
{
    azure_page_cb cb = p->cb;
    void *arg = p->arg;
    mem_free(p);
    cb(arg, value, !err, err);
}

static void on_page(void *arg, const struct azure_reply *reply, const struct err *err)
{
    struct azure_pages *p = arg;
    struct err why;
    err_clear(&why);
    p->req = NULL;
    if (err) {
        finish(p, NULL, err);
        return;
    }
    const json_t *value = json_object_get(reply->json, "value");
    const char *next = json_string_value(json_object_get(reply->json, "nextLink"));
    if (!json_is_array(value)) {
        err_set(&why, ERR_PROTOCOL, "ARM: a list without a value array");
        finish(p, NULL, &why);
    } else if (!next || !*next) {
        finish(p, value, NULL);
    } else if (ask(p, next, &why)) {
        finish(p, NULL, &why);
    } else {
        p->cb(p->arg, value, false, NULL);
    }
}

int azure_pages_start(struct azure *a, const char *path, uint32_t deadline_ms, azure_page_cb cb, void *arg,
                      struct azure_pages **out, struct err *err)
{
    struct azure_pages *p = mem_zalloc(sizeof(*p));
    if (!p)
        return err_set(err, ERR_NOMEM, "out of memory");
    p->azure = a;
    p->cb = cb;
    p->arg = arg;
    p->deadline_at = clock_now(a->clock) + (deadline_ms ? deadline_ms : DEADLINE_DEFAULT_MS);
    int rc = ask(p, path, err);
    if (rc) {
        mem_free(p);
        return rc;
    }
    *out = p;
    return 0;
}

void azure_pages_cancel(struct azure_pages *p)
{
    if (p->req)
        azure_cancel(p->req);
    mem_free(p);
}

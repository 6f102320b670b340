/*
 * lookup_near: the flow of that one query.
 */
#include "lookup_near.h"

#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "facts_build.h"
#include "kql.h"

#define GRAPH_PATH "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01"
#define ROWS_MAX 1000

struct lookup_near {
    struct azure_req *req;
    struct nearest *to;
    lookup_near_cb cb;
    void *arg;
};

void lookup_near_cancel(struct lookup_near *l)
{
    if (l->req)
        azure_cancel(l->req);
    mem_free(l);
}

static void on_rows(void *arg, const struct azure_reply *reply, const struct err *err)
{
    struct lookup_near *l = arg;
    lookup_near_cb cb = l->cb;
    void *cb_arg = l->arg;
    struct arm_vm_id vm;
    size_t i;
    json_t *row;
    json_array_foreach(err ? NULL : json_object_get(reply->json, "data"), i, row)
    {
        const char *id = facts_text(row, "id");
        if (i < ROWS_MAX && id && arm_vm_id_parse(id, &vm))
            nearest_offer(l->to, &vm);
    }
    l->req = NULL;
    lookup_near_cancel(l);
    cb(cb_arg);
}

static json_t *body_of(const char *name, const char *const *subscriptions, size_t count)
{
    struct strbuf query;
    strbuf_init(&query);
    kql_vms_as_long_as(&query, name);
    json_t *body = query.bad ? NULL
                             : json_pack("{s:s, s:{s:s, s:i}}", "query", query.data, "options",
                                         "resultFormat", "objectArray", "$top", ROWS_MAX);
    json_t *list = count ? json_array() : NULL;
    strbuf_done(&query);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(subscriptions[i]));
    if (body && list)
        json_object_set(body, "subscriptions", list);
    json_decref(list);
    return body;
}

int lookup_near_start(struct azure *a, struct nearest *to, const char *const *subscriptions,
                      size_t subscription_count, lookup_near_cb cb, void *arg, struct lookup_near **out,
                      struct err *err)
{
    struct lookup_near *l = mem_zalloc(sizeof(*l));
    json_t *body = body_of(to->name, subscriptions, subscription_count);
    struct azure_call call = {
        .method = "POST", .path = GRAPH_PATH, .body = body, .deadline_ms = LOOKUP_NEAR_MS};
    int rc = ERR_NOMEM;
    if (l && body) {
        *l = (struct lookup_near){.to = to, .cb = cb, .arg = arg};
        rc = azure_send(a, &call, on_rows, l, &l->req, err);
    } else {
        err_set(err, rc, "out of memory");
    }
    json_decref(body);
    if (rc)
        mem_free(l);
    else
        *out = l;
    return rc;
}

/*
 * graph: the call to Resource Graph: quota, query, one page of rows.
 *
 * Source: POST /providers/Microsoft.ResourceGraph/resources, api-version 2021-03-01 and later. A $skipToken
 * belongs to the query that it was given out for.
 */
#include "graph.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "quota.h"
#include "sandbox.h"
#include "vm.h"

#define TOP_MAX 1000 /* rows a page */
#define TOKEN_LEN 64

static bool subscription_asked(json_t *subscriptions, const char *id)
{
    if (!json_array_size(subscriptions))
        return true;
    size_t i;
    json_t *s;
    json_array_foreach(subscriptions, i, s)
    {
        if (json_is_string(s) && strcasecmp(json_string_value(s), id) == 0)
            return true;
    }
    return false;
}

/* A query stays within the tenant of its token. */
static json_t *rows_find(struct arm_call *c, json_t *subscriptions, const char *query)
{
    struct sandbox *sb = c->sb;
    bool joined = strcasestr(query, "networkinterfaces") != NULL;
    json_t *rows = json_array();
    for (unsigned i = 0; i < sb->world.vms_count; i++) {
        struct vm *vm = &sb->world.vms[i];
        const struct world_subscription *s = world_subscription_find(&sb->world, vm->subscription);
        if (strcasecmp(token_tenant_of(sb, s), c->token->tenant) == 0 &&
            subscription_asked(subscriptions, vm->subscription) && graph_query_fits(query, vm))
            graph_rows_add(rows, vm, joined);
    }
    if (strcasestr(query, "order by"))
        graph_rows_sort(rows);
    if (!joined)
        graph_rows_project(rows, query);
    return rows;
}

static unsigned query_mark(const char *query)
{
    unsigned mark = 5381;
    for (; *query; query++)
        mark = mark * 33 + (unsigned char)*query;
    return mark;
}

static void token_make(char out[TOKEN_LEN], const char *query, size_t from)
{
    snprintf(out, TOKEN_LEN, "ew0K.%08x.%zu", query_mark(query), from);
}

/* Where the page starts; false: it is not a token of this query. */
static bool token_read(const char *token, const char *query, size_t *from)
{
    char again[TOKEN_LEN];
    unsigned mark;
    *from = 0;
    if (!token)
        return true;
    if (sscanf(token, "ew0K.%8x.%zu", &mark, from) != 2)
        return false;
    token_make(again, query, *from);
    return strcmp(again, token) == 0;
}

static void page_send(struct arm_call *c, json_t *all, const char *query, size_t from, size_t top)
{
    json_t *data = json_array();
    size_t total = json_array_size(all), to = from + top;
    for (size_t i = from; i < to && i < total; i++)
        json_array_append(data, json_array_get(all, i));
    /* Whether something is left is said in a string, as the platform says it. */
    c->r->body =
        json_pack("{s:i,s:i,s:o,s:[],s:s}", "totalRecords", (int)total, "count", (int)json_array_size(data),
                  "data", data, "facets", "resultTruncated", to < total ? "true" : "false");
    if (to < total) {
        char token[TOKEN_LEN];
        token_make(token, query, to);
        json_object_set_new(c->r->body, "$skipToken", json_string(token));
    }
}

static void query_run(struct arm_call *c, json_t *body)
{
    const char *query = json_string_value(json_object_get(body, "query"));
    json_t *options = json_object_get(body, "options");
    json_int_t top = json_integer_value(json_object_get(options, "$top"));
    size_t from;
    if (!query || !strcasestr(query, "virtualmachines"))
        arm_error(c->r, 400, "BadRequest",
                  "Please provide below info when asking for support: the query is not about "
                  "virtual machines, and this sandbox knows no others.");
    else if (json_object_get(options, "$top") && (top < 1 || top > TOP_MAX))
        arm_error(c->r, 400, "BadRequest", "The value of $top must be from 1 to %d.", TOP_MAX);
    else if (!token_read(json_string_value(json_object_get(options, "$skipToken")), query, &from))
        arm_error(c->r, 400, "BadRequest",
                  "The $skipToken is not one that was given out for this query: a continued query must "
                  "be the same text.");
    else {
        json_t *all = rows_find(c, json_object_get(body, "subscriptions"), query);
        page_send(c, all, query, from, top ? (size_t)top : TOP_MAX);
        json_decref(all);
    }
}

void arm_graph(struct arm_call *c)
{
    if (!quota_graph_take(c))
        return;
    json_t *body = arm_body(c);
    if (body)
        query_run(c, body);
    json_decref(body);
}

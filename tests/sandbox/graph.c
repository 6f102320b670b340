/*
 * graph: Resource Graph, for the queries about VMs that adit and people send: filters are read out of the
 * text.
 *
 * Understood: `name`, `resourceGroup` and `id` compared with =~, ==, in~ or in to quoted strings, each anded.
 * A query that joins network interfaces gets graph_row's columns; another gets the whole VM. Anything else in
 * the query is ignored.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sandbox.h"
#include "vm.h"

#define TOP_MAX 1000

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* Reads one quoted KQL string; returns its end, or NULL. Compares it to `value`, without case. */
static const char *quoted_compare(const char *p, const char *value, bool *equal)
{
    char quote = *p++;
    const char *v = value;
    bool same = true;
    for (; *p && *p != quote; p++) {
        if (*p == '\\' && p[1])
            p++;
        same = same && *v && tolower((unsigned char)*p) == tolower((unsigned char)*v);
        v += *v != 0;
    }
    *equal = same && !*v;
    return *p ? p + 1 : NULL;
}

/* Whether the query's filter on `column`, if it has one, lets `value` through. */
static bool filter_passes(const char *query, const char *column, const char *value)
{
    size_t n = strlen(column);
    for (const char *p = strcasestr(query, column); p; p = strcasestr(p + 1, column)) {
        if ((p > query && word_char(p[-1])) || word_char(p[n]))
            continue;
        const char *q = p + n + strspn(p + n, " ");
        bool list = strncmp(q, "in", 2) == 0;
        if (!list && strncmp(q, "=~", 2) != 0 && strncmp(q, "==", 2) != 0)
            continue;
        q += strcspn(q, "'\"|)");
        while (q && (*q == '\'' || *q == '"')) {
            bool equal;
            q = quoted_compare(q, value, &equal);
            if (equal)
                return true;
            q = q && list ? q + strspn(q, " ,") : NULL;
        }
        return false;
    }
    return true;
}

static bool subscription_asked(json_t *subscriptions, const char *id)
{
    if (!json_array_size(subscriptions))
        return true;
    size_t i;
    json_t *s;
    json_array_foreach(subscriptions, i,
                       s) if (json_is_string(s) && strcasecmp(json_string_value(s), id) == 0) return true;
    return false;
}

static json_t *whole_vm(struct vm *vm)
{
    json_t *j = arm_vm_json(vm, false, false);
    json_t *row = graph_row(vm, true);
    json_object_set(j, "resourceGroup", json_object_get(row, "resourceGroup"));
    json_object_set(j, "subscriptionId", json_object_get(row, "subscriptionId"));
    json_object_set_new(j, "type", json_string("microsoft.compute/virtualmachines"));
    json_object_set_new(
        json_object_get(j, "properties"), "extended",
        json_pack("{s:{s:{s:O}}}", "instanceView", "powerState", "code", json_object_get(row, "power")));
    json_decref(row);
    return j;
}

static json_t *rows_find(struct sandbox *sb, json_t *subscriptions, const char *query)
{
    bool joined = strcasestr(query, "networkinterfaces") != NULL;
    json_t *rows = json_array();
    for (unsigned i = 0; i < sb->world.vms_count; i++) {
        struct vm *vm = &sb->world.vms[i];
        json_t *id = arm_id(vm, false, "Microsoft.Compute/virtualMachines", "%s", vm->spec->name);
        bool fits = subscription_asked(subscriptions, vm->subscription) &&
                    filter_passes(query, "name", vm->spec->name) &&
                    filter_passes(query, "resourceGroup", vm->spec->group) &&
                    filter_passes(query, "id", json_string_value(id));
        json_decref(id);
        if (!fits)
            continue;
        json_array_append_new(rows, joined ? graph_row(vm, true) : whole_vm(vm));
        if (joined && vm->spec->decoy_nic)
            json_array_append_new(rows, graph_row(vm, false));
    }
    return rows;
}

void arm_graph(struct arm_call *c)
{
    json_t *body = arm_body(c);
    const char *query = json_string_value(json_object_get(body, "query"));
    http_reply_header(c->r, "x-ms-user-quota-remaining", "14");
    http_reply_header(c->r, "x-ms-user-quota-resets-after", "00:00:05");
    if (!body)
        return;
    if (!query || !strcasestr(query, "virtualmachines")) {
        arm_error(c->r, 400, "BadRequest",
                  "Please provide below info when asking for support: the query is not about "
                  "virtual machines, and this sandbox knows no others.");
        json_decref(body);
        return;
    }
    json_t *options = json_object_get(body, "options");
    const char *skip = json_string_value(json_object_get(options, "$skipToken"));
    json_int_t top = json_integer_value(json_object_get(options, "$top"));
    size_t from = skip ? (size_t)strtoul(skip, NULL, 10) : 0;
    size_t to = from + (top > 0 && top < TOP_MAX ? (size_t)top : TOP_MAX);
    json_t *all = rows_find(c->sb, json_object_get(body, "subscriptions"), query), *data = json_array();
    size_t total = json_array_size(all);
    for (size_t i = from; i < to && i < total; i++)
        json_array_append(data, json_array_get(all, i));
    c->r->body = json_pack("{s:i,s:i,s:o,s:[],s:s}", "totalRecords", (int)total, "count",
                           (int)json_array_size(data), "data", data, "facets", "resultTruncated", "false");
    if (to < total)
        json_object_set_new(c->r->body, "$skipToken", json_sprintf("%zu", to));
    json_decref(all);
    json_decref(body);
}

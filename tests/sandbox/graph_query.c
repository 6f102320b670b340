/*
 * graph_query: reads the filters out of a query's text.
 *
 * Understood: `name`, `resourceGroup`, `subscriptionId` and `id` compared with =~, ==, in~ or in to quoted
 * strings, each anded, alone or within tolower(); `strlen(name) between (A .. B)`. Anything else is ignored.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "arm.h"
#include "graph.h"
#include "vm.h"

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
        const char *q = p + n + strspn(p + n, " )");
        bool list = strncmp(q, "in", 2) == 0 && strchr("~ (", q[2]);
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

/* strlen(name) between (A .. B) */
static bool length_passes(const char *query, const char *name)
{
    const char *p = strcasestr(query, "strlen(name)");
    unsigned long low, high;
    if (!p || sscanf(p + 12, " between (%lu .. %lu)", &low, &high) != 2)
        return true;
    return strlen(name) >= low && strlen(name) <= high;
}

bool graph_query_fits(const char *query, const struct vm *vm)
{
    if (vm->spec->uniform || !length_passes(query, vm->spec->name) ||
        !filter_passes(query, "name", vm->spec->name) ||
        !filter_passes(query, "resourceGroup", vm->spec->group) ||
        !filter_passes(query, "subscriptionId", vm->subscription))
        return false;
    json_t *id = arm_id(vm, false, "Microsoft.Compute/virtualMachines", "%s", vm->spec->name);
    bool fits = filter_passes(query, "id", json_string_value(id));
    json_decref(id);
    return fits;
}

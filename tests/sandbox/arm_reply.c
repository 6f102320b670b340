/*
 * arm_reply: the parts that replies are made of: errors, ids, pages.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox.h"
#include "vm.h"

#define ID_MAX 700

void arm_error(struct http_reply *r, unsigned status, const char *code, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->status = status;
    json_decref(r->body);
    r->body = json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", text);
    if (r->body && status >= 400)
        http_reply_header(r, "x-ms-failure-cause", "gateway");
}

void arm_not_found(struct arm_call *c, const char *type, const char *name)
{
    arm_error(c->r, 404, "ResourceNotFound",
              "The Resource '%s/%s' under resource group '%s' was not found. For more details please go to "
              "https://aka.ms/ARMResourceNotFoundFix",
              type, name, c->group);
}

json_t *arm_body(struct arm_call *c)
{
    json_error_t e;
    json_t *j = json_loads(c->q->body, JSON_REJECT_DUPLICATES, &e);
    if (json_is_object(j))
        return j;
    json_decref(j);
    arm_error(c->r, 400, "InvalidRequestContent",
              "The request content was invalid and could not be deserialized: '%s'.",
              j ? "not an object" : e.text);
    return NULL;
}

json_t *arm_id(const struct vm *vm, bool shout, const char *type, const char *fmt, ...)
{
    char name[200], id[ID_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    bool odd = vm->spec->odd_casing;
    int at = snprintf(id, sizeof id, "/subscriptions/%s/%s/", vm->subscription,
                      odd ? "resourcegroups" : "resourceGroups");
    int end = at + snprintf(id + at, sizeof id - (size_t)at, "%s", vm->spec->group);
    for (int i = at; (shout || odd) && i < end; i++)
        id[i] = (char)toupper((unsigned char)id[i]);
    at = end + snprintf(id + end, sizeof id - (size_t)end, "/providers/%s", type);
    for (int i = end; odd && i < at; i++)
        id[i] = (char)tolower((unsigned char)id[i]);
    snprintf(id + at, sizeof id - (size_t)at, "/%s", name);
    return json_string(id);
}

void arm_page_send(struct arm_call *c, json_t *all)
{
    const char *token = http_query(c->q, "$skiptoken");
    size_t from = token ? (size_t)strtoul(token, NULL, 10) : 0, count = json_array_size(all);
    size_t to = from + c->sb->world.file->page_size;
    json_t *value = json_array();
    for (size_t i = from; i < to && i < count; i++)
        json_array_append(value, json_array_get(all, i));
    c->r->body = json_pack("{s:o}", "value", value);
    if (to < count) {
        const char *only = http_query(c->q, "statusOnly"), *expand = http_query(c->q, "$expand");
        json_object_set_new(c->r->body, "nextLink",
                            json_sprintf("%s%s?api-version=%s%s%s%s%s&$skiptoken=%zu", c->sb->http.base,
                                         c->q->path, http_query(c->q, "api-version"),
                                         only ? "&statusOnly=" : "", only ? only : "",
                                         expand ? "&$expand=" : "", expand ? expand : "", to));
    }
    json_decref(all);
}

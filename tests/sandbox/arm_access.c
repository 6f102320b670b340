/*
 * arm_access: whether the caller's roles allow a call: the action that each call needs, and what ARM says
 * without it.
 *
 * The action follows from the route: a resource's types joined by slashes, then read, write, delete, or
 * NAME/action for a POST. Source: "Azure RBAC: how Azure determines access", and the errors of real calls.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "sandbox.h"

#define DENIED_MAX 200

/* "Microsoft.Network/networkSecurityGroups/securityRules/write" */
static void action_of(const struct arm_route *t, char *out, size_t size)
{
    const char *from = strstr(t->path, "/providers/");
    bool subscription = !from;
    size_t len = 0;
    out[0] = 0;
    if (subscription)
        len = (size_t)snprintf(out, size, "Microsoft.Resources");
    for (const char *p = subscription ? t->path : from + sizeof "/providers" - 1; *p == '/' && len < size;) {
        size_t n = strcspn(++p, "/");
        if (*p != '*' && *p != '{')
            len += (size_t)snprintf(out + len, size - len, "%s%.*s", len ? "/" : "", (int)n, p);
        p += n;
    }
    const char *verb = strcmp(t->method, "GET") == 0      ? "read"
                       : strcmp(t->method, "DELETE") == 0 ? "delete"
                       : strcmp(t->method, "POST") == 0   ? "action"
                                                          : "write";
    if (len < size)
        snprintf(out + len, size - len, "/%s", verb);
}

int arm_deny(struct arm *a, const char *action, bool deny)
{
    size_t i;
    json_t *old;
    json_array_foreach(a->denied, i, old)
    {
        if (strcasecmp(json_string_value(old), action) != 0)
            continue;
        if (!deny)
            json_array_remove(a->denied, i);
        return 0;
    }
    if (!deny || json_array_size(a->denied) >= DENIED_MAX)
        return -1;
    return json_array_append_new(a->denied, json_string(action));
}

bool arm_denied(const struct arm *a, const char *action)
{
    size_t i;
    json_t *pattern;
    json_array_foreach(a->denied, i, pattern)
    {
        if (fnmatch(json_string_value(pattern), action, FNM_CASEFOLD) == 0)
            return true;
    }
    return false;
}

bool arm_access_passes(struct arm_call *c)
{
    char action[200], scope[600];
    action_of(c->route, action, sizeof action);
    if (!arm_denied(&c->sb->arm, action))
        return true;
    snprintf(scope, sizeof scope, "%s", c->q->path);
    char *last = strcmp(c->q->method, "POST") == 0 ? strrchr(scope, '/') : NULL;
    if (last)
        *last = 0;
    arm_count(c->sb, "denied");
    arm_error(c->r, 403, "AuthorizationFailed",
              "The client '%s' with object id '%s' does not have authorization to perform action '%s' over "
              "scope '%s' or the scope is invalid. If access was recently granted, please refresh your "
              "credentials.",
              TOKEN_USER, TOKEN_OBJECT, action, scope);
    return false;
}

bool arm_link_passes(struct arm_call *c, const char *action, const char *scope)
{
    char own[200];
    action_of(c->route, own, sizeof own);
    if (!arm_denied(&c->sb->arm, action))
        return true;
    arm_count(c->sb, "denied");
    arm_error(c->r, 403, "LinkedAuthorizationFailed",
              "The client '%s' with object id '%s' has permission to perform action '%s' on scope '%s'; "
              "however, it does not have permission to perform action(s) '%s' on the linked scope(s) '%s' "
              "(respectively) or the linked scope(s) are invalid.",
              TOKEN_USER, TOKEN_OBJECT, own, c->q->path, action, scope);
    return false;
}

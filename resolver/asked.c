/*
 * asked: names to keys and back.
 */
#include "asked.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int name_check(const char *what, const char *text, struct err *err)
{
    if (arm_name_ok(text))
        return 0;
    return err_set(err, ERR_INVAL,
                   "\"%.100s\" cannot be the name of a %s: letters, digits, -, _, . and () only", text, what);
}

static int parts_check(const struct resolver_name *n, struct err *err)
{
    int rc = name_check(n->instance ? "scale set" : "VM", n->name, err);
    if (!rc && n->group)
        rc = name_check("resource group", n->group, err);
    if (!rc && n->instance && (!n->group || !arm_instance_ok(n->instance)))
        rc = err_set(err, ERR_INVAL,
                     "\"%.100s\" cannot be an instance of a scale set: write group/set/number", n->instance);
    if (!rc && n->subscription && strlen(n->subscription) >= ASKED_SUBSCRIPTION_MAX)
        rc = err_set(err, ERR_INVAL, "\"%.100s\" cannot be the name of a subscription: too long",
                     n->subscription);
    return rc;
}

static int fill(struct asked *out, const struct resolver_name *n, struct err *err)
{
    snprintf(out->name, sizeof(out->name), "%s", n->name);
    snprintf(out->group, sizeof(out->group), "%s", n->group ? n->group : "");
    snprintf(out->subscription, sizeof(out->subscription), "%s", n->subscription ? n->subscription : "");
    snprintf(out->instance, sizeof(out->instance), "%s", n->instance ? n->instance : "");
    snprintf(out->label, sizeof(out->label), "%s%s%s%s%s", out->group, out->group[0] ? "/" : "", out->name,
             out->instance[0] ? "/" : "", out->instance);
    int len = out->group[0] ? snprintf(out->key, sizeof(out->key), "%s/%s/%s%s%s", out->subscription,
                                       out->group, out->name, out->instance[0] ? "#" : "", out->instance)
                            : snprintf(out->key, sizeof(out->key), "*/%s", out->name);
    if (len < 0 || (size_t)len >= sizeof(out->key))
        return err_set(err, ERR_INVAL, "%s: the names are too long together", out->label);
    return 0;
}

int asked_of(struct asked *out, const struct resolver_name *n, const char *default_subscription,
             struct err *err)
{
    struct arm_vm_id id;
    struct resolver_name parts = *n;
    memset(out, 0, sizeof(*out));
    if (n->name[0] == '/') {
        if (!arm_vm_id_parse(n->name, &id))
            return err_set(err, ERR_INVAL, "\"%.200s\" is not the resource ID of a VM", n->name);
        parts = (struct resolver_name){.subscription = id.subscription,
                                       .group = id.group,
                                       .name = id.name,
                                       .instance = id.instance[0] ? id.instance : NULL};
    }
    if (parts.group && !parts.subscription)
        parts.subscription = default_subscription;
    int rc = parts_check(&parts, err);
    return rc ? rc : fill(out, &parts, err);
}

bool asked_of_key(struct asked *out, const char *key)
{
    char text[CACHE_KEY_MAX], *instance;
    struct resolver_name n = {0};
    if (strnlen(key, sizeof(text)) >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), "%s", key);
    char *name = strrchr(text, '/');
    if (!name)
        return false;
    *name++ = 0;
    n.name = name;
    if (strcmp(text, "*") != 0) {
        char *group = strrchr(text, '/');
        if (!group)
            return false;
        *group++ = 0;
        n.group = group;
        n.subscription = text[0] ? text : NULL;
        instance = strchr(name, '#');
        if (instance)
            *instance++ = 0;
        n.instance = instance;
    }
    memset(out, 0, sizeof(*out));
    return parts_check(&n, NULL) == 0 && fill(out, &n, NULL) == 0;
}

void asked_full_key(char out[CACHE_KEY_MAX], const struct resolver_facts *f)
{
    int n = snprintf(out, CACHE_KEY_MAX, "%s/%s/", f->subscription, f->group);
    if (n < 0 || n >= CACHE_KEY_MAX)
        return;
    snprintf(out + n, CACHE_KEY_MAX - (size_t)n, "%s", f->name);
    char *instance = strchr(out + n, '/');
    if (instance)
        *instance = '#';
}

bool asked_key_is_full(const char *key, const struct resolver_facts *f)
{
    char full[CACHE_KEY_MAX];
    asked_full_key(full, f);
    return strcasecmp(key, full) == 0;
}

bool asked_key_fits(const char *key, const struct resolver_facts *f)
{
    struct asked a;
    char full[CACHE_KEY_MAX];
    size_t guid = strlen(f->subscription), n = strlen(key);
    if (!asked_of_key(&a, key))
        return false;
    asked_full_key(full, f);
    if (!a.group[0])
        return strcasecmp(a.name, f->name) == 0;
    if (a.subscription[0] && arm_guid_ok(a.subscription))
        return strcasecmp(key, full) == 0;
    size_t tail = strlen(full) - guid;
    return n >= tail && strcasecmp(key + n - tail, full + guid) == 0;
}

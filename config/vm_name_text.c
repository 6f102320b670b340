/*
 * vm_name_text: copies, compares and writes VM names.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "vm_name.h"

void vm_name_done(struct vm_name *n)
{
    mem_free(n->subscription);
    mem_free(n->group);
    mem_free(n->name);
    mem_free(n->instance);
    *n = (struct vm_name){.kind = VM_NAME_BARE};
}

static bool copy(char **out, const char *in)
{
    *out = mem_strdup(in);
    return *out || !in;
}

int vm_name_copy(struct vm_name *out, const struct vm_name *in)
{
    struct vm_name n = {.kind = in->kind};
    bool ok = copy(&n.subscription, in->subscription);
    ok = copy(&n.group, in->group) && ok;
    ok = copy(&n.name, in->name) && ok;
    ok = copy(&n.instance, in->instance) && ok;
    if (!ok) {
        vm_name_done(&n);
        return ERR_NOMEM;
    }
    *out = n;
    return 0;
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcasecmp(a, b) == 0 : a == b;
}

bool vm_name_equal(const struct vm_name *a, const struct vm_name *b)
{
    return a->kind == b->kind && same(a->subscription, b->subscription) && same(a->group, b->group) &&
           same(a->name, b->name) && same(a->instance, b->instance);
}

static bool all_digits(const char *s)
{
    return s[strspn(s, "0123456789")] == '\0';
}

char *vm_name_text(const struct vm_name *n)
{
    switch (n->kind) {
    case VM_NAME_GROUP:
        if (!n->subscription)
            return mem_printf("%s/%s", n->group, n->name);
        if (all_digits(n->name)) /* three parts ending in digits would read as a scale set instance */
            return mem_printf(
                "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/virtualMachines/%s",
                n->subscription, n->group, n->name);
        return mem_printf("%s/%s/%s", n->subscription, n->group, n->name);
    case VM_NAME_INSTANCE:
        if (!n->subscription)
            return mem_printf("%s/%s/%s", n->group, n->name, n->instance);
        return mem_printf("%s/%s/%s/%s", n->subscription, n->group, n->name, n->instance);
    case VM_NAME_BARE:
    case VM_NAME_ADDRESS:
        break;
    }
    return mem_strdup(n->name);
}

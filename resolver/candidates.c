/*
 * candidates: the error for a bare name that does not mean exactly one VM.
 */
#include "candidates.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

#define SHOWN_MAX 10

static int compare(const void *a, const void *b)
{
    const struct arm_vm_id *x = *(const struct arm_vm_id *const *)a, *y = *(const struct arm_vm_id *const *)b;
    int order = strcasecmp(x->subscription, y->subscription);
    order = order ? order : strcasecmp(x->group, y->group);
    return order ? order : strcasecmp(x->name, y->name);
}

static int none(struct err *err, const char *name)
{
    return err_set(
        err, ERR_NOTFOUND,
        "there is no VM named %s in the subscriptions that were searched; check the spelling (az vm list -o "
        "table) and azure: subscription; one made within the last minute is found as group/vm",
        name);
}

static int several(struct err *err, const char *name, const struct arm_vm_id **sorted, size_t count)
{
    struct strbuf text;
    bool across = strcasecmp(sorted[0]->subscription, sorted[count - 1]->subscription) != 0;
    strbuf_init(&text);
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++)
        strbuf_printf(&text, "%s%s%s%s/%s", i ? ", " : "", across ? sorted[i]->subscription : "",
                      across ? "/" : "", sorted[i]->group, sorted[i]->name);
    if (count > SHOWN_MAX)
        strbuf_printf(&text, " and %zu more", count - SHOWN_MAX);
    err_set(err, ERR_AMBIGUOUS, "%zu VMs are named %s; write which one: %s", count, name,
            text.data ? text.data : "");
    strbuf_done(&text);
    return ERR_AMBIGUOUS;
}

int candidates_of_ids(struct err *err, const char *name, const struct arm_vm_id *vms, size_t count)
{
    if (count == 0)
        return none(err, name);
    const struct arm_vm_id **sorted = mem_calloc(count, sizeof(const struct arm_vm_id *));
    if (!sorted)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++)
        sorted[i] = &vms[i];
    qsort(sorted, count, sizeof(const struct arm_vm_id *), compare);
    int rc = several(err, name, sorted, count);
    mem_free(sorted);
    return rc;
}

int candidates_of_facts(struct err *err, const char *name, struct resolver_facts *const *vms, size_t count)
{
    struct arm_vm_id *ids = mem_calloc(count ? count : 1, sizeof(*ids));
    size_t n = 0;
    if (!ids)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++)
        n += arm_vm_id_parse(vms[i]->id, &ids[n]);
    int rc = candidates_of_ids(err, name, ids, n);
    mem_free(ids);
    return rc;
}

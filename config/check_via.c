/*
 * check_via: whether every `via:` leads somewhere, and not back to where it came from.
 *
 * A VM has at most one `via`, so the chain from it is followed for a bounded number of steps.
 */
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "check.h"
#include "suggest.h"
#include "vm_name.h"

struct pass {
    const struct checker *c;
    const struct check_vm_list *vms;
    struct map *by_name; /* text of the `vm:` or `id:` name → struct check_vm */
    size_t *next;        /* index of the VM that `via` names, SIZE_MAX for none of this file */
};

static const yaml_node_t *via_of(const struct pass *p, size_t i)
{
    return document_get(p->c->doc, p->vms->items[i].node, "via");
}

static char *normal_name(const char *text, enum vm_name_kind *kind, struct err *err)
{
    struct vm_name name;
    if (vm_name_parse(&name, text, err) < 0)
        return NULL;
    char *normal = vm_name_text(&name);
    *kind = name.kind;
    vm_name_done(&name);
    if (!normal)
        (void)err_set(err, ERR_NOMEM, "out of memory");
    return normal;
}

static int index_names(struct pass *p, struct err *err)
{
    static const char *const keys[] = {"vm", "id"};
    for (size_t i = 0; i < p->vms->count; i++) {
        for (size_t k = 0; k < 2; k++) {
            const char *text = document_scalar(document_get(p->c->doc, p->vms->items[i].node, keys[k]));
            enum vm_name_kind kind;
            struct err why = {0};
            char *name = text && *text ? normal_name(text, &kind, &why) : NULL;
            if (why.code == ERR_NOMEM || (name && map_set(p->by_name, name, &p->vms->items[i], NULL) < 0))
                why.code = ERR_NOMEM;
            mem_free(name);
            if (why.code == ERR_NOMEM)
                return err_set(err, ERR_NOMEM, "out of memory");
        }
    }
    return 0;
}

static void unknown(const struct pass *p, const struct check_vm *vm, const yaml_node_t *n, const char *text)
{
    struct suggest meant;
    suggest_init(&meant, text);
    for (size_t i = 0; i < p->vms->count; i++)
        if (p->vms->items[i].alias && &p->vms->items[i] != vm)
            suggest_offer(&meant, p->vms->items[i].alias);
    report_at(p->c->report, &n->start_mark, vm->where,
              "via: no VM of this file is named \"%.40s\"%s%s%s; name one, or write GROUP/VM", text,
              meant.best ? "; did you mean \"" : "", meant.best ? meant.best : "", meant.best ? "\"?" : "");
}

static int resolve(struct pass *p, size_t i, struct err *err)
{
    const yaml_node_t *n = via_of(p, i);
    const struct check_vm *vm = &p->vms->items[i];
    const char *text = document_scalar(n);
    enum vm_name_kind kind = VM_NAME_BARE;
    struct err why = {0};
    p->next[i] = SIZE_MAX;
    if (!text || !*text)
        return 0;
    const struct check_vm *to = map_get(p->vms->by_alias, text);
    char *name = to ? NULL : normal_name(text, &kind, &why);
    if (name)
        to = map_get(p->by_name, name);
    mem_free(name);
    if (why.code == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (to)
        p->next[i] = (size_t)(to - p->vms->items);
    else if (why.code)
        report_at(p->c->report, &n->start_mark, vm->where, "via: %s", why.msg);
    else if (kind == VM_NAME_BARE)
        unknown(p, vm, n, text);
    return 0;
}

static void report_loop(const struct pass *p, const size_t *chain, size_t count)
{
    char text[160] = "";
    size_t len = 0;
    for (size_t k = 0; k <= count; k++) {
        const char *alias = p->vms->items[chain[k % count]].alias;
        int n = snprintf(text + len, sizeof text - len, "%s%.20s", k ? " → " : "", alias ? alias : "?");
        len = n > 0 && (size_t)n < sizeof text - len ? len + (size_t)n : len;
    }
    report_at(p->c->report, &via_of(p, chain[0])->start_mark, p->vms->items[chain[0]].where,
              "via: the way leads back to the VM itself: %s", text);
}

static void follow(const struct pass *p, size_t i)
{
    size_t chain[CHECK_VIA_MAX + 2], count = 0;
    for (size_t at = i; at != SIZE_MAX; at = p->next[at]) {
        for (size_t k = 0; k < count; k++) {
            if (chain[k] != at)
                continue;
            bool smallest = k == 0; /* each circle is told once, by its first VM */
            for (size_t m = 1; m < count; m++)
                smallest = smallest && chain[m] > i;
            if (smallest)
                report_loop(p, chain, count);
            return;
        }
        if (count > CHECK_VIA_MAX) {
            report_at(p->c->report, &via_of(p, i)->start_mark, p->vms->items[i].where,
                      "via: more than %d VMs lie on the way", CHECK_VIA_MAX);
            return;
        }
        chain[count++] = at;
    }
}

int check_via(const struct checker *c, const struct check_vm_list *vms, struct err *err)
{
    struct pass p = {.c = c, .vms = vms};
    int rc = 0;
    p.by_name = map_new(true);
    p.next = mem_calloc(vms->count ? vms->count : 1, sizeof *p.next);
    if (!p.by_name || !p.next)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (rc == 0)
        rc = index_names(&p, err);
    for (size_t i = 0; rc == 0 && i < vms->count; i++)
        rc = resolve(&p, i, err);
    for (size_t i = 0; rc == 0 && i < vms->count; i++)
        follow(&p, i);
    map_free(p.by_name, NULL);
    mem_free(p.next);
    return rc;
}

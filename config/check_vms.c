/*
 * check_vms: each VM's own keys, and what no two VMs may share: an alias, a listening address.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "check.h"
#include "forward_listener.h"

struct pass {
    const struct checker *c;
    struct check_vm_list vms;
    struct listener_set listeners;
    bool nomem;
};

static const struct {
    const char *key;
    enum forward_kind kind;
} kinds[] = {{"local", FORWARD_LOCAL}, {"dynamic", FORWARD_DYNAMIC}, {"remote", FORWARD_REMOTE}};
#define KINDS (sizeof kinds / sizeof kinds[0])

static void problem(struct pass *p, const yaml_node_t *n, const char *where, const struct err *err)
{
    if (err->code == ERR_NOMEM)
        p->nomem = true;
    else
        report_at(p->c->report, &n->start_mark, where, "%s", err->msg);
}

static void check_name(struct pass *p, struct check_vm *vm)
{
    const yaml_node_t *n = document_get(p->c->doc, vm->node, "name");
    const char *alias = document_scalar(n);
    struct err err = {0};
    if (!alias || !*alias)
        return;
    if (check_alias(alias, &err) < 0) {
        problem(p, n, vm->where, &err);
        return;
    }
    const struct check_vm *other = map_get(p->vms.by_alias, alias);
    if (other) {
        report_at(p->c->report, &n->start_mark, vm->where, "the name is taken by the VM in line %zu",
                  other->node->start_mark.line + 1);
        return;
    }
    vm->alias = alias;
    if (map_set(p->vms.by_alias, alias, vm, NULL) < 0)
        p->nomem = true;
}

/* `vm`, `id` and `address` are three ways to say one thing. */
static void check_target(struct pass *p, const struct check_vm *vm)
{
    static const char *const keys[] = {"vm", "id", "address"};
    const char *first = NULL;
    for (size_t i = 0; i < 3; i++) {
        const yaml_node_t *key = document_key(p->c->doc, vm->node, keys[i]);
        const yaml_node_t *n = document_get(p->c->doc, vm->node, keys[i]);
        const char *text = document_scalar(n);
        struct vm_name name = {.kind = VM_NAME_BARE};
        struct err err = {0};
        if (key && first)
            report_at(p->c->report, &key->start_mark, vm->where,
                      "%s is given although %s says which VM it is", keys[i], first);
        if (key && !first)
            first = keys[i];
        if (!text || !*text)
            continue;
        int rc = i == 2 ? vm_name_parse_address(&name, text, &err) : vm_name_parse(&name, text, &err);
        if (rc < 0)
            problem(p, n, vm->where, &err);
        else if (i == 1 && text[0] != '/')
            report_at(p->c->report, &n->start_mark, vm->where,
                      "id is a resource ID, which begins with /subscriptions/");
        if (rc == 0)
            vm_name_done(&name);
    }
    if (!first && vm->alias) { /* then the name is also the VM's name in Azure, or its address */
        struct vm_name name = {.kind = VM_NAME_BARE};
        struct err err = {0};
        if (vm_name_parse(&name, vm->alias, &err) < 0)
            problem(p, document_get(p->c->doc, vm->node, "name"), vm->where, &err);
        else
            vm_name_done(&name);
    }
}

static const struct check_vm *owner_of(const struct pass *p, const yaml_node_t *n)
{
    const struct check_vm *owner = p->vms.items;
    for (size_t i = 0; i < p->vms.count; i++)
        if (p->vms.items[i].node->start_mark.index <= n->start_mark.index)
            owner = &p->vms.items[i];
    return owner;
}

static void check_forward(struct pass *p, const struct check_vm *vm, enum forward_kind kind,
                          const yaml_node_t *n, const char *where, uint8_t *ports)
{
    const char *text = document_scalar(n);
    struct forward_spec spec = {.kind = kind};
    struct err err = {0};
    void *clash = NULL;
    if (!text || !*text)
        return;
    if (forward_spec_parse(&spec, kind, text, &err) < 0) {
        problem(p, n, where, &err);
        return;
    }
    if (!spec.listen.path)
        ports[spec.listen.port / 8] |= (uint8_t)(1U << spec.listen.port % 8);
    /* Remote forwards listen at their VM: another VM may have the same. */
    unsigned space = kind == FORWARD_REMOTE ? (unsigned)(vm - p->vms.items) + 1 : 0;
    if (listener_set_add(&p->listeners, space, &spec.listen, (void *)n, &clash) < 0)
        p->nomem = true;
    if (clash) {
        const yaml_node_t *other = clash;
        const char *alias = owner_of(p, other)->alias;
        report_at(
            p->c->report, &n->start_mark, where,
            "\"%.40s\" listens where \"%.40s\" of %.40s (line %zu) does; choose another port or address",
            text, document_scalar(other), alias ? alias : "a VM", other->start_mark.line + 1);
    }
    forward_spec_done(&spec);
}

static void check_bulk(struct pass *p, const struct check_vm *vm, const uint8_t *ports)
{
    const yaml_node_t *list = document_get(p->c->doc, vm->node, "bulk");
    for (size_t i = 0; i < document_count(list); i++) {
        const yaml_node_t *n = document_item(p->c->doc, list, i);
        const char *text = document_scalar(n);
        unsigned long port = text ? strtoul(text, NULL, 10) : 0;
        if (text && *text && port <= UINT16_MAX && !(ports[port / 8] & 1U << port % 8))
            report_at(p->c->report, &n->start_mark, vm->where,
                      "bulk: no forward of this VM listens on port %.20s", text);
    }
}

static void check_forwards(struct pass *p, const struct check_vm *vm)
{
    uint8_t ports[(UINT16_MAX + 1) / 8] = {0};
    size_t total = 0;
    for (size_t k = 0; k < KINDS; k++) {
        const yaml_node_t *list = document_get(p->c->doc, vm->node, kinds[k].key);
        total += document_count(list);
        if (total > CONFIG_FORWARDS_MAX) {
            report_at(p->c->report, &list->start_mark, vm->where, "more than %d forwards",
                      CONFIG_FORWARDS_MAX);
            return;
        }
        for (size_t i = 0; i < document_count(list) && !report_full(p->c->report); i++) {
            char where[REPORT_WHERE_MAX + 32];
            (void)snprintf(where, sizeof where, "%s: %s[%zu]", vm->where, kinds[k].key, i + 1);
            check_forward(p, vm, kinds[k].kind, document_item(p->c->doc, list, i), where, ports);
        }
    }
    check_bulk(p, vm, ports);
}

static void check_vm(struct pass *p, size_t i, const yaml_node_t *node)
{
    struct check_vm *vm = &p->vms.items[i];
    const char *name = document_scalar(document_get(p->c->doc, node, "name"));
    vm->node = node;
    p->vms.count = i + 1;
    (void)snprintf(vm->where, sizeof vm->where, name ? "vms[%zu] \"%.40s\"" : "vms[%zu]", i + 1, name);
    check_name(p, vm);
    check_target(p, vm);
    check_ssh(p->c, node, vm->where);
    check_forwards(p, vm);
}

int check_vms(const struct checker *c, const yaml_node_t *vms, struct err *err)
{
    struct pass p = {.c = c};
    size_t count = document_count(vms);
    int rc = 0;
    if (count == 0 || count > CONFIG_VMS_MAX)
        return 0;
    p.vms.items = mem_calloc(count, sizeof *p.vms.items);
    p.vms.by_alias = map_new(true);
    p.nomem = listener_set_init(&p.listeners) < 0 || !p.vms.items || !p.vms.by_alias;
    for (size_t i = 0; i < count && !p.nomem && !report_full(c->report); i++)
        check_vm(&p, i, document_item(c->doc, vms, i));
    if (!p.nomem && !report_full(c->report))
        rc = check_via(c, &p.vms, err);
    if (p.nomem)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    listener_set_done(&p.listeners);
    map_free(p.vms.by_alias, NULL);
    mem_free(p.vms.items);
    return rc;
}

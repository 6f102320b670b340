/*
 * lookup_instance: one instance of a Uniform scale set: the instance and its interfaces at once, then, if an
 * interface names public addresses, the scale set's list of them.
 *
 * Source: GET …/virtualMachineScaleSets/{set}/virtualMachines/{i}?$expand=instanceView (a VM's shape), GET
 * …/virtualMachines/{i}/networkInterfaces and GET …/virtualMachineScaleSets/{set}/publicipaddresses of the
 * network paths' api-version 2018-10-01. Failure modes: whatever fails ends it, but a list of addresses that
 * may not be read (403) leaves the private ones, with a warning.
 *
 *   START --instance and interfaces--> PUBLIC --last page--> done
 *                                  \--no public address--> done
 */
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "arm_nic.h"
#include "arm_vm.h"
#include "azure/page.h"
#include "base/log.h"
#include "base/mem.h"
#include "facts_build.h"
#include "lookup.h"

#define COMPUTE_API "2024-11-01"
#define NETWORK_API "2018-10-01"

struct lookup_instance {
    struct azure *azure;
    struct clock *clock;
    uint64_t deadline_at;
    struct arm_vm_id id;
    struct azure_req *vm_req;
    struct azure_pages *nic_pages, *public_pages;
    struct arm_vm vm;
    json_t *nics; /* ours: gains the public addresses */
    bool has_vm, has_nics;
    lookup_direct_cb cb;
    void *arg;
};

void lookup_instance_cancel(struct lookup_instance *l)
{
    if (l->vm_req)
        azure_cancel(l->vm_req);
    if (l->nic_pages)
        azure_pages_cancel(l->nic_pages);
    if (l->public_pages)
        azure_pages_cancel(l->public_pages);
    if (l->has_vm)
        arm_vm_done(&l->vm);
    json_decref(l->nics);
    mem_free(l);
}

/* err with code 0: all is well. From a page's callback only when it was the last or `pages` is still there.
 */
static void finish(struct lookup_instance *l, const struct err *err)
{
    lookup_direct_cb cb = l->cb;
    void *arg = l->arg;
    const struct resolver_facts *facts = l->vm.facts;
    l->vm.facts = NULL;
    lookup_instance_cancel(l);
    cb(arg, err->code ? NULL : facts, err->code ? err : NULL);
    resolver_facts_unref(facts);
}

static uint32_t time_left(const struct lookup_instance *l)
{
    uint64_t now = clock_now(l->clock);
    return now < l->deadline_at ? (uint32_t)(l->deadline_at - now) : 1;
}

static bool is_primary(const json_t *nics, size_t index)
{
    size_t i;
    json_t *nic;
    json_array_foreach(nics, i, nic)
    {
        if (json_is_true(json_object_get(json_object_get(nic, "properties"), "primary")))
            return i == index;
    }
    return index == 0;
}

static void end(struct lookup_instance *l)
{
    struct err why;
    size_t i;
    json_t *nic;
    err_clear(&why);
    json_array_foreach(l->nics, i, nic)
    {
        if (i < ARM_VM_NICS_MAX && json_is_object(nic) &&
            arm_nic_parse(l->vm.facts, nic, is_primary(l->nics, i), &why))
            break;
    }
    facts_address_sort(l->vm.facts);
    finish(l, &why);
}

/* Walks over the interfaces' configurations that have a public address; visit's true stops. */
static bool each_public(const json_t *nics, bool (*visit)(void *arg, json_t *reference), void *arg)
{
    size_t i, k;
    json_t *nic, *configuration;
    json_array_foreach(nics, i, nic)
    {
        json_array_foreach(json_object_get(json_object_get(nic, "properties"), "ipConfigurations"), k,
                           configuration)
        {
            json_t *reference =
                json_object_get(json_object_get(configuration, "properties"), "publicIPAddress");
            if (facts_text(reference, "id") && visit(arg, reference))
                return true;
        }
    }
    return false;
}

static bool any(void *arg, json_t *reference)
{
    (void)arg;
    return json_is_object(reference);
}

static bool fill_in(void *arg, json_t *reference)
{
    json_t *item = arg;
    const char *id = facts_text(item, "id");
    if (!id || strcasecmp(id, facts_text(reference, "id")) != 0)
        return false;
    json_object_set(reference, "properties", json_object_get(item, "properties"));
    return true;
}

static void on_public(void *arg, const json_t *value, bool last, const struct err *err)
{
    struct lookup_instance *l = arg;
    size_t i;
    json_t *item;
    if (err || last)
        l->public_pages = NULL;
    if (err && err->code != ERR_DENIED && err->code != ERR_NOTFOUND) {
        finish(l, err);
        return;
    }
    if (err)
        log_warn((&(struct log_ctx){.module = "resolver", .vm = l->vm.facts->name}),
                 "its public addresses are left out: %s", err->msg);
    json_array_foreach(value, i, item)
    {
        each_public(l->nics, fill_in, item);
    }
    if (last || err)
        end(l);
}

static int path_of(struct strbuf *path, const struct lookup_instance *l, bool with_instance, const char *rest)
{
    struct arm_vm_id id = l->id;
    strbuf_init(path);
    arm_vm_path_add(path, &id);
    if (!with_instance && path->data) {
        char *cut = path->data + path->len - strlen("/virtualMachines/") - strlen(id.instance);
        *cut = 0;
        path->len = (size_t)(cut - path->data);
    }
    strbuf_puts(path, rest);
    return path->bad ? ERR_NOMEM : 0;
}

static int list(struct lookup_instance *l, bool with_instance, const char *rest, azure_page_cb cb,
                struct azure_pages **out, struct err *err)
{
    struct strbuf path;
    int rc = path_of(&path, l, with_instance, rest);
    if (rc)
        err_set(err, rc, "out of memory");
    else
        rc = azure_pages_start(l->azure, path.data, time_left(l), cb, l, out, err);
    strbuf_done(&path);
    return rc;
}

/* When both answers are there. */
static void go_on(struct lookup_instance *l)
{
    struct err why;
    err_clear(&why);
    if (!l->has_vm || !l->has_nics)
        return;
    if (!each_public(l->nics, any, NULL))
        end(l);
    else if (list(l, false, "/publicipaddresses?api-version=" NETWORK_API, on_public, &l->public_pages, &why))
        finish(l, &why);
}

static void on_vm(void *arg, const struct azure_reply *reply, const struct err *err)
{
    struct lookup_instance *l = arg;
    struct err why;
    l->vm_req = NULL;
    err_clear(&why);
    if (err) {
        err_copy(&why, err, ERR_UNAVAILABLE);
    } else if (arm_vm_parse(&l->vm, reply->json, &why) == 0) {
        l->has_vm = true;
        arm_vm_check(&l->vm, &l->id, &why);
    }
    if (why.code)
        finish(l, &why);
    else
        go_on(l);
}

static void on_nics(void *arg, const json_t *value, bool last, const struct err *err)
{
    struct lookup_instance *l = arg;
    struct err why;
    if (err || last)
        l->nic_pages = NULL;
    json_t *copy = value ? json_deep_copy(value) : NULL;
    if (err) {
        /* The instance's own 404 says more. */
        if (err->code == ERR_NOTFOUND && l->vm_req) {
            l->has_nics = true;
            return;
        }
        why = *err;
        finish(l, &why);
        return;
    }
    if (value && (!copy || json_array_extend(l->nics, copy))) {
        json_decref(copy);
        err_set(&why, ERR_NOMEM, "out of memory");
        finish(l, &why);
        return;
    }
    json_decref(copy);
    l->has_nics = last;
    go_on(l);
}

static int start(struct lookup_instance *l, struct err *err)
{
    struct strbuf path;
    if (path_of(&path, l, true, "?$expand=instanceView&api-version=" COMPUTE_API)) {
        strbuf_done(&path);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    struct azure_call call = {.method = "GET", .path = path.data, .deadline_ms = time_left(l)};
    int rc = azure_send(l->azure, &call, on_vm, l, &l->vm_req, err);
    strbuf_done(&path);
    return rc ? rc
              : list(l, true, "/networkInterfaces?api-version=" NETWORK_API, on_nics, &l->nic_pages, err);
}

int lookup_instance_start(struct azure *a, struct clock *clock, const struct arm_vm_id *vm,
                          uint32_t deadline_ms, lookup_direct_cb cb, void *arg, struct lookup_instance **out,
                          struct err *err)
{
    struct lookup_instance *l = mem_zalloc(sizeof(*l));
    if (!l)
        return err_set(err, ERR_NOMEM, "out of memory");
    l->azure = a;
    l->clock = clock;
    l->deadline_at = clock_now(clock) + deadline_ms;
    l->id = *vm;
    l->cb = cb;
    l->arg = arg;
    l->nics = json_array();
    int rc = l->nics ? start(l, err) : err_set(err, ERR_NOMEM, "out of memory");
    if (rc) {
        lookup_instance_cancel(l);
        return rc;
    }
    *out = l;
    return 0;
}

/*
 * lookup_direct: one VM by two round trips of GETs: the VM with its instance view, then all its interfaces at
 * once, each with its public IP addresses expanded.
 *
 * Failure modes: a VM that is not there ends it (ERR_NOTFOUND). An interface that is gone meanwhile (404), or
 * a further one that may not be read (403), is left out with a warning; any other failure ends it.
 *
 *   VM --reply--> NICS --last reply--> done
 */
#include <jansson.h>

#include "arm_nic.h"
#include "arm_vm.h"
#include "base/log.h"
#include "base/mem.h"
#include "facts_build.h"
#include "lookup.h"

#define COMPUTE_API "2024-11-01"
#define NETWORK_API "2024-05-01"

struct nic {
    struct lookup_direct *lookup;
    struct azure_req *req;
    size_t index; /* in vm.nics */
};

struct lookup_direct {
    struct azure *azure;
    struct clock *clock;
    uint64_t deadline_at;
    struct arm_vm_id asked;
    struct azure_req *vm_req;
    struct arm_vm vm;
    json_t *replies[ARM_VM_NICS_MAX]; /* kept until all are there, to be read in the VM's order */
    struct nic nics[ARM_VM_NICS_MAX];
    size_t open; /* interfaces that have not answered */
    lookup_direct_cb cb;
    void *arg;
};

void lookup_direct_cancel(struct lookup_direct *l)
{
    if (l->vm_req)
        azure_cancel(l->vm_req);
    for (size_t i = 0; i < ARM_VM_NICS_MAX; i++) {
        if (l->nics[i].req)
            azure_cancel(l->nics[i].req);
        json_decref(l->replies[i]);
    }
    arm_vm_done(&l->vm);
    mem_free(l);
}

/* err with code 0: all is well. */
static void finish(struct lookup_direct *l, const struct err *err)
{
    lookup_direct_cb cb = l->cb;
    void *arg = l->arg;
    const struct resolver_facts *facts = l->vm.facts;
    l->vm.facts = NULL;
    lookup_direct_cancel(l);
    cb(arg, err->code ? NULL : facts, err->code ? err : NULL);
    resolver_facts_unref(facts);
}

static int get(struct lookup_direct *l, struct strbuf *path, azure_reply_cb cb, void *arg,
               struct azure_req **out, struct err *err)
{
    uint64_t now = clock_now(l->clock);
    struct azure_call call = {.method = "GET",
                              .path = path->data,
                              .deadline_ms = now < l->deadline_at ? (uint32_t)(l->deadline_at - now) : 1};
    int rc =
        path->bad ? err_set(err, ERR_NOMEM, "out of memory") : azure_send(l->azure, &call, cb, arg, out, err);
    strbuf_done(path);
    return rc;
}

static void read_all(struct lookup_direct *l, struct err *err)
{
    for (size_t i = 0; i < l->vm.nic_count; i++)
        if (l->replies[i] && arm_nic_parse(l->vm.facts, l->replies[i], l->vm.nics[i].primary, err))
            return;
    facts_address_sort(l->vm.facts);
}

static void on_nic(void *arg, const struct azure_reply *reply, const struct err *err)
{
    struct nic *nic = arg;
    struct lookup_direct *l = nic->lookup;
    struct err why;
    err_clear(&why);
    nic->req = NULL;
    l->open--;
    if (err && (err->code == ERR_NOTFOUND || (err->code == ERR_DENIED && !l->vm.nics[nic->index].primary))) {
        log_warn((&(struct log_ctx){.module = "resolver", .vm = l->vm.facts->name}),
                 "a network interface is left out: %s", err->msg);
    } else if (err) {
        finish(l, err);
        return;
    } else {
        l->replies[nic->index] = json_incref(reply->json);
    }
    if (l->open)
        return;
    read_all(l, &why);
    finish(l, &why);
}

static int ask_nics(struct lookup_direct *l, struct err *err)
{
    for (size_t i = 0; i < l->vm.nic_count; i++) {
        struct strbuf path;
        strbuf_init(&path);
        arm_path_add(&path, l->vm.nics[i].id);
        strbuf_puts(&path, "?$expand=IPConfigurations/PublicIPAddress&api-version=" NETWORK_API);
        l->nics[i] = (struct nic){l, NULL, i};
        int rc = get(l, &path, on_nic, &l->nics[i], &l->nics[i].req, err);
        if (rc)
            return rc;
        l->open++;
    }
    return 0;
}

static void on_vm(void *arg, const struct azure_reply *reply, const struct err *err)
{
    struct lookup_direct *l = arg;
    struct err why;
    err_clear(&why);
    l->vm_req = NULL;
    if (err)
        err_copy(&why, err, ERR_UNAVAILABLE);
    else if (arm_vm_parse(&l->vm, reply->json, &why) == 0 && arm_vm_check(&l->vm, &l->asked, &why) == 0)
        ask_nics(l, &why);
    if (why.code || l->open == 0)
        finish(l, &why);
}

int lookup_direct_start(struct azure *a, struct clock *clock, const struct arm_vm_id *vm,
                        uint32_t deadline_ms, lookup_direct_cb cb, void *arg, struct lookup_direct **out,
                        struct err *err)
{
    struct lookup_direct *l = mem_zalloc(sizeof(*l));
    struct strbuf path;
    if (!l)
        return err_set(err, ERR_NOMEM, "out of memory");
    l->azure = a;
    l->clock = clock;
    l->deadline_at = clock_now(clock) + deadline_ms;
    l->asked = *vm;
    l->cb = cb;
    l->arg = arg;
    strbuf_init(&path);
    arm_vm_path_add(&path, vm);
    strbuf_puts(&path, "?$expand=instanceView&api-version=" COMPUTE_API);
    int rc = get(l, &path, on_vm, l, &l->vm_req, err);
    if (rc) {
        mem_free(l);
        return rc;
    }
    *out = l;
    return 0;
}

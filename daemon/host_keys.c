/*
 * host_keys: the host keys of VMs as Azure reports them, asked for when they are needed.
 *
 *   fetch ─▶ ASKING (a Run Command on the VM; one a VM at a time, whoever else asks waits for it)
 *               ├──keys──▶ recorded in known_hosts ─▶ every waiter's cb
 *               └──none──▶ every waiter's cb(err)
 *
 * Failure modes: the VM does not run or has no SSH server yet, Run Command may not be used (403), known_hosts
 * cannot be written; each is told with what to do, and the next attempt asks again. When nobody waits any
 * more, the asking is given up.
 */
#include "host_keys.h"

#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "prepare/prepare.h"
#include "proxy/ssh_options.h"

struct asking {
    struct list node; /* of the daemon's host_keys */
    struct daemon *d;
    struct config_vm *vm;
    const struct resolver_facts *facts;
    struct prepare_keys *keys;
    struct list waiters;
};

struct waiter {
    struct list node;
    struct asking *asking; /* NULL: it is over, and this one is about to be told */
    proxy_keys_cb cb;
    void *arg;
};

static void asking_free(struct asking *a)
{
    list_remove(&a->node);
    if (a->keys)
        prepare_keys_cancel(a->keys);
    resolver_facts_unref(a->facts);
    config_vm_free(a->vm);
    mem_free(a);
}

static int record(const struct asking *a, const char *keys, bool *changed, struct err *err)
{
    struct ssh_options_text text;
    struct ssh_hostid_want want;
    ssh_options_host(&want, &text, a->vm, a->facts, a->d->place->known_hosts);
    return ssh_hostid_learn(&want, keys, changed, err);
}

static void on_keys(void *arg, const char *keys, const struct err *err)
{
    struct asking *a = arg;
    struct err why = {0};
    struct list waiters, *node;
    struct waiter *w;
    bool changed = false;
    a->keys = NULL;
    if (err)
        why = *err;
    if (err || record(a, keys, &changed, &why) < 0) {
        err_wrap(&why, "host-key-check: arm");
        err_hint(&why, "; `adit doctor %s` tells more", a->vm->alias);
    }
    list_init(&waiters);
    list_each(w, &a->waiters, struct waiter, node) w->asking = NULL;
    list_splice(&waiters, &a->waiters);
    asking_free(a);
    /* A callback may cancel another waiter, which is off this list then. */
    while ((node = list_pop(&waiters)) != NULL) {
        w = container_of(node, struct waiter, node);
        proxy_keys_cb cb = w->cb;
        void *cb_arg = w->arg;
        mem_free(w);
        cb(cb_arg, changed, why.code ? &why : NULL);
    }
}

static struct asking *find(const struct daemon *d, const struct resolver_facts *facts)
{
    struct asking *a;
    list_each(a, &d->host_keys, struct asking, node)
    {
        if (strcasecmp(a->facts->vm_id, facts->vm_id) == 0 && strcasecmp(a->facts->id, facts->id) == 0)
            return a;
    }
    return NULL;
}

static struct asking *begin(struct daemon *d, const struct config_vm *vm, const struct resolver_facts *facts,
                            struct err *err)
{
    struct asking *a = mem_zalloc(sizeof *a);
    if (!a || config_vm_copy(vm, &a->vm) < 0) {
        mem_free(a);
        err_set(err, ERR_NOMEM, "aditd is out of memory");
        return NULL;
    }
    a->d = d;
    a->facts = resolver_facts_ref(facts);
    list_init(&a->waiters);
    list_push(&d->host_keys, &a->node);
    log_info(&DAEMON_LOG, "vm %s: asking Azure for its host keys", vm->alias);
    int rc = d->azure ? prepare_keys_fetch(&a->keys, d->azure, d->clock, facts->id,
                                           facts->os == RESOLVER_OS_WINDOWS, HOST_KEYS_MS, on_keys, a, err)
                      : err_copy(err, &d->azure_err, ERR_UNAVAILABLE);
    if (rc == 0)
        return a;
    a->keys = NULL;
    err_wrap(err, "host-key-check: arm");
    asking_free(a);
    return NULL;
}

void *host_keys_fetch(struct daemon *d, const struct config_vm *vm, const struct resolver_facts *facts,
                      proxy_keys_cb cb, void *arg, struct err *err)
{
    struct waiter *w = mem_zalloc(sizeof *w);
    if (!w) {
        err_set(err, ERR_NOMEM, "aditd is out of memory");
        return NULL;
    }
    struct asking *a = find(d, facts);
    if (!a)
        a = begin(d, vm, facts, err);
    if (!a) {
        mem_free(w);
        return NULL;
    }
    w->asking = a;
    w->cb = cb;
    w->arg = arg;
    list_push(&a->waiters, &w->node);
    return w;
}

void host_keys_cancel(void *handle)
{
    struct waiter *w = handle;
    struct asking *a = w->asking;
    list_remove(&w->node);
    mem_free(w);
    if (a && list_empty(&a->waiters))
        asking_free(a);
}

static void *fetch(void *daemon, const struct config_vm *vm, const struct resolver_facts *facts,
                   proxy_keys_cb cb, void *arg, struct err *err)
{
    return host_keys_fetch(daemon, vm, facts, cb, arg, err);
}

static void cancel(void *daemon, void *handle)
{
    (void)daemon;
    host_keys_cancel(handle);
}

struct proxy_host_keys host_keys_for_proxy(struct daemon *d)
{
    return (struct proxy_host_keys){.fetch = fetch, .cancel = cancel, .arg = d};
}

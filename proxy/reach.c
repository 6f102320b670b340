/*
 * reach: addresses come from the configuration, from DNS, or from ARM.
 *
 *   literal address, or any name behind `via` ─▶ as it stands
 *   DNS name                                  ─▶ getaddrinfo
 *   VM name                                   ─▶ resolver ─▶ resolver_facts_pick [─▶ its host keys, from
 * Azure]
 */
#include "reach.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ssh_options.h"

struct reach {
    struct ready ready; /* for an answer that is known at once */
    uv_getaddrinfo_t dns;
    bool in_dns, canceled;
    struct resolver_req *lookup;
    struct resolver_want want;
    uint16_t port;
    char *host;
    struct mail_reach found;
    unsigned flags;
    struct config_vm *vm; /* with REACH_KEYS, when Azure is to say which they are */
    struct proxy_host_keys host_keys;
    const char *known_hosts; /* the proxy's */
    void *keys;              /* being asked for */
    reach_cb cb;
    void *arg;
};

static void reach_free(struct reach *r)
{
    resolver_facts_unref(r->found.facts);
    config_vm_free(r->vm);
    mem_free(r->host);
    mem_free(r);
}

static void reach_finish(struct reach *r, const struct err *err)
{
    if (!r->canceled)
        r->cb(r->arg, &r->found, err);
    reach_free(r);
}

static void add(struct reach *r, const char *host)
{
    if (r->found.count == DIAL_ADDRESSES_MAX)
        return;
    struct dial_address *a = &r->found.addresses[r->found.count++];
    snprintf(a->host, sizeof a->host, "%s", host);
    a->port = r->port;
}

static void on_ready(struct ready *ready)
{
    reach_finish(container_of(ready, struct reach, ready), NULL);
}

static void on_dns(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct reach *r = req->data;
    struct err err = {0};
    for (const struct addrinfo *a = list; a && status == 0; a = a->ai_next) {
        char host[64];
        bool v6 = a->ai_family == AF_INET6;
        if ((v6 && r->want.family == RESOLVER_FAMILY_IPV4) || (!v6 && r->want.family == RESOLVER_FAMILY_IPV6))
            continue;
        int bad = v6 ? uv_ip6_name((const struct sockaddr_in6 *)(const void *)a->ai_addr, host, sizeof host)
                     : uv_ip4_name((const struct sockaddr_in *)(const void *)a->ai_addr, host, sizeof host);
        if (bad == 0)
            add(r, host);
    }
    uv_freeaddrinfo(list);
    if (status < 0)
        err_set(&err, ERR_UNREACHABLE, "%s: %s", r->host, uv_strerror(status));
    else if (r->found.count == 0)
        err_set(&err, ERR_UNREACHABLE, "%s has no address of the wanted address-family", r->host);
    reach_finish(r, err.code ? &err : NULL);
}

static void on_keys(void *arg, bool changed, const struct err *err)
{
    struct reach *r = arg;
    r->keys = NULL;
    r->found.rekeyed = changed;
    reach_finish(r, err);
}

static void ask_keys(struct reach *r)
{
    struct err err = {0};
    struct ssh_options_text text;
    struct ssh_hostid_want want;
    const struct proxy_host_keys *k = &r->host_keys;
    ssh_options_host(&want, &text, r->vm, r->found.facts, r->known_hosts);
    if (!(r->flags & REACH_REKEY) && ssh_hostid_known(&want)) {
        reach_finish(r, NULL);
        return;
    }
    if (k->fetch)
        r->keys = k->fetch(k->arg, r->vm, r->found.facts, on_keys, r, &err);
    else
        err_set(&err, ERR_UNSUPPORTED, "nobody here can ask Azure for host keys");
    if (!r->keys)
        reach_finish(r, &err);
}

static void on_facts(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct reach *r = arg;
    r->lookup = NULL;
    if (!facts) {
        struct err none = {0};
        err_set(&none, ERR_UNAVAILABLE, "no answer");
        reach_finish(r, err ? err : &none);
        return;
    }
    r->found.facts = resolver_facts_ref(facts);
    const struct resolver_address *picked[DIAL_ADDRESSES_MAX];
    struct err why = {0};
    int n = resolver_facts_pick(facts, &r->want, picked, DIAL_ADDRESSES_MAX, &why);
    for (int i = 0; i < n; i++)
        add(r, picked[i]->ip);
    if (n < 0 || !r->vm)
        reach_finish(r, n < 0 ? &why : NULL);
    else
        ask_keys(r);
}

void reach_doubt(const struct mail_reach *found, struct err *err)
{
    if (found->facts && found->facts->unconfirmed)
        err_hint(err, "; Azure could not be asked whether its address is still right: %s",
                 found->facts->unconfirmed);
}

static bool is_literal(const char *host)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    return uv_ip4_addr(host, 0, &v4) == 0 || uv_ip6_addr(host, 0, &v6) == 0;
}

static int start_address(struct reach *r, const struct reach_env *env, const struct config_vm *vm,
                         struct err *err)
{
    if (vm->via || is_literal(vm->vm.name)) {
        add(r, vm->vm.name);
        ready_push(env->ready, &r->ready);
        return 0;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    r->dns.data = r;
    int s = uv_getaddrinfo(env->loop, &r->dns, on_dns, vm->vm.name, NULL, &hints);
    if (s < 0)
        return err_uv(err, s, "%s", vm->vm.name);
    r->in_dns = true;
    return 0;
}

static int start_lookup(struct reach *r, const struct reach_env *env, const struct config_vm *vm, bool direct,
                        struct err *err)
{
    if (!env->resolver)
        return err_copy(err, env->resolver_err, ERR_UNAVAILABLE);
    struct resolver_name name = {.subscription = vm->vm.subscription,
                                 .group = vm->vm.group,
                                 .name = vm->vm.name,
                                 .instance = vm->vm.instance};
    if (direct)
        resolver_invalidate(env->resolver, &name);
    return resolver_lookup(env->resolver, &name, direct ? RESOLVER_DIRECT : 0, 0, on_facts, r, &r->lookup,
                           err);
}

int reach_start(struct reach **out, const struct reach_env *env, const struct config_vm *vm, uint16_t port,
                unsigned flags, reach_cb cb, void *arg, struct err *err)
{
    struct reach *r = mem_zalloc(sizeof *r);
    if (!r)
        return err_set(err, ERR_NOMEM, "out of memory");
    r->host = mem_strdup(vm->vm.name);
    r->port = port;
    r->cb = cb;
    r->arg = arg;
    r->want = (struct resolver_want){
        .family = vm->ssh.family == CONFIG_FAMILY_IPV4   ? RESOLVER_FAMILY_IPV4
                  : vm->ssh.family == CONFIG_FAMILY_IPV6 ? RESOLVER_FAMILY_IPV6
                                                         : RESOLVER_FAMILY_ANY,
        .prefer_private = vm->ssh.prefer_private_ip,
        .private_only = vm->via != NULL,
    };
    ready_init(&r->ready, on_ready);
    r->flags = flags;
    r->known_hosts = env->known_hosts;
    if (env->host_keys)
        r->host_keys = *env->host_keys;
    bool keys = (flags & REACH_KEYS) && vm->ssh.host_key_check == CONFIG_HOST_KEY_ARM;
    int s = ERR_NOMEM;
    if (!r->host || (keys && config_vm_copy(vm, &r->vm) < 0))
        err_set(err, ERR_NOMEM, "out of memory");
    else if (vm->vm.kind == VM_NAME_ADDRESS)
        s = start_address(r, env, vm, err);
    else
        s = start_lookup(r, env, vm, (flags & REACH_DIRECT) != 0, err);
    if (s < 0) {
        reach_free(r);
        return s;
    }
    *out = r;
    return 0;
}

void reach_cancel(struct reach *r)
{
    r->canceled = true;
    if (r->in_dns) {
        uv_cancel((uv_req_t *)&r->dns); /* the callback comes all the same, and frees */
        return;
    }
    if (r->lookup)
        resolver_cancel(r->lookup);
    if (r->keys)
        r->host_keys.cancel(r->host_keys.arg, r->keys);
    ready_cancel(&r->ready);
    reach_free(r);
}

/*
 * proxy: starting and stopping the workers, and the mail between them and the main loop.
 *
 *   proxy_close ─▶ requests aborted, look-ups cancelled, MAIL_STOP to each ─all stopped and joined─▶ handles
 * closed ─▶ cb
 */
#include "proxy.h"

#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"
#include "front.h"
#include "plane.h"
#include "ssh/keychain.h"

#define BUFFER_MAX_DEFAULT ((size_t)256 << 20)
#define DESCRIPTORS_KEPT ((size_t)256) /* for everything that is no flow */

static const struct log_ctx log_proxy = {.module = "proxy"};

/* ---- to the workers ---- */

bool front_post(struct proxy *p, unsigned worker, struct proxy_mail *m, struct proxy_req *req)
{
    if (!m) {
        struct err err = {0};
        err_set(&err, ERR_NOMEM, "out of memory");
        log_error(&log_proxy, "out of memory: a worker was not told");
        if (req)
            request_failed(req, &err);
        return false;
    }
    if (req) {
        m->req = req->id;
        req->pending++;
    }
    worker_post(p->workers[worker], m);
    return true;
}

static struct proxy_mail *mail_for(const struct front_vm *vm, enum mail_kind kind)
{
    struct proxy_mail *m = proxy_mail_new(kind);
    if (m)
        m->vm = vm->id;
    return m;
}

bool front_post_set(struct front_vm *vm, unsigned flags, struct proxy_req *req)
{
    struct proxy_mail *m = mail_for(vm, MAIL_VM_SET);
    if (m && proxy_mail_set_config(m, vm->config) < 0) {
        proxy_mail_free(m);
        m = NULL;
    }
    if (m) {
        m->via = vm->via;
        m->flags = flags | (vm->wanted ? MAIL_WANTED : 0);
    }
    return front_post(vm->proxy, vm->worker, m, req);
}

bool front_post_drop(struct front_vm *vm, struct proxy_req *req)
{
    return front_post(vm->proxy, vm->worker, mail_for(vm, MAIL_VM_DROP), req);
}

bool front_post_up(struct front_vm *vm, uint32_t deadline_ms, struct proxy_req *req)
{
    struct proxy_mail *m = mail_for(vm, MAIL_VM_UP);
    if (m)
        m->deadline_ms = deadline_ms;
    return front_post(vm->proxy, vm->worker, m, req);
}

bool front_post_forward(struct front_vm *vm, enum mail_kind kind, const struct forward_spec *spec,
                        unsigned flags, uint32_t deadline_ms, struct proxy_req *req)
{
    struct proxy_mail *m = mail_for(vm, kind);
    if (m && proxy_mail_set_spec(m, spec) < 0) {
        proxy_mail_free(m);
        m = NULL;
    }
    if (m) {
        m->flags = flags;
        m->deadline_ms = deadline_ms;
    }
    return front_post(vm->proxy, vm->worker, m, req);
}

/* ---- look-ups for the workers ---- */

struct reach_env front_reach_env(const struct proxy *p)
{
    return (struct reach_env){.loop = p->o.loop,
                              .ready = p->ready,
                              .resolver = p->o.resolver,
                              .resolver_err = &p->resolver_err,
                              .known_hosts = p->known_hosts,
                              .host_keys = &p->o.host_keys};
}

static void send_reached(struct front_vm *vm, const struct mail_reach *found, const struct err *err)
{
    struct proxy_mail *m = mail_for(vm, MAIL_REACHED);
    if (m) {
        m->seq = vm->reach_seq;
        m->reach = *found;
        if (found->facts)
            m->reach.facts = resolver_facts_ref(found->facts);
        if (err)
            m->err = *err;
    }
    front_post(vm->proxy, vm->worker, m, NULL);
}

static void on_reached(void *arg, const struct mail_reach *found, const struct err *err)
{
    struct front_vm *vm = arg;
    vm->reach = NULL;
    send_reached(vm, found, err);
}

void front_reach_asked(struct proxy *p, const struct proxy_mail *m)
{
    struct front_vm *vm = table_by_id(p, m->vm);
    if (!vm || p->closing)
        return;
    if (vm->reach)
        reach_cancel(vm->reach);
    vm->reach = NULL;
    vm->reach_seq = m->seq;
    struct reach_env env = front_reach_env(p);
    struct err err = {0};
    unsigned flags =
        REACH_KEYS | (m->flags & MAIL_DIRECT ? REACH_DIRECT : 0) | (m->flags & MAIL_REKEY ? REACH_REKEY : 0);
    if (reach_start(&vm->reach, &env, vm->config, vm->config->ssh.port, flags, on_reached, vm, &err) < 0) {
        vm->reach = NULL;
        send_reached(vm, &(struct mail_reach){0}, &err);
    }
}

/* ---- the end ---- */

static void proxy_free(struct proxy *p)
{
    front_questions_free(p);
    ssh_keychain_forget(NULL);
    config_unref(p->config);
    map_free(p->by_alias, NULL);
    mem_free(p->slots);
    mem_free(p->known_hosts);
    mem_free(p->agent_socket);
    mem_free(p);
}

static void on_handle_closed(void *arg)
{
    struct proxy *p = arg;
    if (--p->open_handles > 0)
        return;
    proxy_closed_cb cb = p->closed_cb;
    void *cb_arg = p->closed_arg;
    proxy_free(p);
    if (cb)
        cb(cb_arg);
}

static void end(struct proxy *p)
{
    struct list *node;
    while ((node = list_first(&p->vms)) != NULL)
        table_remove(container_of(node, struct front_vm, node));
    /* Requests that became complete in this very turn are still delivered before the queue closes. */
    while ((node = list_first(&p->requests)) != NULL) {
        struct proxy_req *r = container_of(node, struct proxy_req, node);
        ready_cancel(&r->ready);
        r->ready.cb(&r->ready);
    }
    p->open_handles = 0;
    if (p->box)
        p->open_handles++;
    if (p->ready)
        p->open_handles++;
    if (p->box)
        mailbox_close(p->box, on_handle_closed, p);
    readyq_close(p->ready, on_handle_closed, p);
}

static void worker_stopped(struct proxy *p, unsigned index)
{
    worker_join(p->workers[index]);
    p->workers[index] = NULL;
    if (--p->workers_running == 0)
        end(p);
}

static void on_mail(void *arg, struct mail *mail)
{
    struct proxy *p = arg;
    struct proxy_mail *m = proxy_mail_of(mail);
    switch (m->kind) {
    case MAIL_REACH:
        front_reach_asked(p, m);
        break;
    case MAIL_ASK:
        front_asked(p, m);
        break;
    case MAIL_ASK_OVER:
        front_ask_over(p, m);
        break;
    case MAIL_STOPPED: {
        unsigned worker = m->worker;
        proxy_mail_free(m);
        worker_stopped(p, worker);
        return;
    }
    default:
        request_mail(p, m);
        break;
    }
    proxy_mail_free(m);
}

void proxy_close(struct proxy *p, uint32_t grace_ms, proxy_closed_cb cb, void *arg)
{
    struct err err = {0};
    err_set(&err, ERR_CANCELED, "adit is shutting down");
    p->closing = true;
    p->closed_cb = cb;
    p->closed_arg = arg;
    request_abort_all(p, &err);
    struct front_vm *vm;
    list_each(vm, &p->vms, struct front_vm, node)
    {
        if (vm->reach)
            reach_cancel(vm->reach);
        vm->reach = NULL;
    }
    for (unsigned i = 0; i < p->worker_count; i++) {
        p->stop[i]->deadline_ms = grace_ms;
        worker_post(p->workers[i], p->stop[i]);
        p->stop[i] = NULL;
    }
}

/* ---- the beginning ---- */

static size_t flows_per_worker(unsigned workers)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return PLANE_FLOWS_MAX;
    size_t all =
        limit.rlim_cur > 2 * DESCRIPTORS_KEPT ? limit.rlim_cur - DESCRIPTORS_KEPT : limit.rlim_cur / 2;
    size_t each = all / workers;
    return each < PLANE_FLOWS_MAX ? each : PLANE_FLOWS_MAX;
}

static int start_workers(struct proxy *p, unsigned count, struct err *err)
{
    for (unsigned i = 0; i < count; i++) {
        struct worker_options options = {
            .index = i,
            .main_box = p->box,
            .known_hosts = p->known_hosts,
            .agent_socket = p->agent_socket,
            .buffer_max = p->o.buffer_max ? p->o.buffer_max : BUFFER_MAX_DEFAULT,
            .flows_max = flows_per_worker(count),
        };
        /* Made now: the end must not fail for want of memory. */
        p->stop[i] = proxy_mail_new(MAIL_STOP);
        int r = p->stop[i] ? worker_start(&p->workers[i], &options, err)
                           : err_set(err, ERR_NOMEM, "out of memory");
        if (r < 0) {
            proxy_mail_free(p->stop[i]);
            p->stop[i] = NULL;
            return r;
        }
        p->worker_count++;
        p->workers_running++;
    }
    return 0;
}

static int proxy_init(struct proxy *p, struct err *err)
{
    p->by_alias = map_new(true);
    p->slots = mem_calloc(FRONT_VMS_MAX, sizeof(struct front_vm *));
    p->known_hosts = mem_strdup(p->o.known_hosts);
    p->agent_socket = mem_strdup(p->o.agent_socket);
    if (!p->by_alias || !p->slots || (p->o.known_hosts && !p->known_hosts) ||
        (p->o.agent_socket && !p->agent_socket))
        return err_set(err, ERR_NOMEM, "out of memory");
    if (mailbox_new(&p->box, p->o.loop, on_mail, p) < 0)
        return err_set(err, ERR_SYSTEM, "cannot make the main loop's mailbox");
    unsigned count = p->o.workers;
    if (count == 0) {
        unsigned available = uv_available_parallelism();
        count = available < FRONT_WORKERS_DEFAULT_MAX ? available : FRONT_WORKERS_DEFAULT_MAX;
    }
    return start_workers(p, count < FRONT_WORKERS_MAX ? count : FRONT_WORKERS_MAX, err);
}

int proxy_new(struct proxy **out, const struct proxy_options *options, struct err *err)
{
    struct proxy *p = mem_zalloc(sizeof *p);
    if (!p)
        return err_set(err, ERR_NOMEM, "out of memory");
    p->o = *options;
    if (options->resolver_err)
        p->resolver_err = *options->resolver_err;
    list_init(&p->vms);
    list_init(&p->requests);
    list_init(&p->questions);
    list_init(&p->deferred);
    if (readyq_new(&p->ready, options->loop) < 0) {
        mem_free(p);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    int r = proxy_init(p, err);
    if (r < 0) {
        /* What did start ends by itself, on the next turns of the loop. */
        p->closing = true;
        if (p->worker_count > 0)
            proxy_close(p, 0, NULL, NULL);
        else
            end(p);
        return r;
    }
    *out = p;
    return 0;
}

/*
 * remote: has the VM listen, and again after every reconnect.
 *
 *            ┌──────────────── connection lost, or given up ────────────────┐
 *            ▼                                                              │
 *   OFF ──VM up──▶ LINE ──connection──▶ ASKED ──it listens──▶ LISTENING ────┘
 *                   ▲                     │ it refuses
 *                   └───a growing pause── PAUSED
 *
 * Happy path: the pool gives a connection of the forward's class, which then counts as used, so that nobody
 * closes it for being idle; the server listens there, and remote_caller.c serves who comes. Failure modes:
 * after a connection was cut off the server may hold the port for the dead one for minutes, so a refusal is
 * never the last word; it is told once, and in the status until it is overcome. What the engine cannot do is
 * not asked again on that connection.
 */
#include "remote.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "forward.h"
#include "vm.h"

#define AGAIN_MS 100 /* after a connection of several was lost */

#define REMOTE_LOG_CTX(r)                                                                                    \
    &(struct log_ctx)                                                                                        \
    {                                                                                                        \
        .module = "proxy", .vm = (r)->forward->vm->config->alias, .forward = (r)->forward->spec.text         \
    }

static void step(struct remote *r);

static void place_text(struct remote *r, uint16_t port)
{
    const struct forward_end *at = &r->forward->spec.listen;
    const char *host = at->host ? at->host : "localhost";
    if (at->path)
        snprintf(r->place, sizeof r->place, "%s", at->path);
    else
        snprintf(r->place, sizeof r->place, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

static void let_go(struct remote *r)
{
    if (r->listen)
        ssh_listen_close(r->listen);
    r->listen = NULL;
    timer_stop(&r->retry);
    pool_leave(&r->waiter);
    r->state = REMOTE_OFF;
}

/* The state is settled for now: who waits for the forward is told on the next turn. */
static void paused(struct remote *r, const struct err *err)
{
    struct forward *f = r->forward;
    bool news = strcmp(f->err.msg, err->msg) != 0;
    pool_leave(&r->waiter);
    r->state = REMOTE_PAUSED;
    f->err = *err;
    bool again = err->code != ERR_UNSUPPORTED;
    if (news)
        log_warn(REMOTE_LOG_CTX(r), "forward %s: %s: %s%s", f->spec.text, f->vm->label, err->msg,
                 again ? "; trying again" : "");
    if (again)
        timer_start(&r->retry, backoff_pause(++r->failures));
    vm_demand(f->vm);
}

/* What a refusal means, and what to do about it. */
static void explain(struct remote *r, const struct err *err, struct err *out)
{
    place_text(r, r->forward->spec.listen.port);
    if (err->code == ERR_DENIED)
        err_set(
            out, ERR_DENIED,
            "administratively prohibited: its sshd may not listen on %s (\"%s\"); see AllowTcpForwarding, "
            "PermitListen and GatewayPorts in its sshd_config; ports below 1024 are root's",
            r->place, err->msg);
    else
        err_set(
            out, ERR_EXISTS,
            "its sshd does not listen on %s: the port is in use there, most likely (or sshd_config says no: "
            "AllowTcpForwarding, GatewayPorts)",
            r->place);
}

static void on_listening(void *arg, uint16_t port)
{
    struct remote *r = arg;
    struct forward *f = r->forward;
    r->state = REMOTE_LISTENING;
    r->failures = 0;
    err_clear(&f->err);
    place_text(r, port);
    log_info(REMOTE_LOG_CTX(r), "%s: it listens on %s for forward %s", f->vm->label, r->place, f->spec.text);
    vm_demand(f->vm);
}

static void on_listen_closed(void *arg, const struct err *err)
{
    struct remote *r = arg;
    struct err why = {0};
    bool refused = r->state == REMOTE_ASKED && (err->code == ERR_DENIED || err->code == ERR_REFUSED);
    r->listen = NULL;
    if (refused) {
        explain(r, err, &why);
        paused(r, &why);
        return;
    }
    /* With the connection; another one may be there, or the VM says when it is up. */
    let_go(r);
    timer_start(&r->retry, AGAIN_MS);
}

static bool on_incoming(void *arg, struct ssh_chan *ch, const struct ssh_origin *from)
{
    return remote_caller_begin(arg, ch, from);
}

static const struct ssh_listen_events listen_events = {
    .listening = on_listening, .incoming = on_incoming, .closed = on_listen_closed};

/* RFC 4254 §7.1: no name is every address, "localhost" the loopback ones of both families. */
static struct ssh_bind bind_of(const struct forward_end *at)
{
    if (at->path)
        return (struct ssh_bind){.kind = SSH_TARGET_UNIX, .path = at->path};
    const char *host = !at->host ? "localhost" : strcmp(at->host, "*") == 0 ? "" : at->host;
    return (struct ssh_bind){.kind = SSH_TARGET_TCP, .host = host, .port = at->port};
}

static void ask(struct remote *r)
{
    struct ssh_bind bind = bind_of(&r->forward->spec.listen);
    struct err err = {0};
    pool_opened(&r->waiter); /* it holds up no open */
    if (ssh_listen_open(&r->listen, r->waiter.conn->ssh, &bind, &listen_events, r, &err) < 0) {
        r->listen = NULL;
        paused(r, &err);
        return;
    }
    r->state = REMOTE_ASKED;
}

static void on_served(struct pool_waiter *w, const struct err *err)
{
    struct remote *r = container_of(w, struct remote, waiter);
    if (err)
        r->state = REMOTE_OFF; /* the VM is not up any more, and says so itself */
    else
        ask(r);
}

static void on_retry(struct timer *t)
{
    struct remote *r = container_of(t, struct remote, retry);
    r->state = REMOTE_OFF;
    step(r);
}

static void step(struct remote *r)
{
    struct vm *vm = r->forward->vm;
    struct err err = {0};
    if (!r->wanted || r->state != REMOTE_OFF || vm->state != PROXY_VM_UP || vm->plane->stopping)
        return;
    timer_stop(&r->retry);
    r->waiter.cls = forward_class(r->forward);
    r->waiter.deadline_ms = UINT64_MAX / 2; /* for as long as the VM is up */
    if (pool_get(&vm->pool, &r->waiter, &err) < 0)
        paused(r, &err);
    else if (r->waiter.conn)
        ask(r);
    else
        r->state = REMOTE_LINE;
}

int remote_new(struct remote **out, struct forward *f)
{
    struct remote *r = mem_zalloc(sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->forward = f;
    r->waiter.served = on_served;
    list_init(&r->waiter.node);
    list_init(&r->callers);
    timer_init(&r->retry, f->vm->plane->o.clock, on_retry);
    *out = r;
    return 0;
}

void remote_free(struct remote *r)
{
    if (!r)
        return;
    remote_stop(r);
    mem_free(r);
}

int remote_start(struct remote *r, struct err *err)
{
    struct forward *f = r->forward;
    if (!f->spec.target.host && !f->spec.target.path) {
        err_set(&f->err, ERR_UNSUPPORTED,
                "a SOCKS proxy at the VM (-R with a port alone) is not served; name a target, as in "
                "8080:localhost:80");
        err_copy(err, &f->err, ERR_UNSUPPORTED);
        if (err)
            err_wrap(err, "forward %s", f->spec.text);
        return ERR_UNSUPPORTED;
    }
    r->wanted = true;
    step(r);
    return 0;
}

void remote_stop(struct remote *r)
{
    r->wanted = false;
    remote_callers_refuse(r, "the forward was taken down");
    let_go(r);
}

void remote_vm_up(struct remote *r)
{
    if (r->state == REMOTE_PAUSED) {
        timer_stop(&r->retry);
        r->state = REMOTE_OFF;
    }
    r->failures = 0;
    step(r);
}

void remote_vm_down(struct remote *r)
{
    let_go(r);
}

const char *remote_listening(const struct remote *r)
{
    return r->state == REMOTE_LISTENING ? r->place : NULL;
}

bool remote_pending(const struct remote *r)
{
    return r->wanted && r->state != REMOTE_LISTENING && r->state != REMOTE_PAUSED;
}

/*
 * remote_caller: somebody connected at the VM: the target here is connected to, then it is a flow.
 *
 *   channel comes in ─▶ DIALLING ─connected─▶ a flow of the forward (accepted)
 *                          │ no target, too late ─▶ refused, with the reason
 *                          └ the connection ends  ─▶ gone
 */
#include "remote.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "forward.h"
#include "local_dial.h"
#include "vm.h"

struct remote_caller {
    struct list node; /* remote.callers */
    struct remote *remote;
    struct ssh_chan *ch;
    struct pool_conn *conn;
    struct local_dial *dial;
    char from[160];
};

static void caller_free(struct remote_caller *c)
{
    if (c->dial)
        local_dial_cancel(c->dial);
    list_remove(&c->node);
    c->remote->caller_count--;
    mem_free(c);
}

static void on_closed(void *arg, const struct err *err)
{
    (void)err; /* the VM tells of it */
    caller_free(arg);
}

static const struct ssh_chan_events caller_events = {.closed = on_closed};

static void failed(struct remote_caller *c, const struct err *err)
{
    struct forward *f = c->remote->forward;
    struct err why = *err;
    f->flows_total++;
    ssh_chan_refuse(c->ch, err->msg);
    err_wrap(&why, "from %s", c->from);
    caller_free(c);
    forward_flow_failed(f, &why, false);
}

static void on_dialled(void *arg, int fd, bool tcp, const struct err *err)
{
    struct remote_caller *c = arg;
    struct forward *f = c->remote->forward;
    struct err why = {0};
    c->dial = NULL;
    if (err) {
        failed(c, err);
        return;
    }
    struct forward_flow *ff = mem_zalloc(sizeof *ff);
    struct flow_options options = forward_flow_options(f, ff);
    struct flow *flow;
    if (!ff)
        err_set(&why, ERR_NOMEM, "out of memory");
    else
        flow_adopt(&flow, &options, fd, tcp, c->ch, c->conn, &why);
    if (why.code) {
        mem_free(ff);
        close(fd);
        failed(c, &why);
        return;
    }
    caller_free(c);
    forward_flow_begun(f, ff, flow);
}

bool remote_caller_begin(struct remote *r, struct ssh_chan *ch, const struct ssh_origin *from)
{
    static struct log_rate rate = {.burst = 1, .every_ms = 10000};
    struct forward *f = r->forward;
    struct plane *plane = f->vm->plane;
    struct err err = {0};
    if (f->flow_count + r->caller_count >= REMOTE_FLOWS_MAX || plane->flows >= plane->o.flows_max) {
        log_write(LOG_WARN, VM_LOG_CTX(f->vm), &rate,
                  "forward %s: %u connections are open, which is the limit: new ones are refused",
                  f->spec.text, f->flow_count + r->caller_count);
        f->flows_failed++;
        return false;
    }
    struct remote_caller *c = mem_zalloc(sizeof *c);
    if (!c)
        return false;
    c->remote = r;
    c->conn = r->waiter.conn;
    if (from->host[0])
        snprintf(c->from, sizeof c->from, "%s port %u", from->host, from->port);
    else
        snprintf(c->from, sizeof c->from, "a Unix socket");
    if (local_dial_start(&c->dial, plane->o.loop, plane->o.clock, &f->spec.target, REMOTE_DIAL_MS, on_dialled,
                         c, &err) < 0) {
        mem_free(c);
        forward_flow_failed(f, &err, false);
        return false;
    }
    c->ch = ch;
    list_init(&c->node);
    list_push(&r->callers, &c->node);
    r->caller_count++;
    ssh_chan_take(ch, &caller_events, c);
    return true;
}

void remote_callers_refuse(struct remote *r, const char *why)
{
    struct list *node;
    while ((node = list_first(&r->callers)) != NULL) {
        struct remote_caller *c = container_of(node, struct remote_caller, node);
        ssh_chan_refuse(c->ch, why);
        caller_free(c);
    }
}

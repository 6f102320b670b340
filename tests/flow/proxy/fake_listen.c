/*
 * fake_listen: servers that listen for their client, and who connects there.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fake_private.h"

struct ssh_listen {
    struct list node;
    struct ssh_conn *conn;
    const struct ssh_listen_events *events;
    void *arg;
    char *name;
    uint16_t port;
    bool listening;
};

static void count(int change)
{
    fake_lock();
    fake_count()->listens += (unsigned)change;
    fake_unlock();
}

static void listen_gone(struct ssh_listen *l)
{
    if (l->listening)
        count(-1);
    struct ssh_chan *ch;
    list_each(ch, &l->conn->calls, struct ssh_chan, node)
    {
        if (ch->listen == l)
            fake_chan_gone(ch);
    }
    list_remove(&l->node);
    free(l->name);
    free(l);
}

int ssh_listen_open(struct ssh_listen **out, struct ssh_conn *c, const struct ssh_bind *bind,
                    const struct ssh_listen_events *events, void *arg, struct err *err)
{
    assert(c->up);
    if (c->ending)
        return err_set(err, ERR_CLOSED, "the connection is closed");
    if (fake.listen_code == ERR_UNSUPPORTED)
        return err_set(err, ERR_UNSUPPORTED, "remote forwards need the engine native");
    void *probe = mem_alloc(1);
    if (!probe)
        return err_set(err, ERR_NOMEM, "out of memory");
    mem_free(probe);
    struct ssh_listen *l = calloc(1, sizeof *l);
    l->conn = c;
    l->events = events;
    l->arg = arg;
    l->name = strdup(bind->kind == SSH_TARGET_TCP ? bind->host : bind->path);
    l->port = bind->port;
    list_init(&l->node);
    list_push(&c->listens, &l->node);
    fake_wake(c);
    *out = l;
    return 0;
}

void ssh_listen_close(struct ssh_listen *l)
{
    listen_gone(l);
}

static void listen_end(struct ssh_listen *l, const struct err *err)
{
    const struct ssh_listen_events *events = l->events;
    void *arg = l->arg;
    listen_gone(l);
    events->closed(arg, err);
}

static bool refuses(void)
{
    bool refused = fake.listen_code != 0;
    if (refused && fake.listen_failures > 0 && --fake.listen_failures == 0)
        fake.listen_code = 0;
    return refused;
}

/* One event. */
void fake_listens_turn(struct ssh_conn *c)
{
    static uint16_t next_port = 40000;
    struct ssh_listen *l;
    list_each(l, &c->listens, struct ssh_listen, node)
    {
        if (l->listening)
            continue;
        fake_wake(c);
        struct err err = {0};
        int code = fake.listen_code;
        if (refuses()) {
            err_set(&err, code, "Server has disabled port forwarding.");
            listen_end(l, &err);
            return;
        }
        l->listening = true;
        l->port = l->port || l->name[0] == '/' ? l->port : next_port++;
        count(1);
        l->events->listening(l->arg, l->port);
        return;
    }
    struct ssh_chan *ch;
    list_each(ch, &c->calls, struct ssh_chan, node)
    {
        struct ssh_origin from = {.host = "192.0.2.7", .port = 4711};
        l = ch->listen;
        if (!l)
            continue;
        fake_wake(c);
        ch->listen = NULL;
        if (!l->events->incoming(l->arg, ch, &from))
            ssh_chan_refuse(ch, "turned away");
        return;
    }
}

void fake_listens_end(struct ssh_conn *c, const struct err *err)
{
    struct list *node;
    while ((node = list_first(&c->calls)) != NULL) {
        struct ssh_chan *ch = container_of(node, struct ssh_chan, node);
        if (ch->listen)
            fake_chan_gone(ch);
        else
            fake_chan_end(ch, err);
    }
    while ((node = list_first(&c->listens)) != NULL)
        listen_end(container_of(node, struct ssh_listen, node), err);
}

void ssh_chan_take(struct ssh_chan *ch, const struct ssh_chan_events *events, void *arg)
{
    assert(!ch->opened && !ch->listen);
    ch->events = events;
    ch->arg = arg;
}

void ssh_chan_accept(struct ssh_chan *ch)
{
    assert(!ch->opened && ch->events);
    ch->opened = true;
    list_move(&ch->conn->chans, &ch->node);
    fake_lock();
    fake_count()->calls_accepted++;
    fake_unlock();
    fake_wake(ch->conn);
}

void ssh_chan_refuse(struct ssh_chan *ch, const char *why)
{
    assert(!ch->opened);
    fake_lock();
    fake_count()->calls_refused++;
    snprintf(fake_count()->refusal, sizeof fake_count()->refusal, "%s", why);
    fake_unlock();
    fake_chan_gone(ch);
}

static struct ssh_listen *find(const char *host, uint16_t port)
{
    struct ssh_conn *c;
    list_each(c, fake_conns(), struct ssh_conn, node)
    {
        struct ssh_listen *l;
        list_each(l, &c->listens, struct ssh_listen, node)
        {
            if (l->listening && l->port == port && strcmp(l->name, host) == 0)
                return l;
        }
    }
    return NULL;
}

bool fake_call(const char *host, uint16_t port, uint16_t kind)
{
    struct ssh_listen *l = find(host, port);
    if (!l)
        return false;
    struct ssh_chan *ch = fake_chan_new(l->conn, kind);
    ch->listen = l;
    list_push(&l->conn->calls, &ch->node);
    return true;
}

unsigned fake_listener(const char *host, uint16_t port)
{
    const struct ssh_listen *l = find(host, port);
    return l ? l->conn->number : 0;
}

/*
 * fake_ssh: connections and their channels; fake_target.c is what stands behind the channels.
 */
#include "fake_ssh.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "fake_private.h"

struct fake_settings fake;
static struct fake_counts counts;
static struct list all = {&all, &all};
static uv_mutex_t lock;
static uv_once_t once = UV_ONCE_INIT;

static void make_lock(void)
{
    uv_mutex_init(&lock);
}

void fake_lock(void)
{
    uv_once(&once, make_lock);
    uv_mutex_lock(&lock);
}

void fake_unlock(void)
{
    uv_mutex_unlock(&lock);
}

struct fake_counts *fake_count(void)
{
    return &counts;
}

struct fake_counts fake_counts(void)
{
    fake_lock();
    struct fake_counts copy = counts;
    fake_unlock();
    return copy;
}

void fake_reset(void)
{
    assert(counts.conns_alive == 0 && counts.chans_alive == 0);
    memset(&counts, 0, sizeof counts);
    fake = (struct fake_settings){.source_bytes = 1 << 20, .rtt_us = 1000};
}

uint8_t fake_pattern(uint64_t offset)
{
    return (uint8_t)((offset * 2654435761u) >> 13 ^ offset);
}

void fake_wake(struct ssh_conn *c)
{
    ready_push(c->ready, &c->turn);
}

void fake_chan_gone(struct ssh_chan *ch)
{
    list_remove(&ch->node);
    fake_lock();
    counts.chans_alive--;
    fake_unlock();
    free(ch->queue);
    free(ch);
}

static void on_poll_closed(uv_handle_t *h)
{
    struct ssh_conn *c = h->data;
    close(c->fd);
    fake_lock();
    counts.conns_alive--;
    fake_unlock();
    free(c);
}

/* Tells every channel, then the owner, and frees. */
static void conn_end(struct ssh_conn *c)
{
    struct err err = {0};
    err_set(&err, c->end_code, "%s", c->end_why);
    c->ended = true;
    struct list *node;
    list_splice(&c->chans, &c->opens);
    while ((node = list_first(&c->chans)) != NULL) {
        struct ssh_chan *ch = container_of(node, struct ssh_chan, node);
        const struct ssh_chan_events *events = ch->events;
        void *arg = ch->arg;
        fake_chan_gone(ch);
        events->closed(arg, &err);
    }
    fake_listens_end(c, &err);
    fake_lock();
    list_remove(&c->node);
    fake_unlock();
    ready_cancel(&c->turn);
    ssh_closed_cb closed = c->closed_cb;
    void *closed_arg = c->closed_arg;
    const struct ssh_conn_events *events = c->events;
    void *arg = c->arg;
    uv_close((uv_handle_t *)&c->poll, on_poll_closed);
    if (closed)
        closed(closed_arg);
    else
        events->closed(arg, &err);
}

static void conn_die(struct ssh_conn *c, int code, const char *why)
{
    if (c->ending)
        return;
    c->ending = true;
    c->end_code = code;
    snprintf(c->end_why, sizeof c->end_why, "%s", why);
    fake_wake(c);
}

static void on_readable(uv_poll_t *h, int status, int events)
{
    struct ssh_conn *c = h->data;
    char byte;
    if (status < 0 || recv(c->fd, &byte, 1, MSG_DONTWAIT) == 0) {
        uv_poll_stop(h);
        conn_die(c, ERR_CLOSED, "the server closed the connection");
    }
}

static bool auth_refused(void)
{
    fake_lock();
    bool refused = fake.auth_code != 0;
    if (refused && fake.auth_failures > 0 && --fake.auth_failures == 0)
        fake.auth_code = 0;
    fake_unlock();
    return refused;
}

static void on_turn(struct ready *r)
{
    struct ssh_conn *c = container_of(r, struct ssh_conn, turn);
    if (!c->up && !c->ending) {
        int code = fake.auth_code;
        if (auth_refused()) {
            conn_die(c, code, "ssh auth: the server refused everything");
        } else {
            c->up = true;
            c->events->up(c->arg);
            return;
        }
    }
    if (c->ending) {
        conn_end(c);
        return;
    }
    fake_listens_turn(c);
    if (!c->ending)
        fake_targets_turn(c);
}

int ssh_conn_new(struct ssh_conn **out, int fd, const struct ssh_conn_options *options,
                 const struct ssh_conn_events *events, void *arg, struct err *err)
{
    void *probe = mem_alloc(1); /* so that a failed allocation shows here, too */
    if (!probe)
        return err_set(err, ERR_NOMEM, "out of memory");
    mem_free(probe);
    assert(options->user && options->host.host && options->host.label && options->engine);
    struct ssh_conn *c = calloc(1, sizeof *c);
    c->loop = options->loop;
    c->ready = options->ready;
    c->clock = options->clock;
    c->fd = fd;
    c->events = events;
    c->arg = arg;
    list_init(&c->chans);
    list_init(&c->opens);
    list_init(&c->listens);
    list_init(&c->calls);
    ready_init(&c->turn, on_turn);
    uv_poll_init(c->loop, &c->poll, fd);
    c->poll.data = c;
    uv_poll_start(&c->poll, UV_READABLE, on_readable);
    fake_lock();
    c->number = ++counts.conns_made;
    if (++counts.conns_alive > counts.conns_most)
        counts.conns_most = counts.conns_alive;
    list_push(&all, &c->node);
    fake_unlock();
    fake_wake(c);
    *out = c;
    return 0;
}

void ssh_conn_close(struct ssh_conn *c, ssh_closed_cb cb, void *arg)
{
    assert(!c->closed_cb && !c->ended);
    c->closed_cb = cb;
    c->closed_arg = arg;
    c->ending = true;
    c->end_code = ERR_CANCELED;
    snprintf(c->end_why, sizeof c->end_why, "the connection was closed");
    fake_wake(c);
}

void ssh_conn_info(const struct ssh_conn *c, struct ssh_conn_info *out)
{
    *out = (struct ssh_conn_info){.engine = "fake", .server = "SSH-2.0-fake", .rtt_us = fake.rtt_us};
    snprintf(out->cipher, sizeof out->cipher, "none");
    out->opening = (unsigned)list_count(&c->opens);
    out->channels = out->opening + (unsigned)list_count(&c->chans);
    if (out->opening > 0) {
        const struct ssh_chan *head = container_of(list_first(&c->opens), struct ssh_chan, node);
        out->oldest_open_ms = clock_now(c->clock) - head->asked_ms + 1;
    }
}

struct ssh_chan *fake_chan_new(struct ssh_conn *c, uint16_t port)
{
    struct ssh_chan *ch = calloc(1, sizeof *ch);
    ch->conn = c;
    ch->port = port;
    ch->asked_ms = clock_now(c->clock);
    list_init(&ch->node);
    fake_lock();
    counts.chans_alive++;
    fake_unlock();
    fake_wake(c);
    return ch;
}

struct list *fake_conns(void)
{
    return &all;
}

int ssh_chan_open(struct ssh_chan **out, struct ssh_conn *c, const struct ssh_target *target,
                  const struct ssh_chan_events *events, void *arg, struct err *err)
{
    assert(c->up);
    if (c->ending)
        return err_set(err, ERR_CLOSED, "the connection is closed");
    void *probe = mem_alloc(1);
    if (!probe)
        return err_set(err, ERR_NOMEM, "out of memory");
    mem_free(probe);
    struct ssh_chan *ch = fake_chan_new(c, target->kind == SSH_TARGET_TCP ? target->port : FAKE_ECHO);
    ch->events = events;
    ch->arg = arg;
    list_push(&c->opens, &ch->node);
    fake_lock();
    counts.last_port = ch->port;
    snprintf(counts.last_host, sizeof counts.last_host, "%s", target->host ? target->host : "");
    fake_unlock();
    *out = ch;
    return 0;
}

void ssh_chan_close(struct ssh_chan *ch)
{
    fake_chan_gone(ch);
}

void fake_chan_end(struct ssh_chan *ch, const struct err *err)
{
    const struct ssh_chan_events *events = ch->events;
    void *arg = ch->arg;
    fake_chan_gone(ch);
    events->closed(arg, err);
}

void fake_kill(unsigned nth, int code, const char *why)
{
    struct ssh_conn *c;
    list_each(c, &all, struct ssh_conn, node)
    {
        if (nth == 0 || c->number == nth)
            conn_die(c, code, why);
    }
}

unsigned fake_channels_of(unsigned nth)
{
    struct ssh_conn *c;
    list_each(c, &all, struct ssh_conn, node)
    {
        if (c->number == nth)
            return (unsigned)(list_count(&c->chans) + list_count(&c->opens));
    }
    return 0;
}

/* ---- nobody is ever asked ---- */

int ssh_askpass_new(struct ssh_askpass **out, struct uv_loop_s *loop, struct err *err)
{
    return err_set(err, ERR_NOTFOUND, "SSH_ASKPASS is not set");
}

struct ssh_ask ssh_askpass_ask(struct ssh_askpass *a)
{
    return (struct ssh_ask){0};
}

void ssh_askpass_close(struct ssh_askpass *a, void (*cb)(void *arg), void *arg)
{
    cb(arg);
}

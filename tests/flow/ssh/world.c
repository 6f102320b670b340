/*
 * world: a loop with what a connection needs, and connections that record what befalls them.
 */
#include "world.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define POOL_CHUNKS 4096

void world_open(struct world *w)
{
    memset(w, 0, sizeof *w);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(clock_new(&w->clock, &w->loop), 0);
    assert_int_equal(readyq_new(&w->ready, &w->loop), 0);
    chunk_pool_init(&w->pool, POOL_CHUNKS, 64);
}

void world_close(struct world *w)
{
    clock_close(w->clock, NULL, NULL);
    readyq_close(w->ready, NULL, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    chunk_pool_done(&w->pool);
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void on_nudge(uv_timer_t *t)
{
}

struct flag {
    const bool *done;
};

static bool flag_set(void *arg)
{
    return *((struct flag *)arg)->done;
}

bool world_run_until(struct world *w, bool (*cond)(void *arg), void *arg, unsigned ms)
{
    uv_timer_t nudge; /* the loop comes back now and then, whatever happens */
    uv_timer_init(&w->loop, &nudge);
    uv_timer_start(&nudge, on_nudge, 5, 5);
    uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;
    bool ok;
    while (!(ok = cond(arg)) && uv_hrtime() < end) {
        uv_run(&w->loop, UV_RUN_ONCE);
        w->turns++;
        if (w->each_turn)
            w->each_turn(w);
    }
    uv_close((uv_handle_t *)&nudge, NULL);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    return ok;
}

bool world_run(struct world *w, const bool *done, unsigned ms)
{
    struct flag f = {done};
    return world_run_until(w, flag_set, &f, ms);
}

void world_idle(struct world *w, unsigned ms)
{
    bool never = false;
    (void)world_run(w, &never, ms);
}

static void on_up(void *arg)
{
    struct link *l = arg;
    l->up = true;
}

static void on_closed(void *arg, const struct err *err)
{
    struct link *l = arg;
    l->why = *err;
    l->conn = NULL;
    l->closed = true;
}

static const struct ssh_conn_events link_events = {.up = on_up, .closed = on_closed};

static int dial(uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

const char *world_engine(void)
{
    const char *name = getenv("ADIT_ENGINE");
    return name ? name : "libssh2";
}

int link_open(struct world *w, struct link *l, const struct link_options *o, struct err *err)
{
    const char *one[] = {o->key};
    struct ssh_conn_options c = {
        .loop = &w->loop,
        .clock = w->clock,
        .ready = w->ready,
        .pool = &w->pool,
        .engine = o->engine ? o->engine : world_engine(),
        .user = o->user,
        .identities = o->keys ? o->keys : one,
        .identity_count = o->keys  ? o->key_count
                          : o->key ? 1
                                   : 0,
        .agent_socket = o->agent,
        .may_ask_password = o->ask.ask != NULL,
        .ask = o->ask,
        .host = {.file = o->known_hosts,
                 .host = "/subscriptions/0/vm/test",
                 .vm_id = "id-1",
                 .label = "vm test"},
        .handshake_timeout_ms = o->timeout_ms ? o->timeout_ms : 20000,
        .keepalive_ms = o->keepalive_ms,
        .keepalive_count = 3,
        .wake = o->wake,
    };
    c.host.policy = o->strict ? SSH_HOSTID_STRICT : SSH_HOSTID_ACCEPT_NEW;
    memset(l, 0, sizeof *l);
    int fd = dial(o->port);
    int rc = ssh_conn_new(&l->conn, fd, &c, &link_events, l, err);
    if (rc < 0) {
        close(fd);
        l->closed = true;
    }
    return rc;
}

static bool settled(void *arg)
{
    struct link *l = arg;
    return l->up || l->closed;
}

void link_up(struct world *w, struct link *l, const struct link_options *o)
{
    struct err err;
    if (link_open(w, l, o, &err) < 0)
        fail_msg("%s", err.msg);
    assert_true(world_run_until(w, settled, l, 20000));
    if (!l->up)
        fail_msg("%s", l->why.msg);
}

static void on_done(void *arg)
{
    struct link *l = arg;
    l->conn = NULL;
    l->closed = true;
}

void link_close(struct world *w, struct link *l)
{
    if (l->closed)
        return;
    ssh_conn_close(l->conn, on_done, l);
    assert_true(world_run(w, &l->closed, 10000));
}

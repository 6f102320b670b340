/*
 * conn: one pooled SSH connection, from the dial to its end.
 *
 * Happy path: CONNECTING (dial, or a channel through another VM) → AUTH (SSH takes the descriptor) → up.
 * Whatever fails before that ends in pool_conn_failed() with the stage reached; whatever ends it later in
 * pool_conn_lost(). A connection is freed once SSH has let go of it; every flow has been told by then.
 */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "pool.h"
#include "ssh_options.h"
#include "via.h"
#include "vm.h"

#define DIAL_MIN_MS 1000
#define DIAL_MAX_MS 10000

static void conn_free(struct pool_conn *c)
{
    struct pool *p = c->pool;
    list_remove(&c->node);
    p->counts[c->state]--;
    if (c->dial)
        dial_cancel(c->dial);
    if (c->via)
        via_close(c->via);
    asking_conn_done(c, NULL);
    mem_free(c);
    pool_conn_freed(p);
}

/* It never was up. */
static void conn_fail(struct pool_conn *c, enum pool_stage stage, const struct err *err)
{
    struct pool *p = c->pool;
    struct err copy = *err;
    asking_conn_done(c, err);
    conn_move(c, POOL_CLOSED); /* so that it counts no longer when the VM hears of it */
    conn_free(c);
    pool_conn_failed(p, stage, &copy);
}

static void on_ssh_up(void *arg)
{
    asking_conn_up(arg);
    pool_conn_up(arg);
}

static void on_ssh_closed(void *arg, const struct err *err)
{
    struct pool_conn *c = arg;
    struct pool *p = c->pool;
    enum pool_state was = c->state;
    /* When the way through another VM broke, that is the reason; SSH saw only an end of file. */
    struct err copy = c->via_err.code ? c->via_err : *err;
    c->ssh = NULL;
    if (was == POOL_AUTH) {
        conn_fail(c, POOL_STAGE_SSH, &copy);
        return;
    }
    conn_move(c, POOL_CLOSED);
    conn_free(c);
    if (was != POOL_DRAINING)
        pool_conn_lost(p, &copy);
}

static int conn_start_ssh(struct pool_conn *c, int fd, struct err *err)
{
    struct vm *vm = c->pool->vm;
    struct plane *plane = vm->plane;
    const struct ssh_options_place place = {.known_hosts = plane->o.known_hosts,
                                            .agent_socket = plane->o.agent_socket};
    struct ssh_options_text text;
    struct ssh_conn_options options;
    ssh_options_fill(&options, &text, vm->config, vm->reach.facts, &place);
    options.loop = plane->o.loop;
    options.clock = plane->o.clock;
    options.ready = plane->o.ready;
    options.pool = &plane->chunks;
    options.ask = asking_of(c);
    static const struct ssh_conn_events events = {.up = on_ssh_up, .closed = on_ssh_closed};
    return ssh_conn_new(&c->ssh, fd, &options, &events, c, err);
}

static void conn_dialled(struct pool_conn *c, int fd, size_t index, const struct err *err)
{
    if (err) {
        conn_fail(c, POOL_STAGE_DIAL, err);
        return;
    }
    if (index < c->pool->vm->reach.count)
        dial_address_text(&c->pool->vm->reach.addresses[index], c->address);
    conn_move(c, POOL_AUTH);
    struct err why = {0};
    if (conn_start_ssh(c, fd, &why) < 0) {
        close(fd);
        conn_fail(c, POOL_STAGE_SSH, &why);
    }
}

static void on_dial(void *arg, int fd, size_t index, const struct err *err)
{
    struct pool_conn *c = arg;
    c->dial = NULL;
    conn_dialled(c, fd, index, err);
}

static void on_via_open(void *arg, int fd, size_t index, const struct err *err)
{
    struct pool_conn *c = arg;
    if (err)
        c->via = NULL; /* it is gone after this */
    conn_dialled(c, fd, index, err);
}

static void on_via_ended(void *arg, const struct err *err)
{
    struct pool_conn *c = arg;
    c->via = NULL;
    if (err)
        err_copy(&c->via_err, err, ERR_CLOSED);
}

int conn_open(struct pool *p, struct err *err)
{
    struct vm *vm = p->vm;
    struct plane *plane = vm->plane;
    if (vm->reach.count == 0)
        return err_set(err, ERR_UNREACHABLE, "no address is known");
    struct pool_conn *c = mem_zalloc(sizeof *c);
    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    c->pool = p;
    c->number = ++plane->next_conn;
    list_init(&c->node);
    list_init(&c->opening);
    conn_move(c, POOL_CONNECTING);
    dial_address_text(&vm->reach.addresses[0], c->address);
    uint32_t ms = vm->config->ssh.connect_timeout_ms / 3 * 2;
    ms = ms < DIAL_MIN_MS ? DIAL_MIN_MS : ms > DIAL_MAX_MS ? DIAL_MAX_MS : ms;
    int r;
    if (vm->via) {
        static const struct via_events events = {.open = on_via_open, .ended = on_via_ended};
        r = via_open(&c->via, plane, vm->via, vm->reach.addresses, vm->reach.count,
                     vm->config->ssh.connect_timeout_ms, &events, c, err);
    } else {
        r = dial_start(&c->dial, plane->o.loop, plane->o.clock, vm->reach.addresses, vm->reach.count, ms,
                       on_dial, c, err);
    }
    if (r < 0) {
        list_remove(&c->node);
        p->counts[POOL_CONNECTING]--;
        mem_free(c);
        return r;
    }
    return 0;
}

static void on_goodbye(void *arg)
{
    struct pool_conn *c = arg;
    c->ssh = NULL;
    conn_free(c);
}

void conn_close(struct pool_conn *c)
{
    if (c->state == POOL_CLOSED)
        return;
    conn_move(c, POOL_CLOSED);
    if (c->ssh)
        ssh_conn_close(c->ssh, on_goodbye, c);
    else
        conn_free(c);
}

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
#include "via.h"
#include "vm.h"

#define DIAL_MIN_MS 1000
#define DIAL_MAX_MS 10000
#define HANDSHAKE_MIN_MS 10000
#define HANDSHAKE_ASK_MS 120000 /* a person may have to type a password */

static void conn_free(struct pool_conn *c)
{
    struct pool *p = c->pool;
    list_remove(&c->node);
    p->counts[c->state]--;
    if (c->dial)
        dial_cancel(c->dial);
    if (c->via)
        via_close(c->via);
    mem_free(c);
    pool_conn_freed(p);
}

/* It never was up. */
static void conn_fail(struct pool_conn *c, enum pool_stage stage, const struct err *err)
{
    struct pool *p = c->pool;
    struct err copy = *err;
    conn_move(c, POOL_CLOSED); /* so that it counts no longer when the VM hears of it */
    conn_free(c);
    pool_conn_failed(p, stage, &copy);
}

static void on_ssh_up(void *arg)
{
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

static const char *engine_name(enum config_engine e)
{
    return e == CONFIG_ENGINE_LIBSSH2 ? "libssh2" : e == CONFIG_ENGINE_NATIVE ? "native" : "auto";
}

/* The name under which the host's key is kept: the VM, or the address where no VM is behind it. */
static void host_name(const struct vm *vm, char *out, size_t size)
{
    const struct config_ssh *ssh = &vm->config->ssh;
    if (vm->reach.facts)
        snprintf(out, size, "%s", vm->reach.facts->id);
    else
        snprintf(out, size, ssh->port == 22 ? "%s" : "[%s]:%u", vm->config->vm.name, ssh->port);
}

static int conn_start_ssh(struct pool_conn *c, int fd, struct err *err)
{
    struct vm *vm = c->pool->vm;
    struct plane *plane = vm->plane;
    const struct config_ssh *ssh = &vm->config->ssh;
    char host[1024], label[512];
    host_name(vm, host, sizeof host);
    char *name = vm_name_text(&vm->config->vm);
    snprintf(label, sizeof label, "%s (%s)", vm->label, name ? name : "?");
    mem_free(name);
    bool may_ask = ssh->password && plane->askpass;
    uint32_t timeout_ms =
        ssh->connect_timeout_ms > HANDSHAKE_MIN_MS ? ssh->connect_timeout_ms : HANDSHAKE_MIN_MS;
    struct ssh_conn_options options = {
        .loop = plane->o.loop,
        .clock = plane->o.clock,
        .ready = plane->o.ready,
        .pool = &plane->chunks,
        .engine = engine_name(ssh->engine),
        .user = ssh->user,
        .identities = (const char *const *)ssh->identities,
        .identity_count = ssh->identity_count,
        .agent_socket = ssh->agent ? plane->o.agent_socket : NULL,
        .may_ask_password = ssh->password,
        .host = {.file = plane->o.known_hosts,
                 .host = host,
                 .vm_id = vm->reach.facts ? vm->reach.facts->vm_id : NULL,
                 .label = label,
                 .policy = ssh->host_key_check == CONFIG_HOST_KEY_ACCEPT_NEW ? SSH_HOSTID_ACCEPT_NEW
                                                                             : SSH_HOSTID_STRICT},
        .handshake_timeout_ms = may_ask && timeout_ms < HANDSHAKE_ASK_MS ? HANDSHAKE_ASK_MS : timeout_ms,
        .keepalive_ms = ssh->keepalive_ms,
        .keepalive_count = ssh->keepalive_count,
        .wake = ssh->wake_session == CONFIG_WAKE_AUTO,
    };
    if (may_ask)
        options.ask = ssh_askpass_ask(plane->askpass);
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

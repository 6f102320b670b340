/*
 * rig: building and driving the parts of the data plane in a test.
 */
#include "rig.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_ssh.h"
#include "proxy/forward.h"

static void on_resolve(void *arg, uint64_t id, uint64_t seq, unsigned flags)
{
    struct rig *r = arg;
    size_t i = r->lookups < r->answer_count ? r->lookups : r->answer_count - 1;
    r->lookups++;
    r->lookups_direct += (flags & MAIL_DIRECT) != 0;
    r->rekeys += (flags & MAIL_REKEY) != 0;
    const struct rig_answer *a = &r->answers[i];
    struct mail_reach reach = {.rekeyed = (flags & MAIL_REKEY) && r->keys_changed};
    struct err err = {0};
    struct resolver_facts facts = {
        .id = (char *)"/subscriptions/s/x", .vm_id = (char *)a->vm_id, .refs = 1000};
    if (a->vm_id) {
        /* The real ones are counted and freed by resolver/; these live as long as the test. */
        static struct resolver_facts kept[64];
        static size_t next;
        kept[next % 64] = facts;
        reach.facts = &kept[next++ % 64];
    }
    if (a->address) {
        reach.count = 1;
        snprintf(reach.addresses[0].host, sizeof reach.addresses[0].host, "%s", a->address);
        reach.addresses[0].port = a->port;
    } else {
        err_set(&err, a->code, "%s", a->text);
    }
    vm_reached(plane_vm(&r->plane, id), seq, &reach, err.code ? &err : NULL);
}

static void on_done(void *arg, uint64_t req, const char *text, const struct err *err)
{
    struct rig *r = arg;
    r->done_count++;
    r->done_req = req;
    r->done_err = err ? *err : (struct err){0};
    snprintf(r->done_text, sizeof r->done_text, "%s", text ? text : "");
}

static void on_dialed(void *arg, uint64_t req, int fd, const struct err *err)
{
    struct rig *r = arg;
    r->dialed_count++;
    r->dialed_fd = fd;
    r->dialed_err = err ? *err : (struct err){0};
}

static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 4096) == 0);
    assert(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    *port = ntohs(a.sin_port);
    return fd;
}

struct rig_answer rig_sshd(const struct rig *r)
{
    return (struct rig_answer){.address = "127.0.0.1", .port = r->sshd_port, .vm_id = "vm-1"};
}

void rig_answers(struct rig *r, const struct rig_answer *answers, size_t count)
{
    memcpy(r->answers, answers, count * sizeof *answers);
    r->answer_count = count;
    r->lookups = r->lookups_direct = 0;
}

void rig_init(struct rig *r)
{
    signal(SIGPIPE, SIG_IGN);
    size_t flows_max = r->flows_max;
    *r = (struct rig){.flows_max = flows_max};
    fake_reset();
    assert(uv_loop_init(&r->loop) == 0);
    assert(clock_new(&r->clock, &r->loop) == 0);
    assert(readyq_new(&r->ready, &r->loop) == 0);
    clock_test_freeze(r->clock, 1000000);
    r->sshd = listen_somewhere(&r->sshd_port);
    struct rig_answer own = rig_sshd(r);
    rig_answers(r, &own, 1);
    struct plane_options options = {
        .loop = &r->loop,
        .clock = r->clock,
        .ready = r->ready,
        .known_hosts = "/nonexistent",
        .buffer_max = (size_t)64 << 20,
        .flows_max = flows_max ? flows_max : 4096,
        .ops = {.resolve = on_resolve, .done = on_done, .dialed = on_dialed},
        .ops_arg = r,
    };
    struct err err = {0};
    r->dialed_fd = -1;
    r->up = plane_init(&r->plane, &options, &err) == 0;
    assert(r->up);
}

void rig_turn(struct rig *r)
{
    clock_test_advance(r->clock, 1);
    uv_run(&r->loop, UV_RUN_NOWAIT);
}

void rig_turns(struct rig *r, unsigned n)
{
    while (n-- > 0)
        rig_turn(r);
}

void rig_pass(struct rig *r, uint64_t ms)
{
    for (uint64_t part; ms > 0; ms -= part) {
        part = ms < 100 ? ms : 100;
        clock_test_advance(r->clock, part);
        uv_run(&r->loop, UV_RUN_NOWAIT);
    }
}

static void on_plane_closed(void *arg)
{
    struct rig *r = arg;
    r->plane_closed = true;
}

void rig_close(struct rig *r, uint32_t grace_ms)
{
    plane_close(&r->plane, grace_ms, on_plane_closed, r);
}

void rig_done(struct rig *r)
{
    if (!r->plane.stopping)
        rig_close(r, 0);
    assert_true(rig_until(r, r->plane_closed));
    clock_close(r->clock, NULL, NULL);
    readyq_close(r->ready, NULL, NULL);
    /* A look-up in libuv's thread pool comes back even when nobody wants it any more. */
    uint64_t end = uv_hrtime() + 20000000000u;
    while (uv_run(&r->loop, UV_RUN_NOWAIT) != 0 && uv_hrtime() < end)
        ;
    assert_int_equal(r->plane.flows, 0);
    plane_done(&r->plane);
    assert_int_equal(uv_loop_close(&r->loop), 0);
    assert_int_equal(fake_counts().chans_alive, 0);
    assert_int_equal(fake_counts().conns_alive, 0);
    close(r->sshd);
}

struct config_vm *rig_config(const char *alias, const char *const *forwards, size_t count)
{
    struct config_vm *vm;
    struct err err = {0};
    const struct config *none;
    assert(config_load(&none, NULL, NULL, &err) == 0);
    if (config_vm_adhoc(none, "127.0.0.1", "me", &vm, &err) < 0)
        fail_msg("%s", err.msg);
    config_unref(none);
    mem_free(vm->alias);
    vm->alias = mem_strdup(alias);
    mem_free(vm->forwards);
    vm->forwards = mem_calloc(count + 1, sizeof *vm->forwards);
    for (size_t i = 0; i < count; i++) {
        bool dynamic = strncmp(forwards[i], "-D ", 3) == 0, remote = strncmp(forwards[i], "-R ", 3) == 0;
        enum forward_kind kind = dynamic ? FORWARD_DYNAMIC : remote ? FORWARD_REMOTE : FORWARD_LOCAL;
        const char *spec = forwards[i] + (dynamic || remote ? 3 : 0);
        if (forward_spec_parse(&vm->forwards[vm->forward_count++], kind, spec, &err) < 0)
            fail_msg("%s", err.msg);
    }
    return vm;
}

struct vm *rig_vm_with(struct rig *r, struct config_vm *config, uint64_t id, uint64_t via, unsigned flags,
                       struct err *err)
{
    struct vm *vm;
    assert(vm_new(&vm, &r->plane, id, err) == 0);
    vm_set(vm, config, via, flags, err);
    return vm;
}

struct vm *rig_vm(struct rig *r, uint64_t id, const char *alias, const char *const *forwards, size_t count)
{
    struct err err = {0};
    struct vm *vm = rig_vm_with(r, rig_config(alias, forwards, count), id, 0, MAIL_WANTED, &err);
    assert_string_equal(err.msg, "");
    return vm;
}

uint16_t rig_port(const struct vm *vm, size_t forward)
{
    const struct forward *f;
    list_each(f, &vm->forwards, struct forward, node)
    {
        if (forward-- == 0)
            return f->listener ? listener_port(f->listener) : 0;
    }
    return 0;
}

/* ---- clients ---- */

void client_connect(struct client *c, uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(c->fd >= 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof a), 0); /* the kernel's backlog answers */
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static void send_some(struct client *c, size_t step)
{
    char part[65536];
    if (c->preamble_len > 0) {
        ssize_t put = send(c->fd, c->preamble, c->preamble_len < step ? c->preamble_len : step, MSG_NOSIGNAL);
        c->reset = put < 0 && errno != EAGAIN;
        c->preamble += put > 0 ? put : 0;
        c->preamble_len -= put > 0 ? (size_t)put : 0;
        return;
    }
    size_t n = c->to_send - c->sent;
    n = n < step ? n : step;
    for (size_t i = 0; i < n; i++)
        part[i] = (char)fake_pattern(c->sent + i);
    ssize_t put = n ? send(c->fd, part, n, MSG_NOSIGNAL) : 0;
    if (put > 0)
        c->sent += (size_t)put;
    else if (put < 0 && errno != EAGAIN)
        c->reset = true;
    if (c->sent == c->to_send && c->end_when_sent && !c->ended) {
        c->ended = true;
        shutdown(c->fd, SHUT_WR);
    }
}

static void receive_some(struct client *c, size_t step)
{
    char part[65536];
    ssize_t got = recv(c->fd, part, step, 0);
    if (got == 0)
        c->eof = true;
    else if (got < 0 && errno != EAGAIN)
        c->reset = true;
    for (ssize_t i = 0; i < got; i++) {
        if (c->skip > 0)
            c->skip--;
        else if (c->check && (uint8_t)part[i] != fake_pattern(c->received))
            fail_msg("byte %zu is wrong", c->received);
        else
            c->received++;
    }
}

void client_pump(struct client *c)
{
    size_t step = c->step ? 1 + (size_t)rand() % c->step : 16384;
    if (step > 65536)
        step = 65536;
    if (!c->reset)
        send_some(c, step);
    if (!c->reset && !c->eof && !c->stop_reading)
        receive_some(c, step);
}

bool client_over(struct client *c)
{
    client_pump(c);
    return c->eof || c->reset;
}

void client_close(struct client *c)
{
    close(c->fd);
    c->fd = -1;
}

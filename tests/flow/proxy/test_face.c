/*
 * proxy.h as the daemon uses it: real worker threads, mail between them and the main loop, over the fake SSH.
 * The run for ThreadSanitizer.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "fake_ssh.h"
#include "proxy/proxy.h"
#include "rig.h"

#ifdef __SANITIZE_THREAD__
/* libuv closes descriptors by a bare system call, which the sanitizer does not see: a number that is used
 * again by another thread looks to it like a race with whatever made it before. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:interceptor_socket\nrace:interceptor_accept\nrace:interceptor_fcntl\nrace:interceptor_dup\n";
}
#endif

static uv_loop_t loop;
static struct clock *clk;
static struct proxy *proxy;
static struct rig servers; /* only its sshd */
static bool closed;

/* What the last answered operation came to. */
struct answer {
    unsigned calls;
    struct err err;
    char text[128];
    int fd;
};

static void keep(struct answer *a, const struct err *err)
{
    a->calls++;
    a->err = err ? *err : (struct err){0};
}

static void on_done(void *arg, const struct err *err)
{
    keep(arg, err);
}

static void on_forward(void *arg, const char *listening, const struct err *err)
{
    struct answer *a = arg;
    keep(a, err);
    snprintf(a->text, sizeof a->text, "%s", listening ? listening : "");
}

static void on_dial(void *arg, int fd, const struct err *err)
{
    struct answer *a = arg;
    keep(a, err);
    a->fd = fd;
}

static void on_closed(void *arg)
{
    closed = true;
}

#define until(condition)                                                                                     \
    ({                                                                                                       \
        uint64_t until_end = uv_hrtime() + 20000000000u;                                                     \
        while (!(condition) && uv_hrtime() < until_end) {                                                    \
            if (uv_run(&loop, UV_RUN_NOWAIT) >= 0)                                                           \
                usleep(200);                                                                                 \
        }                                                                                                    \
        !!(condition);                                                                                       \
    })

static void answered(struct answer *a, unsigned calls)
{
    assert_true(until(a->calls >= calls));
    assert_int_equal(a->calls, calls);
}

static int setup(void **state)
{
    log_init(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_DEBUG, LOG_TEXT);
    rig_init(&servers);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(clock_new(&clk, &loop), 0);
    struct err none = {0}, err = {0};
    err_set(&none, ERR_AUTH, "nobody has signed in");
    struct proxy_options options = {
        .loop = &loop, .clock = clk, .resolver_err = &none, .workers = 3, .known_hosts = "/nonexistent"};
    assert_int_equal(proxy_new(&proxy, &options, &err), 0);
    closed = false;
    return 0;
}

static void close_all(uint32_t grace_ms)
{
    proxy_close(proxy, grace_ms, on_closed, NULL);
    assert_true(until(closed));
}

static int teardown(void **state)
{
    if (!closed)
        close_all(0);
    clock_close(clk, NULL, NULL);
    for (int i = 0; i < 100 && uv_run(&loop, UV_RUN_NOWAIT) != 0; i++)
        ;
    assert_int_equal(uv_loop_close(&loop), 0);
    rig_done(&servers);
    return 0;
}

static const struct config *load(const char *text)
{
    char path[] = "/tmp/adit-face-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    const struct config *c;
    struct err err = {0};
    if (config_load(&c, path, NULL, &err) < 0)
        fail_msg("%s", err.msg);
    unlink(path);
    return c;
}

static const struct config *config_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const struct config *config_of(const char *fmt, ...)
{
    char text[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return load(text);
}

static void apply(const struct config *c, struct answer *a)
{
    struct err err = {0};
    unsigned calls = a->calls;
    assert_int_equal(proxy_apply(proxy, c, on_done, a, NULL, &err), 0);
    assert_int_equal(a->calls, calls);
    config_unref(c);
    answered(a, calls + 1);
}

/* ---- status ---- */

struct picture {
    unsigned calls;
    size_t vm_count;
    struct {
        char alias[64], listening[64], text[64], error[256];
        enum proxy_vm_state state;
        size_t forward_count;
        uint64_t bytes_in, bytes_out;
        uint32_t flows;
    } vms[8];
};

static void on_status(void *arg, const struct proxy_status *s, const struct err *err)
{
    struct picture *p = arg;
    assert_null(err);
    p->calls++;
    p->vm_count = s->vm_count;
    for (size_t i = 0; i < s->vm_count && i < 8; i++) {
        const struct proxy_vm_status *vm = &s->vms[i];
        snprintf(p->vms[i].alias, 64, "%s", vm->alias);
        snprintf(p->vms[i].error, 256, "%s", vm->error ? vm->error : "");
        p->vms[i].state = vm->state;
        p->vms[i].forward_count = vm->forward_count;
        p->vms[i].listening[0] = '\0';
        if (vm->forward_count > 0) {
            const struct proxy_forward_status *f = &vm->forwards[0];
            snprintf(p->vms[i].listening, 64, "%s", f->listening ? f->listening : "");
            p->vms[i].bytes_in = f->bytes_in;
            p->vms[i].bytes_out = f->bytes_out;
            p->vms[i].flows = f->flows;
        }
    }
}

static struct picture look(void)
{
    struct picture p = {0};
    assert_int_equal(proxy_status(proxy, on_status, &p, NULL, NULL), 0);
    assert_true(until(p.calls == 1));
    return p;
}

static uint16_t port_of(const char *listening)
{
    const char *colon = strrchr(listening, ':');
    assert_non_null(colon);
    return (uint16_t)atoi(colon + 1);
}

static void echo_through(uint16_t port, size_t bytes)
{
    struct client c = {.to_send = bytes, .check = true, .end_when_sent = true};
    client_connect(&c, port);
    assert_true(until(client_over(&c)));
    assert_true(c.eof);
    assert_int_equal(c.received, bytes);
    client_close(&c);
}

#define VM "  - {name: %s, address: 127.0.0.1, port: %u, user: me, local: [\"%s\"]}\n"

static void test_apply_makes_changes_and_removes_vms(void **state)
{
    struct answer a = {0};
    unsigned port = servers.sshd_port;
    apply(config_of("vms:\n" VM VM VM, "one", port, "127.0.0.1:0:localhost:7", "two", port,
                    "127.0.0.2:0:localhost:7", "three", port, "127.0.0.3:0:localhost:7"),
          &a);
    assert_int_equal(a.err.code, 0);
    struct picture p = look();
    assert_int_equal(p.vm_count, 3);
    assert_string_equal(p.vms[0].alias, "one");
    assert_string_equal(p.vms[2].alias, "three");
    echo_through(port_of(p.vms[0].listening), 200000);
    assert_true(until(look().vms[0].state == PROXY_VM_UP));

    /* `one` goes on untouched, its flow too; `two` is gone; `four` is new. */
    struct client c = {.to_send = 5, .check = true};
    client_connect(&c, port_of(p.vms[0].listening));
    assert_true(until((client_pump(&c), c.received == 5)));
    apply(config_of("vms:\n" VM VM VM, "four", port, "127.0.0.4:0:localhost:7", "one", port,
                    "127.0.0.1:0:localhost:7", "three", port, "127.0.0.3:0:localhost:9"),
          &a);
    assert_int_equal(a.err.code, 0);
    struct picture q = look();
    assert_int_equal(q.vm_count, 3);
    assert_string_equal(q.vms[0].alias, "four");
    assert_string_equal(q.vms[1].alias, "one");
    assert_string_equal(q.vms[1].listening, p.vms[0].listening);
    assert_int_equal(q.vms[1].flows, 1);
    c.to_send = 10;
    assert_true(until((client_pump(&c), c.received == 10)));
    client_close(&c);
}

static void test_port_passes_from_one_vm_to_another(void **state)
{
    struct answer a = {0};
    unsigned ssh = servers.sshd_port;
    apply(config_of("vms:\n" VM VM, "one", ssh, "127.0.0.1:0:localhost:7", "two", ssh,
                    "127.0.0.2:0:localhost:7"),
          &a);
    uint16_t port = port_of(look().vms[0].listening);
    apply(config_of("vms: []\n"), &a);
    assert_int_equal(look().vm_count, 0);
    char spec[64];
    snprintf(spec, sizeof spec, "127.0.0.1:%u:localhost:7", port);
    for (int i = 0; i < 20; i++) {
        apply(config_of("vms:\n" VM VM, "one", ssh, i % 2 ? spec : "127.0.0.3:0:localhost:7", "two", ssh,
                        i % 2 ? "127.0.0.3:0:localhost:7" : spec),
              &a);
        assert_string_equal(a.err.msg, "");
    }
}

static void test_failed_listener_is_told_and_tried_again_by_the_next_apply(void **state)
{
    struct answer a = {0};
    uint16_t port;
    unsigned ssh = servers.sshd_port;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&in, &len);
    port = ntohs(in.sin_port);
    char spec[64];
    snprintf(spec, sizeof spec, "127.0.0.1:%u:localhost:7", port);
    for (int i = 0; i < 2; i++) { /* nothing has changed between the two but the machine */
        apply(config_of("vms:\n" VM VM, "one", ssh, spec, "two", ssh, "127.0.0.2:0:localhost:7"), &a);
        if (i == 0) {
            assert_int_equal(a.err.code, ERR_EXISTS);
            assert_non_null(strstr(a.err.msg, "vm one: forward 127.0.0.1:"));
            assert_string_not_equal(look().vms[1].listening, ""); /* the other one listens all the same */
            close(fd);
        }
    }
    assert_int_equal(a.err.code, 0);
    echo_through(port, 100);
}

static void test_runtime_forwards_and_adhoc_vms(void **state)
{
    struct answer up = {0}, one = {0}, two = {0}, gone = {0};
    struct err err = {0};
    struct config_vm *vm = rig_config("rg/vm", NULL, 0);
    vm->ssh.port = servers.sshd_port;
    struct forward_spec spec, other;
    assert_int_equal(forward_spec_parse(&spec, FORWARD_LOCAL, "0:localhost:7", &err), 0);
    assert_int_equal(forward_spec_parse(&other, FORWARD_LOCAL, "127.0.0.2:0:localhost:9", &err), 0);
    assert_int_equal(proxy_vm_up(proxy, vm, true, 10000, on_done, &up, NULL, &err), 0);
    assert_int_equal(proxy_forward_add(proxy, "RG/VM", &spec, 10000, on_forward, &one, NULL, &err), 0);
    assert_int_equal(proxy_forward_add(proxy, "rg/vm", &other, 10000, on_forward, &two, NULL, &err), 0);
    answered(&up, 1);
    answered(&one, 1);
    answered(&two, 1);
    assert_int_equal(up.err.code, 0);
    assert_int_equal(one.err.code, 0);
    echo_through(port_of(one.text), 1000);

    /* They outlive a reload. */
    struct answer a = {0};
    apply(config_of("vms:\n" VM, "one", servers.sshd_port, "127.0.0.3:0:localhost:7"), &a);
    assert_int_equal(look().vm_count, 2);
    echo_through(port_of(one.text), 1000);

    /* The VM goes with the last of them. */
    assert_int_equal(proxy_forward_cancel(proxy, "rg/vm", &spec, on_done, &gone, NULL, &err), 0);
    answered(&gone, 1);
    assert_int_equal(look().vm_count, 2);
    assert_int_equal(proxy_forward_cancel(proxy, "rg/vm", &spec, on_done, &gone, NULL, &err), 0);
    answered(&gone, 2);
    assert_int_equal(gone.err.code, ERR_NOTFOUND);
    assert_non_null(strstr(gone.err.msg, "127.0.0.2:0:localhost:9"));
    assert_int_equal(proxy_forward_cancel(proxy, "rg/vm", &other, on_done, &gone, NULL, &err), 0);
    answered(&gone, 3);
    assert_int_equal(look().vm_count, 1);
    forward_spec_done(&spec);
    forward_spec_done(&other);
    config_vm_free(vm);
}

static void test_unknown_names_are_told(void **state)
{
    struct answer a = {0}, b = {0};
    struct err err = {0};
    struct forward_spec spec;
    assert_int_equal(forward_spec_parse(&spec, FORWARD_LOCAL, "0:localhost:7", &err), 0);
    assert_int_equal(proxy_vm_down(proxy, "nosuch", on_done, &a, NULL, &err), 0);
    assert_int_equal(proxy_forward_add(proxy, "nosuch", &spec, 1000, on_forward, &b, NULL, &err), 0);
    answered(&a, 1);
    answered(&b, 1);
    assert_int_equal(a.err.code, ERR_NOTFOUND);
    assert_int_equal(b.err.code, ERR_NOTFOUND);
    forward_spec_done(&spec);
    /* A name cannot be looked up without a resolver, and the reason is the resolver's. */
    struct config_vm *vm;
    const struct config *none;
    assert_int_equal(config_load(&none, NULL, NULL, &err), 0);
    assert_int_equal(config_vm_adhoc(none, "rg/vm", "me", &vm, &err), 0);
    config_unref(none);
    assert_int_equal(proxy_vm_up(proxy, vm, true, 10000, on_done, &a, NULL, &err), 0);
    answered(&a, 2);
    assert_int_equal(a.err.code, ERR_AUTH);
    assert_non_null(strstr(a.err.msg, "nobody has signed in"));
    assert_int_equal(look().vm_count, 0); /* only that request wanted it */
    config_vm_free(vm);
}

static void test_down_and_up_again(void **state)
{
    struct answer a = {0};
    struct err err = {0};
    const struct config *c = config_of("vms:\n" VM, "one", servers.sshd_port, "127.0.0.1:0:localhost:7");
    const struct config *kept = config_ref(c);
    apply(c, &a);
    assert_int_equal(proxy_vm_up(proxy, &kept->vms[0], false, 10000, on_done, &a, NULL, &err), 0);
    answered(&a, 2);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(look().vms[0].state, PROXY_VM_UP);
    assert_int_equal(proxy_vm_down(proxy, "one", on_done, &a, NULL, &err), 0);
    answered(&a, 3);
    assert_int_equal(look().vms[0].state, PROXY_VM_DOWN);
    assert_string_equal(look().vms[0].listening, "");
    assert_int_equal(proxy_vm_up(proxy, &kept->vms[0], false, 10000, on_done, &a, NULL, &err), 0);
    answered(&a, 4);
    echo_through(port_of(look().vms[0].listening), 100);
    config_unref(kept);
}

static void test_dial_direct_and_through_another(void **state)
{
    struct answer a = {0};
    struct err err = {0};
    struct config_vm *vm = rig_config("here", NULL, 0);
    assert_int_equal(proxy_dial(proxy, vm, servers.sshd_port, 5000, on_dial, &a, NULL, &err), 0);
    answered(&a, 1);
    assert_int_equal(a.err.code, 0);
    close(a.fd);
    assert_int_equal(proxy_dial(proxy, vm, 1, 5000, on_dial, &a, NULL, &err), 0);
    answered(&a, 2);
    assert_int_equal(a.err.code, ERR_REFUSED);
    assert_string_equal(a.err.msg, "vm here: connect to 127.0.0.1:1: connection refused");
    config_vm_free(vm);

    apply(config_of("vms:\n  - {name: jump, address: 127.0.0.1, port: %u, user: me, up: false}\n",
                    servers.sshd_port),
          &a);
    vm = rig_config("there", NULL, 0);
    mem_free(vm->vm.name);
    vm->vm.name = mem_strdup("inside.example");
    vm->via = mem_strdup("jump");
    assert_int_equal(proxy_dial(proxy, vm, FAKE_ECHO, 5000, on_dial, &a, NULL, &err), 0);
    answered(&a, 4);
    assert_string_equal(a.err.msg, "");
    struct client c = {.fd = a.fd, .to_send = 100000, .check = true, .end_when_sent = true};
    assert_true(until(client_over(&c)));
    assert_int_equal(c.received, 100000);
    client_close(&c);
    config_vm_free(vm);
}

static void test_cancelled_requests_stay_silent(void **state)
{
    struct answer a = {0};
    struct err err = {0};
    struct config_vm *vm = rig_config("here", NULL, 0);
    for (int i = 0; i < 50; i++) {
        struct proxy_req *req;
        assert_int_equal(proxy_dial(proxy, vm, servers.sshd_port, 5000, on_dial, &a, &req, &err), 0);
        for (int turns = 0; turns < i % 5 && a.calls == 0; turns++)
            uv_run(&loop, UV_RUN_NOWAIT);
        if (a.calls == 0)
            proxy_cancel(req);
        else
            close(a.fd);
        unsigned calls = a.calls;
        uv_run(&loop, UV_RUN_NOWAIT);
        assert_int_equal(a.calls, calls);
        a.calls = 0;
    }
    config_vm_free(vm);
}

static void test_vms_behind_each_other_share_a_worker_and_work(void **state)
{
    struct answer a = {0};
    unsigned ssh = servers.sshd_port;
    apply(config_of("vms:\n"
                    "  - {name: db, address: 10.9.9.9, port: 7, user: me, via: jump, local: "
                    "[\"127.0.0.2:0:localhost:7\"]}\n"
                    "  - {name: jump, address: 127.0.0.1, port: %u, user: me}\n",
                    ssh),
          &a);
    assert_int_equal(a.err.code, 0);
    assert_true(until(look().vms[0].state == PROXY_VM_UP));
    assert_int_equal(look().vms[1].state, PROXY_VM_UP);
}

static void test_closing_while_all_is_under_way(void **state)
{
    struct answer a = {0};
    struct err err = {0};
    const struct config *c = config_of("vms:\n" VM VM, "one", servers.sshd_port, "127.0.0.1:0:localhost:7",
                                       "two", servers.sshd_port, "127.0.0.2:0:localhost:7");
    assert_int_equal(proxy_apply(proxy, c, on_done, &a, NULL, &err), 0);
    struct answer b = {0};
    assert_int_equal(proxy_vm_up(proxy, &c->vms[0], false, 10000, on_done, &b, NULL, &err), 0);
    config_unref(c);
    close_all(0);
    assert_int_equal(a.calls, 1);
    assert_int_equal(b.calls, 1);
}

static void test_many_clients_on_many_workers(void **state)
{
    struct answer a = {0};
    unsigned ssh = servers.sshd_port;
    apply(config_of("vms:\n" VM VM VM VM, "a", ssh, "127.0.0.1:0:localhost:7", "b", ssh,
                    "127.0.0.1:0:localhost:7", "c", ssh, "127.0.0.1:0:localhost:7", "d", ssh,
                    "127.0.0.1:0:localhost:7"),
          &a);
    struct picture p = look();
    enum { CLIENTS = 40 };
    struct client c[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        c[i] = (struct client){.to_send = 30000, .check = true, .end_when_sent = true};
        client_connect(&c[i], port_of(p.vms[i % 4].listening));
    }
    int over = 0;
    uint64_t end = uv_hrtime() + 30000000000u;
    while (over < CLIENTS && uv_hrtime() < end) {
        over = 0;
        for (int i = 0; i < CLIENTS; i++)
            over += client_over(&c[i]);
        if (over == CLIENTS / 2)
            look(); /* in the midst of it */
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(c[i].received, 30000);
        client_close(&c[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_apply_makes_changes_and_removes_vms),
        T(test_port_passes_from_one_vm_to_another),
        T(test_failed_listener_is_told_and_tried_again_by_the_next_apply),
        T(test_runtime_forwards_and_adhoc_vms),
        T(test_unknown_names_are_told),
        T(test_down_and_up_again),
        T(test_dial_direct_and_through_another),
        T(test_cancelled_requests_stay_silent),
        T(test_vms_behind_each_other_share_a_worker_and_work),
        T(test_closing_while_all_is_under_way),
        T(test_many_clients_on_many_workers),
#undef T
    };
    return cmocka_run_group_tests_name("face", tests, NULL, NULL);
}

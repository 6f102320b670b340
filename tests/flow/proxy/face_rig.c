/*
 * face_rig: starting, asking and ending a proxy in a test.
 */
#include "face_rig.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "fake_ssh.h"

#ifdef __SANITIZE_THREAD__
/* libuv closes descriptors by a bare system call, which the sanitizer does not see: a number that is used
 * again by another thread looks to it like a race with whatever made it before. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:interceptor_socket\nrace:interceptor_accept\nrace:interceptor_fcntl\nrace:interceptor_dup\n";
}
#endif

uv_loop_t face_loop;
struct proxy *face_proxy;
struct rig face_servers; /* only its sshd */
bool face_closed;
static struct clock *clk;

static void keep(struct answer *a, const struct err *err)
{
    a->calls++;
    a->err = err ? *err : (struct err){0};
}

void face_on_done(void *arg, const struct err *err)
{
    keep(arg, err);
}

void face_on_forward(void *arg, const char *listening, const struct err *err)
{
    struct answer *a = arg;
    keep(a, err);
    snprintf(a->text, sizeof a->text, "%s", listening ? listening : "");
}

void face_on_dial(void *arg, int fd, const struct err *err)
{
    struct answer *a = arg;
    keep(a, err);
    a->fd = fd;
}

static void on_closed(void *arg)
{
    face_closed = true;
}

void face_answered(struct answer *a, unsigned calls)
{
    assert_true(face_until(a->calls >= calls));
    assert_int_equal(a->calls, calls);
}

int face_setup(void **state)
{
    log_init(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_DEBUG, LOG_TEXT);
    rig_init(&face_servers);
    assert_int_equal(uv_loop_init(&face_loop), 0);
    assert_int_equal(clock_new(&clk, &face_loop), 0);
    struct err none = {0}, err = {0};
    err_set(&none, ERR_AUTH, "nobody has signed in");
    struct proxy_options options = {
        .loop = &face_loop, .clock = clk, .resolver_err = &none, .workers = 3, .known_hosts = "/nonexistent"};
    assert_int_equal(proxy_new(&face_proxy, &options, &err), 0);
    face_closed = false;
    return 0;
}

void face_close(uint32_t grace_ms)
{
    proxy_close(face_proxy, grace_ms, on_closed, NULL);
    assert_true(face_until(face_closed));
}

int face_teardown(void **state)
{
    if (!face_closed)
        face_close(0);
    clock_close(clk, NULL, NULL);
    for (int i = 0; i < 100 && uv_run(&face_loop, UV_RUN_NOWAIT) != 0; i++)
        ;
    assert_int_equal(uv_loop_close(&face_loop), 0);
    rig_done(&face_servers);
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

const struct config *face_config(const char *fmt, ...)
{
    char text[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return load(text);
}

void face_apply(const struct config *c, struct answer *a)
{
    struct err err = {0};
    unsigned calls = a->calls;
    assert_int_equal(proxy_apply(face_proxy, c, face_on_done, a, NULL, &err), 0);
    assert_int_equal(a->calls, calls);
    config_unref(c);
    face_answered(a, calls + 1);
}

/* ---- status ---- */

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

struct picture face_look(void)
{
    struct picture p = {0};
    assert_int_equal(proxy_status(face_proxy, on_status, &p, NULL, NULL), 0);
    assert_true(face_until(p.calls == 1));
    return p;
}

uint16_t face_port(const char *listening)
{
    const char *colon = strrchr(listening, ':');
    assert_non_null(colon);
    return (uint16_t)atoi(colon + 1);
}

void face_echo(uint16_t port, size_t bytes)
{
    struct client c = {.to_send = bytes, .check = true, .end_when_sent = true};
    client_connect(&c, port);
    assert_true(face_until(client_over(&c)));
    assert_true(c.eof);
    assert_int_equal(c.received, bytes);
    client_close(&c);
}

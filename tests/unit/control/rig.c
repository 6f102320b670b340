/*
 * rig: a control server on a thread of its own, and raw clients to be rude to it.
 */
#include "rig.h"

#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#define DEADLINE_S 20

static void answer_fd(struct control_request *req)
{
    int fds[2];
    if (pipe(fds) != 0 || write(fds[1], "hello", 5) != 5)
        abort();
    close(fds[1]);
    control_reply_fd(req, json_pack("{s:s}", "what", "pipe"), fds[0]);
}

static void answer_big(struct control_request *req, json_t *args)
{
    size_t n = (size_t)json_integer_value(json_object_get(args, "size"));
    char *text = mem_alloc(n + 1);
    memset(text, 'x', n);
    text[n] = '\0';
    control_reply_ok(req, json_string(text));
    mem_free(text);
}

static void ask(struct control_request *req, json_t *args)
{
    int64_t number = json_integer_value(json_object_get(args, "number"));
    control_question(
        req, number,
        json_pack("{s:s, s:s, s:s, s:b}", "vm", "win11", "kind", "passphrase", "prompt", "Open?", "echo", 0));
    if (json_is_true(json_object_get(args, "progress")))
        control_progress(req, "meanwhile");
    if (json_is_true(json_object_get(args, "withdraw"))) {
        control_withdraw(req, number);
        control_reply_ok(req, json_string("withdrawn"));
    }
}

static void on_answer(void *arg, struct control_request *req, int64_t number, const char *text,
                      const struct err *why)
{
    control_reply_ok(req, json_pack("{s:I, s:s?, s:s?}", "number", (json_int_t)number, "text", text, "why",
                                    why ? why->msg : NULL));
}

static void on_request(void *arg, struct control_request *req, const char *op, json_t *args)
{
    struct rig *r = arg;
    struct err err = {0};

    if (strcmp(op, "echo") == 0) {
        control_reply_ok(req, json_incref(args));
    } else if (strcmp(op, "fd") == 0) {
        answer_fd(req);
    } else if (strcmp(op, "big") == 0) {
        answer_big(req, args);
    } else if (strcmp(op, "two") == 0) {
        control_progress(req, "half way, %s", "bad byte \xff");
        control_event(req, json_pack("{s:i}", "part", 1));
        control_reply_ok(req, NULL);
    } else if (strcmp(op, "ask") == 0) {
        ask(req, args);
    } else if (strcmp(op, "hang") == 0 || strcmp(op, "stop") == 0) {
        control_request_set_data(req, r);
        atomic_fetch_add(&r->hanging, 1);
    } else {
        err_set(&err, ERR_UNSUPPORTED, "no %s", op);
        control_reply_err(req, &err);
    }
}

static void on_gone(void *arg, struct control_request *req)
{
    struct rig *r = arg;
    if (control_request_data(req) == r)
        atomic_fetch_add(&r->gone, 1);
}

static void on_stop(uv_async_t *async)
{
    struct rig *r = async->data;
    control_server_close(r->server, NULL, NULL);
    uv_close((uv_handle_t *)async, NULL);
}

static void *run(void *arg)
{
    struct rig *r = arg;
    uv_run(&r->loop, UV_RUN_DEFAULT);
    return NULL;
}

void rig_start(struct rig *r)
{
    static const struct control_handlers HANDLERS = {
        .request = on_request, .gone = on_gone, .answer = on_answer};
    struct err err = {0};

    memset(r, 0, sizeof *r);
    snprintf(r->dir, sizeof r->dir, "/tmp/adit-control-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->path, sizeof r->path, "%s/s", r->dir);
    assert_int_equal(uv_loop_init(&r->loop), 0);
    assert_int_equal(uv_async_init(&r->loop, &r->stop, on_stop), 0);
    r->stop.data = r;
    if (control_server_new(&r->server, &r->loop, r->path, &HANDLERS, r, &err) < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
}

void rig_stop(struct rig *r)
{
    char lock[128];
    uv_async_send(&r->stop);
    pthread_join(r->thread, NULL);
    assert_int_equal(uv_loop_close(&r->loop), 0);
    assert_int_not_equal(access(r->path, F_OK), 0);
    snprintf(lock, sizeof lock, "%s.lock", r->path);
    unlink(lock);
    assert_int_equal(rmdir(r->dir), 0);
}

int rig_connect(const struct rig *r)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct timeval deadline = {.tv_sec = DEADLINE_S};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(to.sun_path, r->path, strlen(r->path));
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

void rig_send(int fd, const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        ssize_t done = send(fd, text, n, MSG_NOSIGNAL);
        if (done < 0)
            return;
        text += done;
        n -= (size_t)done;
    }
}

size_t rig_line(int fd, char *out, size_t size)
{
    size_t n = 0;
    char c;
    for (;;) {
        ssize_t got = recv(fd, &c, 1, 0);
        if (got <= 0 || c == '\n')
            break;
        if (n + 1 < size)
            out[n++] = c;
    }
    out[n] = '\0';
    return n;
}

int rig_hello(const struct rig *r)
{
    int fd = rig_connect(r);
    rig_expect(fd, "\"adit\":1");
    rig_send(fd, "{\"adit\":1}\n");
    return fd;
}

void rig_expect(int fd, const char *part)
{
    char line[4096];
    rig_line(fd, line, sizeof line);
    if (!strstr(line, part))
        fail_msg("expected a line with %s, got %s", part, line);
}

void rig_expect_end(int fd)
{
    char line[4096];
    assert_int_equal(rig_line(fd, line, sizeof line), 0);
    close(fd);
}

void rig_wait(const atomic_int *what, int value)
{
    for (int i = 0; atomic_load(what) != value; i++) {
        if (i > DEADLINE_S * 1000)
            fail_msg("it stays %d, not %d", atomic_load(what), value);
        poll(NULL, 0, 1);
    }
}

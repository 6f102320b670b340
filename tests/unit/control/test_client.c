/*
 * test_client: adit's end: answers, descriptors, progress, and every way in which a daemon can fail to
 * answer.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "rig.h"

static int setup(void **state)
{
    struct rig *r = mem_zalloc(sizeof *r);
    rig_start(r);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    rig_stop(r);
    mem_free(r);
    return 0;
}

static struct control_client *open_good(const struct rig *r)
{
    struct control_client *c = NULL;
    struct err err = {0};
    if (control_client_open(&c, r->path, 5000, &err) < 0)
        fail_msg("%s", err.msg);
    return c;
}

static void test_echo(void **state)
{
    struct control_client *c = open_good(*state);
    struct err err = {0};
    json_t *data = NULL, *args = json_pack("{s:s}", "a", "b");
    for (int i = 0; i < 100; i++) {
        assert_int_equal(control_call(c, "echo", json_incref(args), 5000, NULL, NULL, &data, NULL, &err), 0);
        assert_true(json_equal(data, args));
        json_decref(data);
    }
    assert_int_equal(control_client_pid(c), getpid());
    json_decref(args);
    control_client_close(c);
}

static void test_error(void **state)
{
    struct control_client *c = open_good(*state);
    struct err err = {0};
    json_t *data = NULL;
    assert_int_equal(control_call(c, "nonsense", NULL, 5000, NULL, NULL, &data, NULL, &err), ERR_UNSUPPORTED);
    assert_string_equal(err.msg, "no nonsense");
    assert_null(data);
    assert_int_equal(control_call(c, "echo", NULL, 5000, NULL, NULL, NULL, NULL, &err), 0);
    control_client_close(c);
}

static void test_descriptor(void **state)
{
    struct control_client *c = open_good(*state);
    struct err err = {0};
    char text[6] = "";
    for (int i = 0; i < 50; i++) { /* more than are ever buffered */
        int fd = -1;
        json_t *data = NULL;
        assert_int_equal(control_call(c, "fd", NULL, 5000, NULL, NULL, &data, &fd, &err), 0);
        assert_string_equal(json_string_value(json_object_get(data, "what")), "pipe");
        assert_true(fd >= 0);
        assert_int_equal(read(fd, text, 5), 5);
        assert_string_equal(text, "hello");
        close(fd);
        json_decref(data);
        assert_int_equal(control_call(c, "fd", NULL, 5000, NULL, NULL, NULL, NULL, &err),
                         0); /* one that nobody wants */
    }
    control_client_close(c);
}

struct seen {
    int progress, events;
};

static void on_progress(void *arg, const char *text)
{
    struct seen *s = arg;
    assert_string_equal(text, "half way, bad byte ?");
    s->progress++;
}

static void on_event(void *arg, const json_t *data)
{
    struct seen *s = arg;
    assert_int_equal(json_integer_value(json_object_get(data, "part")), 1);
    s->events++;
}

static void test_progress_and_events(void **state)
{
    struct control_client *c = open_good(*state);
    struct seen seen = {0};
    const struct control_watch watch = {.progress = on_progress, .event = on_event, .arg = &seen};
    struct err err = {0};
    json_t *data = json_null();
    assert_int_equal(control_call_watch(c, "two", NULL, 5000, &watch, &data, NULL, &err), 0);
    assert_null(data);
    assert_int_equal(seen.progress, 1);
    assert_int_equal(seen.events, 1);
    control_client_close(c);
}

static void test_large_answer(void **state)
{
    struct control_client *c = open_good(*state);
    struct err err = {0};
    json_t *data = NULL;
    assert_int_equal(
        control_call(c, "big", json_pack("{s:i}", "size", 8000000), 20000, NULL, NULL, &data, NULL, &err), 0);
    assert_int_equal(json_string_length(data), 8000000);
    json_decref(data);
    control_client_close(c);
}

static void test_timeout_and_then_further(void **state)
{
    struct rig *r = *state;
    struct control_client *c = open_good(r);
    struct err err = {0};
    assert_int_equal(control_call(c, "hang", NULL, 50, NULL, NULL, NULL, NULL, &err), ERR_TIMEOUT);
    assert_non_null(strstr(err.msg, "pid"));
    assert_int_equal(atomic_load(&r->gone), 1); /* the daemon was told, and has confirmed */
    assert_int_equal(control_call(c, "echo", NULL, 5000, NULL, NULL, NULL, NULL, &err), 0);
    control_client_close(c);
}

static void test_interrupted(void **state)
{
    struct rig *r = *state;
    struct control_client *c = open_good(r);
    struct err err = {0};
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    control_client_interrupt_fd(c, fds[0]);
    assert_int_equal(control_call(c, "hang", NULL, 0, NULL, NULL, NULL, NULL, &err), ERR_CANCELED);
    assert_int_equal(atomic_load(&r->gone), 1);
    close(fds[0]);
    close(fds[1]);
    control_client_close(c);
}

static void test_request_that_is_too_long(void **state)
{
    struct control_client *c = open_good(*state);
    struct err err = {0};
    char *text = mem_alloc(CONTROL_REQUEST_LINE_MAX + 1);
    memset(text, 'x', CONTROL_REQUEST_LINE_MAX);
    text[CONTROL_REQUEST_LINE_MAX] = '\0';
    assert_int_equal(
        control_call(c, "echo", json_pack("{s:s}", "a", text), 5000, NULL, NULL, NULL, NULL, &err),
        ERR_LIMIT);
    mem_free(text);
    assert_int_equal(control_call(c, "echo", NULL, 5000, NULL, NULL, NULL, NULL, &err), 0);
    control_client_close(c);
}

/* ---- daemons that are none ---- */

struct fake {
    char path[64];
    int listener;
};

static void fake_start(struct fake *f)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(f->path, sizeof f->path, "/tmp/adit-fake-%ld", (long)getpid());
    unlink(f->path);
    memcpy(at.sun_path, f->path, strlen(f->path));
    f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(f->listener, 8), 0);
}

static void fake_stop(struct fake *f)
{
    close(f->listener);
    unlink(f->path);
}

static void *say(void *arg)
{
    struct fake *f = ((void **)arg)[0];
    const char *text = ((void **)arg)[1];
    int fd = accept(f->listener, NULL, NULL);
    rig_send(fd, text);
    char line[1024];
    while (rig_line(fd, line, sizeof line) > 0)
        ;
    close(fd);
    return NULL;
}

static int open_fake(struct fake *f, const char *says, bool any, struct err *err)
{
    struct control_client *c = NULL;
    pthread_t thread;
    void *args[2] = {f, (void *)(uintptr_t)says};
    assert_int_equal(pthread_create(&thread, NULL, say, args), 0);
    int rc =
        any ? control_client_open_any(&c, f->path, 5000, err) : control_client_open(&c, f->path, 5000, err);
    control_client_close(c);
    pthread_join(thread, NULL);
    return rc;
}

static void test_nobody(void **state)
{
    struct fake f;
    struct control_client *c = NULL;
    struct err err = {0};
    assert_int_equal(control_client_open(&c, "/nonexistent/s", 1000, &err), ERR_NOTFOUND);
    fake_start(&f);
    close(f.listener); /* a stale socket */
    assert_int_equal(control_client_open(&c, f.path, 1000, &err), ERR_NOTFOUND);
    unlink(f.path);
}

static void test_hung(void **state)
{
    struct fake f;
    struct control_client *c = NULL;
    struct err err = {0};
    fake_start(&f); /* connects, but no hello comes */
    assert_int_equal(control_client_open(&c, f.path, 50, &err), ERR_TIMEOUT);
    assert_non_null(strstr(err.msg, "answer"));
    fake_stop(&f);
}

static void test_other_version(void **state)
{
    struct fake f;
    struct err err = {0};
    fake_start(&f);
    assert_int_equal(open_fake(&f, "{\"adit\":2,\"version\":\"9.9\",\"pid\":77}\n", false, &err),
                     ERR_VERSION);
    assert_non_null(strstr(err.msg, "adit stop"));
    assert_non_null(strstr(err.msg, "9.9"));
    assert_non_null(strstr(err.msg, "77"));
    assert_int_equal(open_fake(&f, "{\"adit\":2,\"version\":\"9.9\",\"pid\":77}\n", true, &err), 0);
    fake_stop(&f);
}

static void test_refusal_and_nonsense(void **state)
{
    struct fake f;
    struct err err = {0};
    fake_start(&f);
    assert_int_equal(open_fake(&f,
                               "{\"adit\":1,\"pid\":7,\"error\":{\"code\":\"limit\",\"message\":\"full\"}}\n",
                               false, &err),
                     ERR_LIMIT);
    assert_string_equal(err.msg, "full");
    assert_int_equal(open_fake(&f, "SSH-2.0-OpenSSH\r\n", false, &err), ERR_PROTOCOL);
    fake_stop(&f);
}

static void test_path_too_long(void **state)
{
    struct control_client *c = NULL;
    struct err err = {0};
    char path[200];
    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    assert_int_equal(control_client_open(&c, path, 1000, &err), ERR_LIMIT);
}

static void test_daemon_dies(void **state)
{
    struct rig *r = mem_zalloc(sizeof *r);
    struct err err = {0};
    rig_start(r);
    struct control_client *c = open_good(r);
    rig_stop(r);
    assert_int_equal(control_call(c, "echo", NULL, 5000, NULL, NULL, NULL, NULL, &err), ERR_CLOSED);
    control_client_close(c);
    mem_free(r);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_echo),
        EACH(test_error),
        EACH(test_descriptor),
        EACH(test_progress_and_events),
        EACH(test_large_answer),
        EACH(test_timeout_and_then_further),
        EACH(test_interrupted),
        EACH(test_request_that_is_too_long),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_hung),
        cmocka_unit_test(test_other_version),
        cmocka_unit_test(test_refusal_and_nonsense),
        cmocka_unit_test(test_path_too_long),
        cmocka_unit_test(test_daemon_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_bind: one daemon a user; what a dead one left is replaced, what is somebody's is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/bind.h"

static char dir[64], path[96], lock_path[128];

static int setup(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/adit-bind-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/sub/s", dir);
    snprintf(lock_path, sizeof lock_path, "%s.lock", path);
    return 0;
}

static int teardown(void **state)
{
    char sub[96];
    unlink(path);
    unlink(lock_path);
    snprintf(sub, sizeof sub, "%s/sub", dir);
    rmdir(sub);
    return rmdir(dir);
}

static void open_good(struct control_bind *b)
{
    struct err err = {0};
    if (control_bind_open(b, path, &err) < 0)
        fail_msg("%s", err.msg);
}

static int listen_raw(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(at.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 5), 0);
    return fd;
}

static void test_modes(void **state)
{
    struct control_bind b;
    struct stat st;
    char sub[96];

    mode_t before = umask(0);
    open_good(&b);
    umask(before);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    snprintf(sub, sizeof sub, "%s/sub", dir);
    assert_int_equal(lstat(sub, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    control_bind_close(&b);
    assert_int_equal(lstat(path, &st), -1);
}

static void test_second_is_refused_with_the_pid(void **state)
{
    struct control_bind a, b;
    struct err err = {0};
    char pid[32];

    open_good(&a);
    assert_int_equal(control_bind_open(&b, path, &err), ERR_EXISTS);
    snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    assert_non_null(strstr(err.msg, pid));
    assert_non_null(strstr(err.msg, "already"));
    assert_int_equal(access(path, F_OK), 0); /* the first one's socket is untouched */
    control_bind_close(&a);
    open_good(&b);
    control_bind_close(&b);
}

static void test_stale_socket_is_replaced(void **state)
{
    struct control_bind b;
    open_good(&b);
    control_bind_close(&b);
    close(listen_raw()); /* a file that nobody listens at */
    assert_int_equal(access(path, F_OK), 0);
    open_good(&b);
    control_bind_close(&b);
}

static void test_living_daemon_without_a_lock_file(void **state)
{
    struct control_bind b;
    struct err err = {0};
    open_good(&b);
    control_bind_close(&b);
    int fd = listen_raw();
    unlink(lock_path);
    assert_int_equal(control_bind_open(&b, path, &err), ERR_EXISTS);
    close(fd);
}

static void test_no_socket_is_left_alone(void **state)
{
    struct control_bind b;
    struct err err = {0};
    open_good(&b);
    control_bind_close(&b);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(control_bind_open(&b, path, &err), ERR_EXISTS);
    assert_non_null(strstr(err.msg, path));
    assert_int_equal(access(path, F_OK), 0);
}

static void test_another_users_socket(void **state)
{
    struct control_bind b;
    struct err err = {0};
    if (geteuid() != 0)
        skip();
    open_good(&b);
    control_bind_close(&b);
    int fd = listen_raw();
    close(fd);
    assert_int_equal(lchown(path, 12345, 12345), 0);
    assert_int_equal(control_bind_open(&b, path, &err), ERR_DENIED);
    assert_non_null(strstr(err.msg, "12345"));
    assert_int_equal(access(path, F_OK), 0);
}

static void test_only_our_own_file_is_removed(void **state)
{
    struct control_bind b;
    open_good(&b);
    unlink(path);
    int fd = listen_raw(); /* somebody else's by now */
    control_bind_close(&b);
    assert_int_equal(access(path, F_OK), 0);
    close(fd);
}

static void test_path_too_long(void **state)
{
    struct control_bind b;
    struct err err = {0};
    char longer[200];
    memset(longer, 'a', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(control_bind_open(&b, longer, &err), ERR_LIMIT);
    assert_non_null(strstr(err.msg, "XDG_RUNTIME_DIR"));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_modes),
        EACH(test_second_is_refused_with_the_pid),
        EACH(test_stale_socket_is_replaced),
        EACH(test_living_daemon_without_a_lock_file),
        EACH(test_no_socket_is_left_alone),
        EACH(test_another_users_socket),
        EACH(test_only_our_own_file_is_removed),
        cmocka_unit_test(test_path_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

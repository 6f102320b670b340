/*
 * test_start: how aditd starts and how it does not: configuration, one daemon a user, the word to its
 * starter, its end.
 */
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "rig.h"

static struct rig r;

/* Runs a daemon that fails, with a starter that listens. What it was told, behind the byte of the status. */
static int fails(struct rig *rig, char *text, size_t size)
{
    int fds[2];
    unsigned char byte = 0;
    assert_int_equal(pipe(fds), 0);
    rig->bg.pipe = fds[1];
    int status = daemon_run(&rig->options, &rig->place, &rig->bg);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_equal(byte, status);
    ssize_t n, total = 0;
    while ((n = read(fds[0], text + total, size - 1 - (size_t)total)) > 0)
        total += n;
    text[total] = '\0';
    close(fds[0]);
    return status;
}

static void test_wrong_configuration_is_told_in_full(void **state)
{
    char path[128], text[4096];
    rig_dir(&r);
    rig_config(&r, "vmz: []\nlog-level: loud\n");
    snprintf(path, sizeof path, "%s/adit.yaml", r.dir);
    r.options.config = path;
    assert_int_equal(daemon_place_find(&r.place, &r.options), 0);
    assert_int_equal(fails(&r, text, sizeof text), EX_CONFIG);
    assert_non_null(strstr(text, "adit.yaml:1:1: "));
    assert_non_null(strstr(text, "adit.yaml:2:"));
    assert_int_not_equal(access(r.place.socket, F_OK), 0);
    rig_remove(&r);
}

static void test_named_file_must_exist(void **state)
{
    char text[4096];
    rig_dir(&r);
    r.options.config = "/nonexistent/adit.yaml";
    assert_int_equal(daemon_place_find(&r.place, &r.options), 0);
    assert_int_not_equal(fails(&r, text, sizeof text), 0);
    assert_non_null(strstr(text, "/nonexistent/adit.yaml"));
    rig_remove(&r);
}

static void test_second_daemon(void **state)
{
    char text[4096];
    struct rig second;
    rig_start(&r, RIG_CONFIG);
    memset(&second, 0, sizeof second);
    second.options = r.options;
    second.options.config = r.place.config;
    second.bg.log_fd = -1;
    assert_int_equal(daemon_place_find(&second.place, &second.options), 0);
    assert_int_equal(fails(&second, text, sizeof text), EX_UNAVAILABLE);
    assert_non_null(strstr(text, "already"));
    daemon_place_done(&second.place);
    struct peer p;
    peer_open(&p, &r); /* the first one goes on */
    json_decref(peer_call(&p, "status", "{}"));
    peer_close(&p);
    rig_stop(&r);
}

static void test_sigterm(void **state)
{
    rig_start(&r, RIG_CONFIG);
    struct peer p;
    peer_open(&p, &r);
    json_decref(peer_call(&p, "version", "{}")); /* its signals are caught by now */
    kill(getpid(), SIGTERM);
    assert_null(peer_line(&p)); /* the connection ends */
    rig_join(&r);
    peer_close(&p);
}

static void test_sighup_reloads(void **state)
{
    rig_start(&r, RIG_CONFIG);
    struct peer p;
    peer_open(&p, &r);
    json_decref(peer_call(&p, "version", "{}"));
    size_t before = fake_proxy_vms();
    rig_config(&r, "vms:\n  - name: third\n    address: 127.0.0.3\n");
    kill(getpid(), SIGHUP);
    rig_until(fake_proxy_vms, before + 1);
    peer_close(&p);
    rig_stop(&r);
}

static void test_systemd_is_told(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval deadline = {.tv_sec = 20};
    char text[64] = "";
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "/tmp/adit-notify-%ld", (long)getpid());
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    rig_notify = at.sun_path;
    rig_start(&r, RIG_CONFIG);
    assert_true(recv(fd, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, "READY=1");
    rig_stop(&r);
    memset(text, 0, sizeof text);
    assert_true(recv(fd, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, "STOPPING=1");
    rig_notify = NULL;
    close(fd);
    unlink(at.sun_path);
}

static void test_ready_reaches_the_starter(void **state)
{
    int fds[2];
    unsigned char byte = 9;
    assert_int_equal(pipe(fds), 0);
    rig_pipe = fds[1];
    rig_start(&r, RIG_CONFIG);
    rig_pipe = -1;
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_equal(byte, 0);
    assert_int_equal(read(fds[0], &byte, 1), 0); /* and the starter may go */
    close(fds[0]);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_configuration_is_told_in_full),
        cmocka_unit_test(test_named_file_must_exist),
        cmocka_unit_test(test_second_daemon),
        cmocka_unit_test(test_sigterm),
        cmocka_unit_test(test_sighup_reloads),
        cmocka_unit_test(test_systemd_is_told),
        cmocka_unit_test(test_ready_reaches_the_starter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

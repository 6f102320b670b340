/*
 * Listening: both loopbacks, a port in use, Unix sockets that are ours, stale, or somebody else's.
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
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_ssh.h"
#include "proxy/forward.h"
#include "rig.h"

static struct rig rig;
static char dir[] = "/tmp/adit-listener-XXXXXX";

static int setup(void **state)
{
    memset(&rig, 0, sizeof rig);
    rig_init(&rig);
    return 0;
}

static int teardown(void **state)
{
    rig_done(&rig);
    return 0;
}

static struct vm *vm_with(const char *spec, struct err *err)
{
    const char *const forwards[] = {spec};
    *err = (struct err){0};
    return rig_vm_with(&rig, rig_config("win11", forwards, 1), 1, 0, MAIL_WANTED, err);
}

static int connect_v6(uint16_t port)
{
    struct sockaddr_in6 a = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool machine_has_v6(void)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

static void test_default_bind_is_both_loopbacks_at_one_port(void **state)
{
    struct err err;
    struct vm *vm = vm_with("0:localhost:7", &err);
    assert_int_equal(err.code, 0);
    uint16_t port = rig_port(vm, 0);
    struct client c = {.to_send = 3, .check = true};
    client_connect(&c, port);
    assert_true(rig_until(&rig, (client_pump(&c), c.received == 3)));
    client_close(&c);
    if (!machine_has_v6())
        return;
    c = (struct client){.to_send = 3, .check = true, .fd = connect_v6(port)};
    assert_true(c.fd >= 0);
    fcntl(c.fd, F_SETFL, O_NONBLOCK);
    assert_true(rig_until(&rig, (client_pump(&c), c.received == 3)));
    client_close(&c);
}

static void test_port_in_use_names_forward_and_holder(void **state)
{
    char spec[64];
    snprintf(spec, sizeof spec, "%u:localhost:7", rig.sshd_port);
    struct err err;
    struct vm *vm = vm_with(spec, &err);
    assert_int_equal(err.code, ERR_EXISTS);
    char want[128];
    snprintf(want, sizeof want, "vm win11: forward %s: port %u is in use", spec, rig.sshd_port);
    assert_memory_equal(err.msg, want, strlen(want));
    assert_non_null(strstr(err.msg, "held by"));
    /* The VM is up all the same, and the next try may succeed. */
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    vm_wait_add(vm, 9, 1000, NULL);
    assert_int_equal(rig.done_err.code, ERR_EXISTS);
}

static void test_port_in_use_is_tried_again_when_asked(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int taken = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(taken, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(taken, 1), 0);
    getsockname(taken, (struct sockaddr *)&a, &len);
    char spec[64];
    snprintf(spec, sizeof spec, "127.0.0.1:%u:localhost:7", ntohs(a.sin_port));
    struct err err;
    struct vm *vm = vm_with(spec, &err);
    assert_int_equal(err.code, ERR_EXISTS);
    close(taken);
    const char *const forwards[] = {spec};
    err = (struct err){0};
    vm_set(vm, rig_config("win11", forwards, 1), 0, MAIL_WANTED, &err);
    assert_int_equal(err.code, 0);
    assert_int_equal(rig_port(vm, 0), ntohs(a.sin_port));
}

static void test_foreign_address_is_refused(void **state)
{
    struct err err;
    vm_with("203.0.113.7:0:localhost:7", &err);
    assert_true(err.code < 0);
    assert_non_null(strstr(err.msg, "203.0.113.7"));
}

static int connect_unix(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void unix_works(const char *path)
{
    struct client c = {.to_send = 70000, .check = true, .end_when_sent = true, .fd = connect_unix(path)};
    assert_true(rig_until(&rig, client_over(&c)));
    assert_int_equal(c.received, 70000);
    client_close(&c);
}

static void test_unix_socket_is_private_and_goes_with_its_forward(void **state)
{
    char path[128], spec[256];
    snprintf(path, sizeof path, "%s/a.sock", dir);
    snprintf(spec, sizeof spec, "%s:localhost:7", path);
    struct err err;
    struct vm *vm = vm_with(spec, &err);
    assert_string_equal(err.msg, "");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    unix_works(path);
    vm_set(vm, rig_config("win11", NULL, 0), 0, MAIL_WANTED, &err);
    assert_int_equal(stat(path, &st), -1);
}

static int bind_unix(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void test_stale_unix_socket_is_replaced(void **state)
{
    char path[128], spec[256];
    snprintf(path, sizeof path, "%s/b.sock", dir);
    snprintf(spec, sizeof spec, "%s:localhost:7", path);
    close(bind_unix(path)); /* the file stays */
    struct err err;
    vm_with(spec, &err);
    assert_string_equal(err.msg, "");
    unix_works(path);
}

static void test_unix_socket_in_use_and_other_files_are_left_alone(void **state)
{
    char path[128], spec[256];
    snprintf(path, sizeof path, "%s/c.sock", dir);
    snprintf(spec, sizeof spec, "%s:localhost:7", path);
    int fd = bind_unix(path);
    assert_int_equal(listen(fd, 1), 0);
    struct err err;
    struct vm *vm = vm_with(spec, &err);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_non_null(strstr(err.msg, "in use"));
    close(fd);
    unlink(path);
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    const char *const forwards[] = {spec};
    err = (struct err){0};
    vm_set(vm, rig_config("win11", forwards, 1), 0, MAIL_WANTED, &err);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_non_null(strstr(err.msg, "no socket"));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    unlink(path);
}

static int make_dir(void **state)
{
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_default_bind_is_both_loopbacks_at_one_port),
        T(test_port_in_use_names_forward_and_holder),
        T(test_port_in_use_is_tried_again_when_asked),
        T(test_foreign_address_is_refused),
        T(test_unix_socket_is_private_and_goes_with_its_forward),
        T(test_stale_unix_socket_is_replaced),
        T(test_unix_socket_in_use_and_other_files_are_left_alone),
#undef T
    };
    return cmocka_run_group_tests_name("listener", tests, make_dir, remove_dir);
}

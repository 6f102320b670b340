/*
 * caller: a VM with a dynamic forward, and clients that speak to it word by word.
 */
#include "caller.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct rig caller_rig;
struct vm *caller_vm;
static const char *const forwards[] = {"-D 0"};

int caller_setup(void **state)
{
    memset(&caller_rig, 0, sizeof caller_rig);
    rig_init(&caller_rig);
    caller_vm = rig_vm(&caller_rig, 1, "web1", forwards, 1);
    assert_true(rig_until(&caller_rig, caller_vm->state == PROXY_VM_UP));
    return 0;
}

int caller_teardown(void **state)
{
    rig_done(&caller_rig);
    return 0;
}

const struct forward *caller_forward(void)
{
    return container_of(list_first(&caller_vm->forwards), struct forward, node);
}

int caller(void)
{
    struct client c = {0};
    client_connect(&c, rig_port(caller_vm, 0));
    return c.fd;
}

void say(int fd, const char *bytes, size_t n)
{
    assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
}

bool nothing(int fd)
{
    char c;
    return recv(fd, &c, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

static size_t hear(int fd, char *into, size_t n)
{
    ssize_t got = recv(fd, into, n, 0);
    return got > 0 ? (size_t)got : 0;
}

void expect(int fd, const char *bytes, size_t n)
{
    char got[4096];
    size_t have = 0;
    assert_true(rig_until(&caller_rig, (have += hear(fd, got + have, n - have)) == n));
    assert_memory_equal(got, bytes, n);
}

bool ended(int fd)
{
    char c;
    ssize_t got = recv(fd, &c, 1, 0);
    if (got > 0 || (got < 0 && errno != EAGAIN))
        fail_msg("%s", got > 0 ? "there is more" : strerror(errno));
    return got == 0;
}

void expect_end(int fd)
{
    assert_true(rig_until(&caller_rig, ended(fd)));
    close(fd);
    assert_true(rig_until(&caller_rig, caller_rig.plane.flows == 0));
}

/*
 * remote_rig: a VM with a remote forward, and the server here that it leads to.
 */
#include "remote_rig.h"

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

struct rig rig;
int remote_target;
char remote_spec[64];
const char *const remote_specs[] = {remote_spec};

int remote_listen_at(uint16_t *port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_true(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 128) == 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = ntohs(a.sin_port);
    return fd;
}

int remote_setup(void **state)
{
    uint16_t port = 0;
    memset(&rig, 0, sizeof rig);
    rig_init(&rig);
    remote_target = remote_listen_at(&port);
    snprintf(remote_spec, sizeof remote_spec, "-R 8080:localhost:%u", port);
    return 0;
}

int remote_teardown(void **state)
{
    rig_done(&rig);
    close(remote_target);
    return 0;
}

const struct forward *remote_first(const struct vm *vm)
{
    return container_of(list_first(&vm->forwards), struct forward, node);
}

struct vm *remote_vm(void)
{
    struct vm *vm = rig_vm(&rig, 1, "win11", remote_specs, 1);
    assert_true(rig_until(&rig, forward_listening(remote_first(vm)) != NULL));
    return vm;
}

bool remote_accepted(struct client *c)
{
    if (c->fd >= 0)
        return true;
    c->fd = accept4(remote_target, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return c->fd >= 0;
}

/* Somebody calls at the VM and reaches the target here. */
struct client remote_reached(uint16_t kind)
{
    struct client c = {.check = true, .end_when_sent = true, .fd = -1};
    assert_true(fake_call("localhost", 8080, kind));
    assert_true(rig_until(&rig, remote_accepted(&c)));
    return c;
}

void remote_works(void)
{
    struct client c = remote_reached(FAKE_ECHO);
    c.to_send = 1000;
    assert_true(rig_until(&rig, client_over(&c)));
    assert_int_equal(c.received, 1000);
    client_close(&c);
}

/* The remote_target still holds the port for the connection that was cut off. */
/* A VM that listens for somebody is not idle. */
/* Whatever is closed after whichever turn of a call. */
/* True when there was no k-th allocation any more. */

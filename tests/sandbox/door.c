/*
 * door: moves a listener between its three states.
 */
#include "door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE 1024
#define HIGH_PORT 2222

void door_init(struct door *d)
{
    *d = (struct door){.state = DOOR_SHUT, .fd = -1, .filler = -1};
}

void door_shut(struct door *d)
{
    if (d->fd >= 0) {
        shutdown(d->fd, SHUT_RDWR);
        close(d->fd);
    }
    if (d->filler >= 0)
        close(d->filler);
    door_init(d);
}

static int listener_open(struct door *d, const char *address, uint16_t port, struct err *err)
{
    int on = 1;
    d->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &d->at.sin_addr);
    d->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (d->fd < 0)
        return err_sys(err, errno, "socket");
    setsockopt(d->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(d->fd, (struct sockaddr *)&d->at, sizeof d->at) == 0)
        return 0;
    int rc = err_sys(err, errno, "cannot listen on %s port %u", address, port);
    close(d->fd);
    d->fd = -1;
    return rc;
}

static void queue_fill(struct door *d)
{
    listen(d->fd, 0);
    d->filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (d->filler >= 0 && connect(d->filler, (struct sockaddr *)&d->at, sizeof d->at) < 0 &&
        errno != EINPROGRESS) {
        close(d->filler);
        d->filler = -1;
    }
}

/* Takes our own connection out of the queue again, so that it does not knock at the sshd. */
static void queue_clear(struct door *d)
{
    if (d->filler >= 0) {
        int fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        close(d->filler);
        d->filler = -1;
    }
    listen(d->fd, QUEUE);
}

int door_set(struct door *d, const char *address, uint16_t port, enum door_state state, struct err *err)
{
    if (state == DOOR_SHUT || !*address) {
        door_shut(d);
        return 0;
    }
    if (d->fd < 0) {
        int rc = listener_open(d, address, port, err);
        if (rc)
            return rc;
        d->state = DOOR_OPEN;
        if (listen(d->fd, QUEUE) < 0) {
            int e = errno;
            door_shut(d);
            return err_sys(err, e, "cannot listen on %s port %u", address, port);
        }
    }
    if (state == DOOR_SWALLOW && d->state != DOOR_SWALLOW)
        queue_fill(d);
    else if (state == DOOR_OPEN && d->state == DOOR_SWALLOW)
        queue_clear(d);
    d->state = state;
    return 0;
}

uint16_t door_port(const char *address)
{
    struct door d;
    door_init(&d);
    int rc = listener_open(&d, address, 22, NULL);
    door_shut(&d);
    return rc == ERR_DENIED ? HIGH_PORT : 22;
}

/*
 * relay_listener: accepts at the VM's public address and dials on to its sshd.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "relay.h"

#define FLOWS_MAX 4096

static void on_listener(uv_poll_t *h, int status, int events)
{
    (void)events;
    (void)status;
    struct relay *r = h->data;
    int client = accept4(r->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) {
        if (errno == EINVAL) /* the sandbox shut the door */
            uv_poll_stop(r->listener);
        return;
    }
    r->stats.accepted++;
    int server = -1;
    if (r->stats.open < FLOWS_MAX)
        server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server >= 0 &&
        (connect(server, (struct sockaddr *)&r->target, sizeof r->target) == 0 || errno == EINPROGRESS) &&
        relay_flow_new(r, client, server) == 0)
        return;
    r->stats.refused++;
    if (server >= 0)
        close(server);
    close(client);
}

void relay_listener_update(struct relay *r)
{
    if (!r->listener)
        return;
    if (r->paused || r->faults.swallow)
        uv_poll_stop(r->listener);
    else
        uv_poll_start(r->listener, UV_READABLE, on_listener);
}

struct old_listener {
    uv_poll_t poll;
    int fd;
};

static void on_listener_closed(uv_handle_t *h)
{
    struct old_listener *old = container_of(h, struct old_listener, poll);
    close(old->fd);
    mem_free(old);
}

int relay_listen(struct relay *r, int fd, struct err *err)
{
    struct old_listener *l = mem_zalloc(sizeof *l);
    if (!l)
        return err_set(err, ERR_NOMEM, "relay: out of memory");
    l->fd = fd;
    int rc = uv_poll_init(r->loop, &l->poll, fd);
    if (rc) {
        mem_free(l);
        return err_uv(err, rc, "relay: listener");
    }
    if (r->listener)
        uv_close((uv_handle_t *)r->listener, on_listener_closed);
    l->poll.data = r;
    r->listener = &l->poll;
    r->listen_fd = fd;
    relay_listener_update(r);
    return 0;
}

void relay_pause(struct relay *r, bool paused)
{
    r->paused = paused;
    relay_listener_update(r);
}

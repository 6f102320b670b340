/*
 * wake: runs `exit` in a session once, so that sshd sets TCP_NODELAY on its side of the connection (DESIGN
 * §5).
 *
 * It starts when no open of a user is waiting, and whatever comes of it is taken quietly: a server that
 * allows no session serves forwards all the same.
 */
#include "conn.h"

static void on_opened(void *arg)
{
    struct ssh_conn *c = arg;
    ssh_chan_eof(c->wake);
}

static void on_data(void *arg, const uv_buf_t *bufs, unsigned count)
{
    struct ssh_conn *c = arg;
    size_t n = 0;
    for (unsigned i = 0; i < count; i++)
        n += bufs[i].len;
    ssh_chan_rx_consume(c->wake, n);
}

static void on_nothing(void *arg)
{
}

static void on_closed(void *arg, const struct err *err)
{
    struct ssh_conn *c = arg;
    c->wake = NULL;
    if (c->state == SSH_CONN_UP && !c->failed && !c->silent)
        ssh_keepalive_ask(&c->keepalive, c);
}

static const struct ssh_chan_events wake_events = {
    .opened = on_opened,
    .data = on_data,
    .writable = on_nothing,
    .eof = on_nothing,
    .closed = on_closed,
};

void ssh_wake_maybe(struct ssh_conn *c)
{
    if (c->wake_done || c->open_count > 0 || c->state != SSH_CONN_UP || c->failed)
        return;
    c->wake_done = true;
    if (c->opt.wake)
        (void)ssh_chan_open_session(&c->wake, c, "exit", &wake_events, c, NULL);
}

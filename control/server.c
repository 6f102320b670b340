/*
 * server: the daemon's listening end: accepts clients, refuses those that are not ours or too many, buries
 * the dead.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "peer.h"
#include "session.h"

#define ACCEPT_MAX 32 /* clients a turn */

static const struct log_ctx LOG = {.module = "control"};

static void on_reaper(uv_timer_t *timer)
{
    struct control_server *srv = timer->data;
    struct session *s;
    list_each(s, &srv->sessions, struct session, node)
    {
        if (s->doomed)
            session_bury(s);
    }
}

void server_doom(struct session *s)
{
    s->doomed = true;
    uv_poll_stop(&s->poll);
    if (!s->server->closing)
        uv_timer_start(&s->server->reaper, on_reaper, 0, 0);
}

static int accept_one(int listener, struct err *err)
{
#ifdef __linux__
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
#else
    int fd = accept(listener, NULL, NULL);
    if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)) {
        close(fd);
        return err_set(err, ERR_SYSTEM, "cannot set up an accepted socket");
    }
#endif
    return fd >= 0 ? fd : err_sys(err, errno, "cannot accept a client");
}

static void admit(struct control_server *srv, int fd)
{
    struct err err = {0}, refusal = {0};
    uid_t uid = (uid_t)-1;
    pid_t pid = 0;

    int rc = peer_identity(fd, &uid, &pid, &err);
    if (rc == 0 && uid != geteuid() && uid != 0)
        rc = err_set(&err, ERR_DENIED, "a client of uid %ld (pid %ld) was turned away", (long)uid, (long)pid);
    if (rc < 0) {
        log_warn(&LOG, "%s", err.msg);
        close(fd);
        return;
    }
    if (srv->session_count >= CONTROL_CLIENTS_MAX)
        err_set(&refusal, ERR_LIMIT, "aditd serves %d clients already; try again in a moment",
                CONTROL_CLIENTS_MAX);
    if (session_new(srv, fd, refusal.code ? &refusal : NULL, &err) < 0) {
        log_warn(&LOG, "%s", err.msg);
        close(fd);
    }
}

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_clock(uv_timer_t *timer)
{
    struct control_server *srv = timer->data;
    bool needed = false;
    struct session *s;

    list_each(s, &srv->sessions, struct session, node)
    {
        if (s->version != 0 || s->doomed)
            continue;
        if (s->hello_left_s-- > 0)
            needed = true;
        else
            server_doom(s);
    }
    if (srv->paused) {
        srv->paused = false;
        uv_poll_start(&srv->listener, UV_READABLE, on_connection);
    }
    if (!needed)
        uv_timer_stop(timer);
}

static void pause_accepting(struct control_server *srv, const struct err *err)
{
    static struct log_rate rate = {.burst = 1, .every_ms = 60000};
    log_write(LOG_WARN, &LOG, &rate, "%s; trying again in a second", err->msg);
    srv->paused = true;
    uv_poll_stop(&srv->listener);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct control_server *srv = poll->data;
    struct err err = {0};

    for (int i = 0; i < ACCEPT_MAX && !srv->closing; i++) {
        int fd = accept_one(srv->bind.fd, &err);
        if (fd >= 0) {
            admit(srv, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            pause_accepting(srv, &err);
            break;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            break;
        }
    }
    if (!srv->closing && !uv_is_active((uv_handle_t *)&srv->clock))
        uv_timer_start(&srv->clock, on_clock, 1000, 1000);
}

int control_server_new(struct control_server **out, uv_loop_t *loop, const char *path,
                       const struct control_handlers *h, void *arg, struct err *err)
{
    struct control_server *srv = mem_zalloc(sizeof *srv);
    if (!srv)
        return err_set(err, ERR_NOMEM, "out of memory");
    srv->loop = loop;
    srv->handlers = *h;
    srv->arg = arg;
    list_init(&srv->sessions);
    int rc = control_bind_open(&srv->bind, path, err);
    if (rc < 0) {
        mem_free(srv);
        return rc;
    }
    uv_timer_init(loop, &srv->reaper);
    uv_timer_init(loop, &srv->clock);
    srv->reaper.data = srv->clock.data = srv->listener.data = srv;
    srv->handles = 2;
    rc = uv_poll_init(loop, &srv->listener, srv->bind.fd);
    if (rc == 0) {
        srv->handles = 3;
        rc = uv_poll_start(&srv->listener, UV_READABLE, on_connection);
    }
    if (rc != 0) {
        rc = err_uv(err, rc, "cannot watch the socket %s", path);
        control_server_close(srv, NULL, NULL);
        return rc;
    }
    *out = srv;
    return 0;
}

void server_check_closed(struct control_server *srv)
{
    if (!srv->closing || srv->handles > 0 || srv->session_count > 0)
        return;
    void (*cb)(void *arg) = srv->closed;
    void *arg = srv->closed_arg;
    mem_free(srv);
    if (cb)
        cb(arg);
}

void server_handle_closed(uv_handle_t *handle)
{
    struct control_server *srv = handle->data;
    srv->handles--;
    server_check_closed(srv);
}

void control_server_close(struct control_server *srv, void (*cb)(void *arg), void *arg)
{
    struct session *s;

    srv->closing = true;
    srv->closed = cb;
    srv->closed_arg = arg;
    list_each(s, &srv->sessions, struct session, node) session_bury(s);
    if (srv->handles == 3)
        uv_close((uv_handle_t *)&srv->listener, server_handle_closed);
    uv_close((uv_handle_t *)&srv->reaper, server_handle_closed);
    uv_close((uv_handle_t *)&srv->clock, server_handle_closed);
    control_bind_close(&srv->bind);
}

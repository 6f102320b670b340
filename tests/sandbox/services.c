/*
 * services: listens on a VM's ports and runs each connection: one read, then one write, so that memory stays
 * bounded.
 */
#include "services.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "world.h"

struct service_listener {
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } u;
    const struct service_kind *kind;
    uint16_t port;
};

static struct {
    struct services_setup setup;
    uv_loop_t loop;
    uv_thread_t thread;
} services;

static void on_conn_closed(uv_handle_t *h)
{
    struct service_conn *c = h->data;
    if (c->digest && c->kind == &service_digest)
        c->kind->open(c); /* gives the digest back */
    mem_free(c->buf);
    mem_free(c);
}

void service_abort(struct service_conn *c)
{
    if (c->closing)
        return;
    c->closing = 1;
    uv_close(&c->u.handle, on_conn_closed);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct service_conn *c = h->data;
    *buf = uv_buf_init(c->buf + c->kept, (unsigned)(SERVICE_BUF - c->kept));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct service_conn *c = s->data;
    if (n == 0)
        return;
    if (n == UV_EOF) {
        c->ended = 1;
        uv_read_stop(s);
        if (c->kind->end)
            c->kind->end(c);
        else
            service_finish(c);
    } else if (n < 0) {
        service_abort(c);
    } else {
        c->kind->data(c, buf->base, (size_t)n);
    }
}

static void on_shutdown(uv_shutdown_t *s, int status)
{
    struct service_conn *c = s->handle->data;
    if (c->ended || status < 0)
        service_abort(c);
    else
        uv_read_start(&c->u.stream, on_alloc, on_read);
}

void service_finish(struct service_conn *c)
{
    if (c->closing || c->ending)
        return;
    c->ending = 1;
    if (uv_shutdown(&c->shutdown, &c->u.stream, on_shutdown))
        service_abort(c);
}

static void on_written(uv_write_t *w, int status)
{
    struct service_conn *c = w->handle->data;
    c->writing = 0;
    if (c->closing)
        return;
    if (status < 0) {
        service_abort(c);
        return;
    }
    if (c->kind == &service_source && c->phase) {
        c->kind->data(c, NULL, 0);
        return;
    }
    if (!c->ended && !c->ending)
        uv_read_start(&c->u.stream, on_alloc, on_read);
}

void service_send(struct service_conn *c, const void *data, size_t n)
{
    uv_buf_t b = {.len = n};
    memcpy(&b.base, &data, sizeof b.base); /* uv_buf_t serves reading too, so its base is not const */
    uv_read_stop(&c->u.stream);
    c->writing = 1;
    if (uv_write(&c->write, &c->u.stream, &b, 1, on_written))
        service_abort(c);
}

static void on_connection(uv_stream_t *s, int status)
{
    struct service_listener *l = container_of(s, struct service_listener, u.stream);
    struct service_conn *c = status < 0 ? NULL : mem_zalloc(sizeof *c);
    if (!c)
        return;
    c->buf = mem_alloc(SERVICE_BUF);
    if (!c->buf) {
        mem_free(c);
        return;
    }
    c->kind = l->kind;
    c->port = l->port;
    c->vm_name = services.setup.vm_name;
    if (l->port)
        uv_tcp_init(&services.loop, &c->u.tcp);
    else
        uv_pipe_init(&services.loop, &c->u.pipe, 0);
    c->u.handle.data = c;
    if (uv_accept(s, &c->u.stream)) {
        service_abort(c);
        return;
    }
    if (l->port)
        uv_tcp_nodelay(&c->u.tcp, 1);
    if (c->kind->open)
        c->kind->open(c);
    if (!c->writing && !c->closing)
        uv_read_start(&c->u.stream, on_alloc, on_read);
}

static int listen_on(uint16_t port, const struct service_kind *kind, const char *address, struct err *err)
{
    struct service_listener *l = mem_zalloc(sizeof *l);
    if (!l)
        return err_set(err, ERR_NOMEM, "services: out of memory");
    l->kind = kind;
    l->port = port;
    struct sockaddr_storage at = {.ss_family = 0};
    if (strchr(address, ':'))
        uv_ip6_addr(address, port, (struct sockaddr_in6 *)&at);
    else
        uv_ip4_addr(address, port, (struct sockaddr_in *)&at);
    uv_tcp_init(&services.loop, &l->u.tcp);
    int rc = uv_tcp_bind(&l->u.tcp, (struct sockaddr *)&at, at.ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0);
    rc = rc ? rc : uv_listen(&l->u.stream, 1024, on_connection);
    if (rc == 0 || (rc == UV_EACCES && port < 1024) || (at.ss_family == AF_INET6 && rc != UV_EADDRINUSE))
        return 0;
    return err_uv(err, rc, "service %s on %s port %u", kind->name, address, port);
}

static int listen_tcp(uint16_t port, const struct service_kind *kind, struct err *err)
{
    if (services.setup.address)
        return listen_on(port, kind, services.setup.address, err);
    int rc = listen_on(port, kind, "0.0.0.0", err);
    return rc ? rc : listen_on(port, kind, "::", err);
}

static int listen_unix(const char *path, struct err *err)
{
    struct service_listener *l = mem_zalloc(sizeof *l);
    if (!l)
        return err_set(err, ERR_NOMEM, "services: out of memory");
    l->kind = &service_echo;
    unlink(path);
    uv_pipe_init(&services.loop, &l->u.pipe, 0);
    int rc = uv_pipe_bind(&l->u.pipe, path);
    rc = rc ? rc : uv_listen(&l->u.stream, 128, on_connection);
    return rc ? err_uv(err, rc, "service echo on %s", path) : 0;
}

static void on_thread(void *arg)
{
    (void)arg;
    uv_run(&services.loop, UV_RUN_DEFAULT);
}

int services_start(const struct services_setup *setup, struct err *err)
{
    services.setup = *setup;
    uv_loop_init(&services.loop);
    int rc = listen_tcp(7, &service_echo, err);
    rc = rc ? rc : listen_tcp(9, &service_discard, err);
    rc = rc ? rc : listen_tcp(19, &service_source, err);
    rc = rc ? rc : listen_tcp(29, &service_digest, err);
    if (!rc && (setup->kinds & SERVICE_HTTP))
        rc = listen_tcp(80, &service_http, err);
    if (!rc && (setup->kinds & SERVICE_RDP))
        rc = listen_tcp(3389, &service_rdp, err);
    if (!rc && (setup->kinds & SERVICE_POSTGRES))
        rc = listen_tcp(5432, &service_echo, err);
    for (uint16_t i = 0; !rc && i < SERVICES_NUMBERED_COUNT; i++)
        rc = listen_tcp((uint16_t)(SERVICES_NUMBERED_FIRST + i), &service_numbered, err);
    if (!rc && setup->unix_path)
        rc = listen_unix(setup->unix_path, err);
    if (!rc && uv_thread_create(&services.thread, on_thread, NULL))
        rc = err_set(err, ERR_SYSTEM, "services: no thread");
    return rc;
}

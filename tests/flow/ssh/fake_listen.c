/*
 * fake_listen: the fake server listens for its client, and opens channels for who comes.
 *
 * For the place FAKE_FORGER it first opens channels that come from somewhere else, and goes on only when all
 * of them were turned down.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "fake_server.h"

struct listen {
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } io;
    struct listen *next;
    struct session *session;
    bool tcp, forger;
    char name[256];
    uint16_t port;
    unsigned forged; /* that the client has not turned down yet */
};

static void announce(struct session *s, uint32_t id, const char *type, const char *name, uint16_t port,
                     bool tcp)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_bytes(&w, type, strlen(type) + 1);
    wire_put_cstr(&w, name);
    if (tcp) {
        wire_put_u32(&w, port);
        wire_put_cstr(&w, "192.0.2.7");
        wire_put_u32(&w, 4711);
    } else {
        wire_put_cstr(&w, "");
    }
    fake_reply(s, FAKE_INCOMING, id, w.data, w.len);
    wire_write_done(&w);
}

static struct chan *new_chan(struct listen *l)
{
    struct session *s = l->session;
    uint32_t k = 0;
    while (k < FAKE_INCOMING_MAX && s->theirs[k])
        k++;
    if (k == FAKE_INCOMING_MAX)
        abort();
    struct chan *c = calloc(1, sizeof *c);
    c->session = s;
    c->id = k | FAKE_THEIRS;
    c->window = FAKE_WINDOW;
    s->theirs[k] = c;
    return c;
}

static void forge(struct listen *l)
{
    static const struct {
        const char *type, *name;
        int port_off;
        bool tcp;
    } wrong[] = {{"forwarded-tcpip", "elsewhere", 0, true},
                 {"forwarded-tcpip", FAKE_FORGER, 1, true},
                 {"forwarded-streamlocal@openssh.com", FAKE_FORGER, 0, false},
                 {"direct-tcpip", FAKE_FORGER, 0, true},
                 {"x11", "", 0, true},
                 {"session", "", 0, false}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct chan *c = new_chan(l);
        c->listen = l;
        l->forged++;
        announce(l->session, c->id, wrong[i].type, wrong[i].name, (uint16_t)(l->port + wrong[i].port_off),
                 wrong[i].tcp);
    }
}

static void on_caller(uv_stream_t *h, int status)
{
    struct listen *l = h->data;
    if (l->forged > 0)
        return; /* nobody is let in */
    struct chan *c = new_chan(l);
    if (l->tcp)
        uv_tcp_init(h->loop, &c->io.tcp);
    else
        uv_pipe_init(h->loop, &c->io.pipe, 0);
    c->io.stream.data = c;
    c->live = true;
    if (uv_accept(h, &c->io.stream) < 0)
        abort();
    announce(l->session, c->id, l->tcp ? "forwarded-tcpip" : "forwarded-streamlocal@openssh.com", l->name,
             l->port, l->tcp);
}

void fake_decided(struct chan *c, bool accepted)
{
    struct listen *l = c->listen;
    if (l && accepted)
        abort();
    if (l && --l->forged == 0 && uv_listen(&l->io.stream, 128, on_caller) < 0)
        abort();
    if (accepted)
        fake_target_begin(c);
    else
        fake_target_drop(c);
}

static int bind_there(struct listen *l)
{
    struct sockaddr_in a;
    int len = sizeof a;
    if (!l->tcp)
        return uv_pipe_bind(&l->io.pipe, l->name);
    uv_ip4_addr("127.0.0.1", l->port, &a);
    int r = uv_tcp_bind(&l->io.tcp, (struct sockaddr *)&a, 0);
    uv_tcp_getsockname(&l->io.tcp, (struct sockaddr *)&a, &len);
    l->port = ntohs(a.sin_port);
    return r;
}

static void on_listen_closed(uv_handle_t *h)
{
    free(h->data);
}

static bool begin(struct session *s, const char *name, uint16_t port, bool tcp)
{
    struct listen *l = calloc(1, sizeof *l);
    uint8_t chosen[4];
    l->session = s;
    l->tcp = tcp;
    l->port = port;
    l->forger = strcmp(name, FAKE_FORGER) == 0;
    snprintf(l->name, sizeof l->name, "%s", name);
    if (tcp)
        uv_tcp_init(s->tcp.loop, &l->io.tcp);
    else
        uv_pipe_init(s->tcp.loop, &l->io.pipe, 0);
    l->io.stream.data = l;
    if (bind_there(l) < 0 || (!l->forger && uv_listen(&l->io.stream, 128, on_caller) < 0)) {
        uv_close((uv_handle_t *)&l->io, on_listen_closed);
        return false;
    }
    l->next = s->listens;
    s->listens = l;
    fake_put32(chosen, l->port);
    fake_reply(s, FAKE_ANSWER, 1, chosen, tcp && port == 0 ? sizeof chosen : 0);
    if (l->forger)
        forge(l);
    return true;
}

static bool end(struct session *s, const char *name, uint16_t port, bool tcp)
{
    for (struct listen **at = &s->listens; *at; at = &(*at)->next) {
        struct listen *l = *at;
        if (strcmp(l->name, name) != 0 || l->port != port || l->tcp != tcp)
            continue;
        *at = l->next;
        uv_close((uv_handle_t *)&l->io, on_listen_closed);
        fake_reply(s, FAKE_ANSWER, 1, NULL, 0);
        return true;
    }
    return false;
}

void fake_requested(struct session *s, const uint8_t *data, size_t n)
{
    const char *what = (const char *)data;
    size_t len = strnlen(what, n);
    struct wire_reader r;
    char name[256] = "";
    wire_read_init(&r, data + len + 1, n > len ? n - len - 1 : 0);
    struct wire_str text = wire_get_str(&r);
    bool tcp = strstr(what, "tcpip") != NULL, cancel = memcmp(what, "cancel-", 7) == 0;
    uint16_t port = tcp ? (uint16_t)wire_get_u32(&r) : 0;
    if (!wire_end(&r) || text.len >= sizeof name)
        abort();
    memcpy(name, text.data, text.len);
    if (!(cancel ? end : begin)(s, name, port, tcp))
        fake_reply(s, FAKE_ANSWER, 0, NULL, 0);
}

void fake_listens_over(struct session *s)
{
    struct listen *l, *next;
    for (l = s->listens; l; l = next) {
        next = l->next;
        uv_close((uv_handle_t *)&l->io, on_listen_closed);
    }
    s->listens = NULL;
    for (size_t i = 0; i < FAKE_INCOMING_MAX; i++) {
        if (s->theirs[i])
            fake_target_drop(s->theirs[i]);
    }
}

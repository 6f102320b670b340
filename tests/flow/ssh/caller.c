/*
 * caller: a client of a place where the server listens.
 */
#include "caller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "targets.h"

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void call(struct caller *c, const struct sockaddr *to, socklen_t len)
{
    c->fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(c->fd >= 0);
    assert_int_equal(connect(c->fd, to, len), 0);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

void caller_tcp(struct caller *c, uint16_t port)
{
    struct sockaddr_in a = loopback(port);
    call(c, (struct sockaddr *)&a, sizeof a);
}

void caller_unix(struct caller *c, const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strncpy(a.sun_path, path, sizeof a.sun_path - 1);
    call(c, (struct sockaddr *)&a, sizeof a);
}

static bool send_some(struct caller *c)
{
    uint8_t part[65536];
    size_t n = c->to_send - c->sent < sizeof part ? (size_t)(c->to_send - c->sent) : sizeof part;
    stream_fill(part, c->sent, n);
    ssize_t put = n ? send(c->fd, part, n, MSG_NOSIGNAL) : 0;
    c->sent += put > 0 ? (uint64_t)put : 0;
    c->reset = c->reset || (put < 0 && errno != EAGAIN);
    if (c->sent == c->to_send && c->end_when_sent && !c->ended) {
        c->ended = true;
        shutdown(c->fd, SHUT_WR);
    }
    return put > 0;
}

static bool receive_some(struct caller *c)
{
    uint8_t part[65536];
    ssize_t n = recv(c->fd, part, sizeof part, 0);
    c->eof = c->eof || n == 0;
    c->reset = c->reset || (n < 0 && errno != EAGAIN);
    if (n <= 0)
        return false;
    c->good += stream_check(part, c->got, (size_t)n);
    c->got += (uint64_t)n;
    return true;
}

bool caller_over(void *arg)
{
    struct caller *c = arg;
    bool more = true;
    for (int i = 0; i < 16 && more && !c->reset; i++) {
        more = send_some(c);
        more = (!c->eof && receive_some(c)) || more;
    }
    return (c->eof && c->sent == c->to_send) || c->reset;
}

void caller_close(struct caller *c)
{
    close(c->fd);
}

bool port_is_free(void *port)
{
    struct sockaddr_in a = loopback(*(uint16_t *)port);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool is_free = bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    close(fd);
    return is_free;
}

static int listen_at(const struct sockaddr *a, socklen_t len)
{
    int one = 1, fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (a->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, a, len) == 0 && listen(fd, 8) == 0)
        return fd;
    close(fd);
    return -1;
}

void port_take(struct port *p)
{
    struct sockaddr_in a = loopback(0);
    struct sockaddr_in6 b = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    socklen_t len = sizeof a;
    p->v4 = listen_at((struct sockaddr *)&a, len);
    assert_true(p->v4 >= 0);
    assert_int_equal(getsockname(p->v4, (struct sockaddr *)&a, &len), 0);
    b.sin6_port = a.sin_port;
    p->v6 = listen_at((struct sockaddr *)&b, sizeof b); /* not on every machine */
    p->port = ntohs(a.sin_port);
}

void port_release(struct port *p)
{
    close(p->v4);
    if (p->v6 >= 0)
        close(p->v6);
}

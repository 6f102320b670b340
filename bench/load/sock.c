/*
 * sock: connect, listen, whole reads and writes, all on one address.
 */
#include "sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static uint32_t address = INADDR_LOOPBACK; /* host byte order */

int sock_choose_address(const char *text, struct err *err)
{
    struct in_addr in;
    if (inet_pton(AF_INET, text, &in) != 1)
        return err_set(err, ERR_INVAL, "\"%s\" is no IPv4 address", text);
    uint32_t host = ntohl(in.s_addr);
    if (host >> 24 != 127 && host >> 17 != (198u << 24 | 18u << 16) >> 17)
        return err_set(err, ERR_INVAL, "%s is neither of 127.0.0.0/8 nor of 198.18.0.0/15", text);
    address = host;
    return 0;
}

static struct sockaddr_in here(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(address);
    return a;
}

int sock_listen(uint16_t *port, struct err *err)
{
    struct sockaddr_in a = here(*port);
    socklen_t len = sizeof a;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(err, errno, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
        int rc = err_sys(err, errno, "listening on port %u", *port);
        close(fd);
        return rc;
    }
    *port = ntohs(a.sin_port);
    return fd;
}

int sock_connect(uint16_t port, struct err *err)
{
    struct sockaddr_in a = here(port);
    struct timeval limit = {.tv_sec = SOCK_TIMEOUT_S};
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_sys(err, errno, "socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        int rc = err_sys(err, errno, "connecting to port %u", port);
        close(fd);
        return rc;
    }
    return fd;
}

int sock_send_all(int fd, const void *data, size_t n, struct err *err)
{
    const char *p = data;
    while (n) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0 && errno == EAGAIN)
            return err_set(err, ERR_TIMEOUT, "nothing was taken within %d s", SOCK_TIMEOUT_S);
        if (k < 0)
            return err_sys(err, errno, "sending");
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

int sock_receive_all(int fd, void *data, size_t n, struct err *err)
{
    char *p = data;
    while (n) {
        ssize_t k = recv(fd, p, n, 0);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0 && errno == EAGAIN)
            return err_set(err, ERR_TIMEOUT, "nothing came within %d s", SOCK_TIMEOUT_S);
        if (k < 0)
            return err_sys(err, errno, "receiving");
        if (k == 0)
            return err_set(err, ERR_CLOSED, "the other side closed the connection");
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

int sock_set_nonblocking(int fd, struct err *err)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return err_sys(err, errno, "fcntl");
    return 0;
}

int sock_open(uint16_t port, const struct hello *hello, struct err *err)
{
    int fd = sock_connect(port, err);
    if (fd < 0)
        return fd;
    int rc = sock_send_all(fd, hello, sizeof *hello, err);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

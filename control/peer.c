/*
 * peer: what a Unix socket can do beyond bytes: say who is at the other end, and carry a descriptor.
 */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored by both programs anyway */
#endif

int peer_socket(struct err *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return err_sys(err, errno, "cannot make a Unix socket");
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        int why = errno;
        close(fd);
        return err_sys(err, why, "cannot set up a Unix socket");
    }
    return fd;
}

int peer_address(struct sockaddr_un *out, const char *path, struct err *err)
{
    size_t n = strlen(path);
    if (n >= sizeof out->sun_path)
        return err_set(err, ERR_LIMIT,
                       "the socket path %s has %zu bytes, the system allows %zu: set XDG_RUNTIME_DIR to a "
                       "shorter directory",
                       path, n, sizeof out->sun_path - 1);
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    memcpy(out->sun_path, path, n + 1);
    return 0;
}

int peer_identity(int fd, uid_t *uid, pid_t *pid, struct err *err)
{
#ifdef SO_PEERCRED
    struct ucred cred;
    socklen_t n = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0)
        return err_sys(err, errno, "cannot tell who is at the other end");
    *uid = cred.uid;
    *pid = cred.pid;
#else
    gid_t gid;
    if (getpeereid(fd, uid, &gid) != 0)
        return err_sys(err, errno, "cannot tell who is at the other end");
    *pid = 0;
#endif
    return 0;
}

union cmsg_room { /* aligned for a cmsghdr */
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

ssize_t peer_send(int sock, const void *data, size_t n, int fd)
{
    struct iovec iov = {.iov_len = n};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    union cmsg_room room;

    memcpy(&iov.iov_base, &data, sizeof data); /* POSIX has no iovec for what is only read */
    if (fd >= 0) {
        memset(&room, 0, sizeof room);
        msg.msg_control = room.bytes;
        msg.msg_controllen = sizeof room.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    return sendmsg(sock, &msg, MSG_NOSIGNAL);
}

ssize_t peer_recv(int sock, void *data, size_t n, int *fd)
{
    struct iovec iov = {.iov_base = data, .iov_len = n};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    union cmsg_room room;

    if (!fd)
        return recvmsg(sock, &msg, 0); /* without room for ancillary data the kernel drops it */
    *fd = -1;
    memset(&room, 0, sizeof room);
    msg.msg_control = room.bytes;
    msg.msg_controllen = sizeof room.bytes;
    ssize_t got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *c = got > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(fd, CMSG_DATA(c), sizeof(int));
        fcntl(*fd, F_SETFD, FD_CLOEXEC);
    }
    return got;
}

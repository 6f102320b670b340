/*
 * listener_unix: binding a Unix socket that only its owner may use, over a stale one if need be.
 *
 * A connect to a socket that is bound but does not listen yet is refused, so the mode is set in time when it
 * is set before uv_listen(): no umask, which would be the whole process's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "listener.h"

/* Whether somebody listens behind it. Does not block: a full backlog is an answer too. */
static bool is_alive(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return true;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    int r = connect(fd, (const struct sockaddr *)a, sizeof *a);
    bool dead = r < 0 && errno == ECONNREFUSED;
    close(fd);
    return !dead;
}

/* A stale socket of ours is removed; anything else stays and is named. */
static int remove_stale(const struct sockaddr_un *a, struct err *err)
{
    struct stat st;
    if (lstat(a->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : err_sys(err, errno, "%s", a->sun_path);
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ERR_EXISTS, "%s exists and is no socket; remove it, or choose another path",
                       a->sun_path);
    if (st.st_uid != geteuid())
        return err_set(err, ERR_DENIED, "%s is a socket of another user", a->sun_path);
    if (is_alive(a))
        return err_set(err, ERR_EXISTS,
                       "%s is in use: somebody listens on it; stop it, or choose another path", a->sun_path);
    if (unlink(a->sun_path) < 0)
        return err_sys(err, errno, "cannot remove the stale socket %s", a->sun_path);
    return 0;
}

int listener_unix_bind(uv_pipe_t *pipe, const char *path, struct err *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path)
        return err_set(err, ERR_LIMIT, "%s: a socket's path has at most %zu bytes", path,
                       sizeof a.sun_path - 1);
    memcpy(a.sun_path, path, strlen(path) + 1);
    int r = uv_pipe_bind(pipe, path);
    if (r == UV_EADDRINUSE) {
        int stale = remove_stale(&a, err);
        if (stale < 0)
            return stale;
        r = uv_pipe_bind(pipe, path);
    }
    if (r < 0)
        return err_uv(err, r, "cannot listen on %s", path);
    if (chmod(path, 0600) < 0)
        return err_sys(err, errno, "cannot protect %s", path);
    return 0;
}

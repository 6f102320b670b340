/*
 * bind: the right to be this user's one daemon, and the listening socket that comes with it.
 *
 * The lock decides, the socket is only looked at: flock(2) goes with the process, however it ends. A socket
 * file that still answers without a lock (someone removed the lock file) is a living daemon all the same.
 * Everything else that is ours, is a socket, and refuses connections is left from a daemon that died, and is
 * replaced.
 */
#include "bind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "peer.h"

#define BACKLOG 512 /* a burst of ProxyCommands is normal */

static int living(struct err *err, const char *path, long pid)
{
    if (pid > 0)
        return err_set(err, ERR_EXISTS, "aditd is running already (pid %ld, socket %s): `adit stop` ends it",
                       pid, path);
    return err_set(err, ERR_EXISTS, "aditd is running already (socket %s): `adit stop` ends it", path);
}

static long read_pid(int fd)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? strtol(text, NULL, 10) : 0;
}

static int take_lock(struct control_bind *b, struct err *err)
{
    char *path = mem_printf("%s.lock", b->path);
    if (!path)
        return err_set(err, ERR_NOMEM, "out of memory");
    b->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc = 0;
    if (b->lock < 0) {
        rc = err_sys(err, errno, "cannot open the lock file %s", path);
    } else if (flock(b->lock, LOCK_EX | LOCK_NB) != 0) {
        rc = errno == EWOULDBLOCK ? living(err, b->path, read_pid(b->lock))
                                  : err_sys(err, errno, "cannot lock %s", path);
    } else {
        char pid[32];
        int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
        if (ftruncate(b->lock, 0) != 0 || pwrite(b->lock, pid, (size_t)n, 0) != n)
            rc = err_sys(err, errno, "cannot write %s", path);
    }
    mem_free(path);
    return rc;
}

/* Whether somebody accepts there. 0: nobody; ERR_EXISTS: a daemon, answering or not. */
static int probe(const char *path, const struct sockaddr_un *address, struct err *err)
{
    int fd = peer_socket(err);
    if (fd < 0)
        return fd;
    int rc = 0;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0) {
        uid_t uid;
        pid_t pid = 0;
        peer_identity(fd, &uid, &pid, NULL);
        rc = living(err, path, (long)pid);
    } else if (errno == EAGAIN) { /* its queue is full: it lives, and hangs */
        rc = living(err, path, 0);
    } else if (errno != ECONNREFUSED && errno != ENOENT) {
        rc = err_sys(err, errno, "cannot tell whether the socket %s is in use", path);
    }
    close(fd);
    return rc;
}

static int clear_stale(const char *path, const struct sockaddr_un *address, struct err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : err_sys(err, errno, "cannot look at %s", path);
    if (st.st_uid != geteuid())
        return err_set(err, ERR_DENIED,
                       "%s belongs to another user (uid %ld): set XDG_RUNTIME_DIR to a directory of yours",
                       path, (long)st.st_uid);
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ERR_EXISTS, "%s is in the way: it is no socket; move it away", path);
    int rc = probe(path, address, err);
    if (rc < 0)
        return rc;
    return unlink(path) == 0 || errno == ENOENT
               ? 0
               : err_sys(err, errno, "cannot remove the stale socket %s", path);
}

static int listen_at(struct control_bind *b, const struct sockaddr_un *address, struct err *err)
{
    struct stat st;
    b->fd = peer_socket(err);
    if (b->fd < 0)
        return b->fd;
    mode_t before = umask(0177); /* 0600 from the first moment, not after a chmod */
    int rc = bind(b->fd, (const struct sockaddr *)address, sizeof *address);
    int why = errno;
    umask(before);
    if (rc != 0)
        return err_sys(err, why, "cannot bind the socket %s", b->path);
    if (listen(b->fd, BACKLOG) != 0 || lstat(b->path, &st) != 0) {
        why = errno;
        unlink(b->path);
        return err_sys(err, why, "cannot listen at the socket %s", b->path);
    }
    b->dev = st.st_dev;
    b->ino = st.st_ino;
    return 0;
}

static int make_dir(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    char *dir = mem_strndup(path, (size_t)(slash - path));
    if (!dir)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = fs_mkdirs(dir, 0700, err);
    mem_free(dir);
    return rc;
}

int control_bind_open(struct control_bind *b, const char *path, struct err *err)
{
    struct sockaddr_un address;
    b->fd = b->lock = -1;
    b->ino = 0;
    b->path = mem_strdup(path);
    if (!b->path)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = peer_address(&address, path, err);
    if (rc == 0)
        rc = make_dir(path, err);
    if (rc == 0)
        rc = take_lock(b, err);
    if (rc == 0)
        rc = clear_stale(path, &address, err);
    if (rc == 0)
        rc = listen_at(b, &address, err);
    if (rc < 0)
        control_bind_close(b);
    return rc < 0 ? rc : 0;
}

void control_bind_close(struct control_bind *b)
{
    struct stat st;
    if (b->fd >= 0) {
        if (b->ino && lstat(b->path, &st) == 0 && st.st_dev == b->dev && st.st_ino == b->ino)
            unlink(b->path);
        close(b->fd);
    }
    if (b->lock >= 0)
        close(b->lock);
    mem_free(b->path);
    b->path = NULL;
    b->fd = b->lock = -1;
}

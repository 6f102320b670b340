/*
 * client: adit's end of the control socket: connecting, the two hellos, and bytes with a deadline.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "client_private.h"
#include "peer.h"

#define CONNECT_AGAIN_MS 10 /* between attempts while the daemon's queue is full */

uint64_t client_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t client_deadline(uint32_t timeout_ms)
{
    return timeout_ms ? client_now_ms() + timeout_ms : UINT64_MAX;
}

static int left_ms(uint64_t deadline)
{
    if (deadline == UINT64_MAX)
        return -1;
    uint64_t now = client_now_ms();
    uint64_t left = deadline > now ? deadline - now : 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

static int hangs(const struct control_client *c, struct err *err)
{
    if (c->hello.pid > 0 && !c->hello.version)
        return err_set(
            err, ERR_TIMEOUT,
            "aditd (pid %ld) hangs: it does not answer; `kill -9 %ld` ends it, and the next command "
            "starts another",
            c->hello.pid, c->hello.pid);
    if (c->hello.pid > 0)
        return err_set(err, ERR_TIMEOUT, "aditd (pid %ld) does not answer in time", c->hello.pid);
    return err_set(err, ERR_TIMEOUT, "aditd does not answer in time");
}

/* Waits until the socket is ready for `events`. */
static int wait_for(const struct control_client *c, short events, uint64_t deadline, bool interruptible,
                    struct err *err)
{
    struct pollfd p[2] = {{.fd = c->fd, .events = events}, {.fd = c->interrupt_fd, .events = POLLIN}};
    nfds_t n = interruptible && c->interrupt_fd >= 0 ? 2 : 1;

    for (;;) {
        int rc = poll(p, n, left_ms(deadline));
        if (rc < 0 && errno != EINTR)
            return err_sys(err, errno, "cannot wait for aditd");
        if (rc == 0)
            return hangs(c, err);
        if (rc > 0 && n == 2 && p[1].revents)
            return err_set(err, ERR_CANCELED, "interrupted");
        if (rc > 0)
            return 0;
    }
}

static int went_away(const struct control_client *c, struct err *err)
{
    if (c->hello.pid > 0)
        return err_set(err, ERR_CLOSED, "aditd (pid %ld) went away", c->hello.pid);
    return err_set(err, ERR_CLOSED, "aditd went away");
}

int client_send(struct control_client *c, const char *line, size_t len, uint64_t deadline, struct err *err)
{
    while (len > 0) {
        ssize_t n = peer_send(c->fd, line, len, -1);
        if (n > 0) {
            line += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            int rc = wait_for(c, POLLOUT, deadline, false, err);
            if (rc < 0)
                return rc;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return went_away(c, err);
        } else if (errno != EINTR) {
            return err_sys(err, errno, "cannot write to aditd");
        }
    }
    return 0;
}

static int receive(struct control_client *c, struct err *err)
{
    char *room;
    size_t size;
    int fd = -1;

    if (line_buf_room(&c->in, &room, &size) < 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    ssize_t n = peer_recv(c->fd, room, size, &fd);
    if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return went_away(c, err);
    if (n < 0)
        return err_sys(err, errno, "cannot read from aditd");
    line_buf_fill(&c->in, (size_t)n);
    if (fd >= 0 && c->fd_count == CLIENT_FDS_MAX) {
        close(fd);
        return err_set(err, ERR_PROTOCOL, "aditd sent descriptors that nobody asked for");
    }
    if (fd >= 0)
        c->fds[c->fd_count++] = fd;
    return 0;
}

int client_line(struct control_client *c, uint64_t deadline, bool interruptible, char **line, size_t *len,
                struct err *err)
{
    for (;;) {
        int rc = line_buf_next(&c->in, line, len, err);
        if (rc > 0)
            return 0;
        if (rc == 0)
            rc = wait_for(c, POLLIN, deadline, interruptible, err);
        if (rc == 0)
            rc = receive(c, err);
        if (rc < 0)
            return rc;
    }
}

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return fd >= 0 && poll(&p, 1, 0) > 0;
}

int client_line_now(struct control_client *c, char **line, size_t *len, struct err *err)
{
    for (;;) {
        int rc = line_buf_next(&c->in, line, len, err);
        if (rc != 0 || !readable(c->fd))
            return rc;
        rc = receive(c, err);
        if (rc < 0)
            return rc;
    }
}

bool client_interrupted(const struct control_client *c)
{
    return readable(c->interrupt_fd);
}

int client_claim_fd(struct control_client *c)
{
    if (c->fd_count == 0)
        return -1;
    int fd = c->fds[0];
    c->fd_count--;
    memmove(c->fds, c->fds + 1, c->fd_count * sizeof c->fds[0]);
    return fd;
}

static int connect_to(struct control_client *c, const char *path, uint64_t deadline, struct err *err)
{
    struct sockaddr_un address;
    int rc = peer_address(&address, path, err);
    if (rc < 0)
        return rc;
    c->fd = peer_socket(err);
    if (c->fd < 0)
        return c->fd;
    while (connect(c->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
            return err_set(err, ERR_NOTFOUND, "aditd is not running (socket %s)", path);
        if (errno == EACCES || errno == EPERM)
            return err_set(err, ERR_DENIED,
                           "the socket %s is another user's: set XDG_RUNTIME_DIR to a directory of yours",
                           path);
        if (errno != EAGAIN && errno != EINTR)
            return err_sys(err, errno, "cannot connect to aditd at %s", path);
        if (left_ms(deadline) == 0)
            return hangs(c, err);
        poll(NULL, 0, CONNECT_AGAIN_MS);
    }
    return 0;
}

static int check_peer(struct control_client *c, const char *path, struct err *err)
{
    uid_t uid = (uid_t)-1;
    pid_t pid = 0;
    int rc = peer_identity(c->fd, &uid, &pid, err);
    if (rc == 0 && uid != geteuid())
        rc = err_set(
            err, ERR_DENIED,
            "the daemon at %s is another user's (uid %ld): set XDG_RUNTIME_DIR to a directory of yours", path,
            (long)uid);
    c->hello.pid = pid; /* until it says so itself */
    return rc;
}

static int exchange_hellos(struct control_client *c, uint64_t deadline, bool any_version, struct err *err)
{
    size_t len = 0;
    char *line = codec_hello_line(0, NULL, &len);
    if (!line)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = client_send(c, line, len, deadline, err);
    mem_free(line);
    /* A daemon that refuses us may have closed already: its hello says why, and is still there to be read. */
    if (rc == 0 || rc == ERR_CLOSED)
        rc = client_line(c, deadline, false, &line, &len, err);
    if (rc == 0)
        rc = codec_parse_hello(&c->hello, line, len, err);
    if (rc < 0)
        return rc;
    if (c->hello.err.code)
        return err_copy(err, &c->hello.err, ERR_UNAVAILABLE);
    if (!any_version && c->hello.version != CONTROL_VERSION)
        return err_set(err, ERR_VERSION,
                       "aditd %s (pid %ld) speaks protocol %lld, this adit %s protocol %d: `adit stop` ends "
                       "it, and the next "
                       "command starts the right one",
                       c->hello.program, c->hello.pid, (long long)c->hello.version, ADIT_VERSION,
                       CONTROL_VERSION);
    return 0;
}

static int open_client(struct control_client **out, const char *path, uint32_t timeout_ms, bool any_version,
                       struct err *err)
{
    uint64_t deadline = client_deadline(timeout_ms);
    struct control_client *c = mem_zalloc(sizeof *c);
    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    c->fd = c->interrupt_fd = -1;
    c->next_id = 1;
    line_buf_init(&c->in, CONTROL_LINE_MAX);
    int rc = connect_to(c, path, deadline, err);
    if (rc == 0)
        rc = check_peer(c, path, err);
    if (rc == 0)
        rc = exchange_hellos(c, deadline, any_version, err);
    if (rc == ERR_PROTOCOL)
        err_hint(err, ": move %s away, and the next command starts aditd", path);
    if (rc < 0)
        control_client_close(c);
    else
        *out = c;
    return rc;
}

int control_client_open(struct control_client **out, const char *path, uint32_t timeout_ms, struct err *err)
{
    return open_client(out, path, timeout_ms, false, err);
}

int control_client_open_any(struct control_client **out, const char *path, uint32_t timeout_ms,
                            struct err *err)
{
    return open_client(out, path, timeout_ms, true, err);
}

void control_client_close(struct control_client *c)
{
    if (!c)
        return;
    for (int fd; (fd = client_claim_fd(c)) >= 0;)
        close(fd);
    if (c->fd >= 0)
        close(c->fd);
    line_buf_done(&c->in);
    mem_free(c);
}

void control_client_interrupt_fd(struct control_client *c, int fd)
{
    c->interrupt_fd = fd;
}

long control_client_pid(const struct control_client *c)
{
    return c->hello.pid;
}

const char *control_client_version(const struct control_client *c)
{
    return c->hello.program;
}

int control_client_fd(const struct control_client *c)
{
    return c->fd;
}

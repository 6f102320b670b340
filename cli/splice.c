/*
 * splice: carries bytes between two descriptors and a socket, with exact half-close in both directions.
 *
 * Each direction is a buffer with a source and a sink: read when it is empty, written until it is. A sink is
 * ended when its source has ended and the buffer is empty; that is all there is to half-close.
 */
#include "splice.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define BUFFER 131072

struct way {
    int from, to;
    char *data;
    size_t start, end; /* what is between them is to be written */
    bool eof;          /* the source has ended */
    bool done;         /* the sink has been ended */
};

struct splice {
    struct way up;   /* in → sock */
    struct way down; /* sock → out */
    bool reader_gone;
};

static bool would_block(int why)
{
    return why == EAGAIN || why == EWOULDBLOCK || why == EINTR;
}

static int fill(struct way *w, struct err *err)
{
    ssize_t n = read(w->from, w->data, BUFFER);
    w->start = 0;
    w->end = n > 0 ? (size_t)n : 0;
    w->eof = n == 0;
    if (n >= 0 || would_block(errno))
        return 0;
    w->eof = true;
    return errno == EIO ? 0 : err_sys(err, errno, "connection lost"); /* EIO: the terminal it was is gone */
}

/* Returns whether the sink is still there. */
static bool drain(struct way *w)
{
    ssize_t n = write(w->to, w->data + w->start, w->end - w->start);
    if (n >= 0)
        w->start += (size_t)n;
    return n >= 0 || would_block(errno);
}

static void end_up(struct splice *s)
{
    shutdown(s->up.to, SHUT_WR);
    s->up.done = true;
}

static void end_down(struct splice *s)
{
    close(s->down.to);
    s->down.to = -1;
    s->down.done = true;
}

static short wants_read(const struct way *w)
{
    return !w->eof && w->start == w->end ? POLLIN : 0;
}

static short wants_write(const struct way *w)
{
    return !w->done && w->start < w->end ? POLLOUT : 0;
}

static int turn(struct splice *s, const struct pollfd *p, struct err *err)
{
    short sock = p[1].revents;
    int rc = 0;

    if (p[0].revents && wants_read(&s->up))
        rc = fill(&s->up, err);
    if (rc == 0 && sock && wants_read(&s->down))
        rc = fill(&s->down, err);
    if (sock && wants_write(&s->up) &&
        !drain(&s->up)) { /* the far end takes no more; what it still sends matters */
        s->up.start = s->up.end;
        s->up.eof = true;
    }
    if (p[2].revents && wants_write(&s->down) && !drain(&s->down))
        s->reader_gone = true;
    if ((p[2].revents & (POLLERR | POLLNVAL)) && !s->down.done)
        s->reader_gone = true;
    if (s->up.eof && s->up.start == s->up.end && !s->up.done)
        end_up(s);
    if (s->down.eof && s->down.start == s->down.end && !s->down.done)
        end_down(s);
    return rc;
}

static int carry(struct splice *s, struct err *err)
{
    int rc = 0;
    while (rc == 0 && !s->reader_gone && !(s->up.done && s->down.done)) {
        struct pollfd p[3] = {
            {.fd = wants_read(&s->up) ? s->up.from : -1, .events = POLLIN},
            {.fd = s->up.to, .events = (short)(wants_read(&s->down) | wants_write(&s->up))},
            {.fd = s->down.done ? -1 : s->down.to, .events = wants_write(&s->down)},
        };
        if (p[1].events == 0) /* a hang-up there would be reported for ever */
            p[1].fd = -1;
        if (poll(p, 3, -1) > 0)
            rc = turn(s, p, err);
        else if (errno != EINTR)
            rc = err_sys(err, errno, "cannot wait for data");
    }
    return rc;
}

int splice_run(int in, int out, int sock, struct err *err)
{
    const int fds[3] = {in, out, sock};
    int flags[3];
    struct splice s = {.up = {.from = in, .to = sock}, .down = {.from = sock, .to = out}};

    s.up.data = mem_alloc(BUFFER);
    s.down.data = mem_alloc(BUFFER);
    int rc = s.up.data && s.down.data ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    for (int i = 0; i < 3; i++) {
        flags[i] = fcntl(fds[i], F_GETFL);
        if (flags[i] >= 0)
            fcntl(fds[i], F_SETFL, flags[i] | O_NONBLOCK);
    }
    if (rc == 0)
        rc = carry(&s, err);
    for (int i = 0; i < 2; i++)
        if (flags[i] >= 0)
            fcntl(fds[i], F_SETFL, flags[i]);
    mem_free(s.up.data);
    mem_free(s.down.data);
    return rc;
}

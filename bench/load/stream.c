/*
 * stream: sending and checking one bulk connection.
 */
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "measure.h"
#include "pattern.h"

uint64_t stream_other_seed(uint64_t seed)
{
    return pattern_seed(~seed, 7);
}

int stream_init(struct stream *s, int fd, const struct hello *hello, bool server, struct err *err)
{
    bool down = hello->kind == HELLO_DOWN || hello->kind == HELLO_BOTH;
    bool up = hello->kind == HELLO_UP || hello->kind == HELLO_BOTH;
    uint64_t now = measure_now();

    memset(s, 0, sizeof *s);
    if (hello->magic != HELLO_MAGIC || (!down && !up) || hello->to_ns < hello->from_ns ||
        (hello->to_ns > now && hello->to_ns - now > STREAM_SECONDS_MAX * NS_PER_S))
        return err_set(err, ERR_PROTOCOL, "a hello that makes no sense");
    s->fd = fd;
    s->server = server;
    s->hello = *hello;
    s->tx_seed = server ? hello->seed : stream_other_seed(hello->seed);
    s->rx_seed = server ? stream_other_seed(hello->seed) : hello->seed;
    s->tx_pattern = server ? down : up;
    s->rx_pattern = server ? up : down;
    s->tx_done = !server && !up;
    s->rx_done = server && !up;
    return 0;
}

bool stream_done(const struct stream *s)
{
    return s->tx_done && s->rx_done;
}

static bool pattern_over(const struct stream *s)
{
    return !s->tx_pattern || s->out.magic || measure_now() >= s->hello.to_ns;
}

bool stream_wants_send(const struct stream *s)
{
    if (s->tx_done)
        return false;
    return !pattern_over(s) || !s->server || s->rx_done;
}

static int lost(struct err *err, int errnum, const char *what)
{
    if (errnum == EAGAIN || errnum == EINTR)
        return 0;
    return err_sys(err, errnum, "%s", what);
}

int stream_send(struct stream *s, struct stream_scratch *scratch, struct err *err)
{
    while (stream_wants_send(s)) {
        if (!pattern_over(s)) {
            pattern_fill(scratch->out, STREAM_BATCH, s->tx_seed, s->sent);
            ssize_t n = send(s->fd, scratch->out, STREAM_BATCH, MSG_NOSIGNAL);
            if (n < 0)
                return lost(err, errno, "sending");
            s->sent += (uint64_t)n;
            return 0; /* one batch a turn, so that sending never starves receiving */
        }
        if (!s->out.magic)
            s->out = (struct trailer){TRAILER_MAGIC, s->sent, s->window, s->received};
        ssize_t n = send(s->fd, (uint8_t *)&s->out + s->out_done, sizeof s->out - s->out_done, MSG_NOSIGNAL);
        if (n < 0)
            return lost(err, errno, "sending");
        s->out_done += (size_t)n;
        s->tx_done = s->out_done == sizeof s->out;
    }
    return 0;
}

/* Checks n bytes that are known not to be the trailer. */
static int check(struct stream *s, const uint8_t *in, size_t n, uint64_t now, struct err *err)
{
    size_t good = s->rx_pattern ? pattern_check(in, n, s->rx_seed, s->received) : 0;
    if (good < n)
        return err_set(err, ERR_PROTOCOL, "wrong byte at offset %llu of a stream",
                       (unsigned long long)(s->received + good));
    s->received += n;
    if (now >= s->hello.from_ns && now < s->hello.to_ns)
        s->window += n;
    return 0;
}

int stream_receive(struct stream *s, struct stream_scratch *scratch, struct err *err)
{
    memcpy(scratch->in, s->held, s->held_len);
    ssize_t n = recv(s->fd, scratch->in + s->held_len, STREAM_CHUNK, 0);
    if (n < 0)
        return lost(err, errno, "receiving");
    if (n == 0)
        return err_set(err, ERR_CLOSED, "the stream ended after %llu bytes without its trailer",
                       (unsigned long long)s->received);
    if (s->rx_done)
        return err_set(err, ERR_PROTOCOL, "bytes behind a stream's trailer");

    size_t len = s->held_len + (size_t)n;
    size_t keep = len < sizeof s->held ? len : sizeof s->held;
    if (len > keep) {
        int rc = check(s, scratch->in, len - keep, measure_now(), err);
        if (rc < 0)
            return rc;
    }
    memcpy(s->held, scratch->in + len - keep, keep);
    s->held_len = keep;
    memcpy(&s->in, s->held, sizeof s->in);
    if (keep < sizeof s->in || s->in.magic != TRAILER_MAGIC || s->in.sent != s->received)
        return 0;
    s->rx_done = true;
    return 0;
}

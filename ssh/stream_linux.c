/*
 * stream_linux: the socket options that only Linux has; elsewhere the stream does without.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "stream.h"

#define UNSENT_MAX (128 << 10)

void ssh_stream_tune(int fd, uint32_t dead_ms)
{
#ifdef TCP_USER_TIMEOUT
    if (dead_ms > 0) {
        unsigned ms = dead_ms;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    }
#endif
#ifdef TCP_NOTSENT_LOWAT
    int unsent = UNSENT_MAX;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
#endif
    (void)fd;
    (void)dead_ms;
}

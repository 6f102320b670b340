/*
 * idle: many flows that carry nothing, proven open before and after, and the memory that they cost.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "load.h"
#include "sock.h"

#define AT_A_TIME 100 /* opens in flight; fits the listen backlog of every forwarder */

static int say(int fd, uint8_t byte, struct err *err)
{
    return sock_send_all(fd, &byte, 1, err);
}

static int hear(int fd, uint8_t byte, struct err *err)
{
    uint8_t back = 0;
    int rc = sock_receive_all(fd, &back, 1, err);
    if (rc == 0 && back != byte)
        rc = err_set(err, ERR_PROTOCOL, "a byte came back changed");
    return rc;
}

/* Opens up to n flows; returns how many of them echo. What stops it short is left in err. */
static uint32_t open_flows(int *fds, uint32_t n, uint16_t port, struct err *err)
{
    struct hello hello = {.magic = HELLO_MAGIC, .kind = HELLO_ECHO};
    uint32_t open = 0;
    while (open < n && !err->code) {
        uint32_t started = open, heard = open;
        for (; started < n && started < open + AT_A_TIME; started++) {
            int fd = sock_open(port, &hello, err);
            if (fd < 0)
                break;
            fds[started] = fd;
            if (say(fd, 1, err) < 0) {
                close(fd);
                break;
            }
        }
        while (heard < started && hear(fds[heard], 1, err) == 0)
            heard++;
        for (uint32_t i = heard; i < started; i++)
            close(fds[i]);
        open = heard;
    }
    return open;
}

/* Many at a time here too: a server that looks at every connection for each message would take minutes else.
 */
static uint32_t still_echo(const int *fds, uint32_t n, struct err *err)
{
    uint32_t alive = 0;
    for (uint32_t from = 0; from < n; from += AT_A_TIME) {
        uint32_t to = n - from < AT_A_TIME ? n : from + AT_A_TIME;
        for (uint32_t i = from; i < to; i++)
            say(fds[i], 2, err); /* a flow that is gone shows when it is heard */
        for (uint32_t i = from; i < to; i++)
            alive += hear(fds[i], 2, err) == 0;
    }
    return alive;
}

int load_idle(const struct load_options *o, struct err *err)
{
    struct usage before, held;
    struct err short_of = {0}, dead = {0};
    struct timespec hold = {o->hold_ms / 1000, (long)(o->hold_ms % 1000 * NS_PER_MS)};
    int *fds = mem_calloc(o->flows, sizeof *fds);
    if (!fds)
        return err_set(err, ERR_NOMEM, "out of memory");

    int rc = measure_usage(o->pids, o->pid_count, &before, err);
    if (rc == 0) {
        uint32_t open = open_flows(fds, o->flows, o->port, &short_of);
        nanosleep(&hold, NULL);
        rc = measure_usage(o->pids, o->pid_count, &held, err);
        uint32_t alive = still_echo(fds, open, &dead);
        if (rc == 0)
            printf("{\"mode\":\"idle\",\"asked\":%u,\"flows\":%u,\"alive\":%u,\"rss_before_kib\":%" PRIu64
                   ",\"rss_kib\":%" PRIu64 ",\"short_of\":\"%s\"}\n",
                   o->flows, open, alive, before.rss_kib, held.rss_kib, short_of.msg);
        for (uint32_t i = 0; i < open; i++)
            close(fds[i]);
    }
    mem_free(fds);
    return rc;
}

/*
 * throughput: N streams at once, counted while they run at full speed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bulk.h"
#include "load.h"
#include "pattern.h"
#include "sock.h"

/* Streams connect one after the other before the window opens; on a long link that takes a round trip each.
 */
#define CONNECT_NS_EACH (1 * NS_PER_MS)

static int open_all(struct bulk *b, const struct load_options *o, uint64_t from, uint64_t to, struct err *err)
{
    uint64_t base = measure_now();
    for (uint32_t i = 0; i < o->streams; i++) {
        struct hello hello = {HELLO_MAGIC, o->kind, pattern_seed(base, i), from, to};
        int fd = sock_open(o->port, &hello, err);
        if (fd < 0)
            return fd;
        int rc = sock_set_nonblocking(fd, err);
        if (rc == 0)
            rc = bulk_add(b, fd, &hello, err);
        if (rc < 0) {
            close(fd);
            return rc;
        }
    }
    return 0;
}

/* Turns the streams, and reads what the processes have used when the clock passes `at`. */
static int turn_until(struct bulk *b, const struct load_options *o, uint64_t at, struct usage *usage,
                      struct err *err)
{
    while (measure_now() < at) {
        int rc = bulk_turn(b, 1, err);
        if (rc < 0)
            return rc;
    }
    return measure_usage(o->pids, o->pid_count, usage, err);
}

static void print(const struct load_options *o, const struct bulk_total *t, const struct usage *before,
                  const struct usage *after)
{
    static const char *const NAMES[] = {"", "", "down", "up", "both"};
    double seconds = o->time_ms / 1e3;
    double bytes = (double)(t->down + t->up);
    double cpu = (double)(after->cpu_ns - before->cpu_ns) / 1e9;

    printf("{\"mode\":\"throughput\",\"direction\":\"%s\",\"streams\":%u,\"seconds\":%.3f,"
           "\"mb_per_s\":%.3f,\"down_mb_per_s\":%.3f,\"up_mb_per_s\":%.3f,"
           "\"verified_bytes\":%" PRIu64 ",\"cpu_s\":%.6f,\"cpu_s_per_gb\":%.4f,\"rss_kib\":%" PRIu64 "}\n",
           NAMES[o->kind], o->streams, seconds, bytes / seconds / 1e6, (double)t->down / seconds / 1e6,
           (double)t->up / seconds / 1e6, t->verified_down + t->verified_up, cpu,
           bytes > 0 ? cpu / (bytes / 1e9) : 0.0, after->rss_kib);
}

int load_throughput(const struct load_options *o, struct err *err)
{
    struct bulk *b = NULL;
    struct usage before, after;
    uint64_t from = measure_now() + o->warmup_ms * NS_PER_MS + o->streams * CONNECT_NS_EACH;
    uint64_t to = from + o->time_ms * NS_PER_MS;

    int rc = bulk_new(&b, false, err);
    if (rc == 0)
        rc = open_all(b, o, from, to, err);
    if (rc == 0)
        rc = turn_until(b, o, from, &before, err);
    if (rc == 0)
        rc = turn_until(b, o, to, &after, err);
    while (rc == 0) {
        int left = bulk_turn(b, 50, err);
        rc = left < 0 ? left : 0;
        if (left == 0)
            break;
    }
    if (rc == 0)
        print(o, bulk_total(b), &before, &after);
    bulk_free(b);
    return rc;
}

/*
 * ping: round trips of small messages, alone or beside a bulk stream in a thread of its own.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bulk.h"
#include "load.h"
#include "pattern.h"
#include "sock.h"

#define FIRST_PINGS 3 /* not counted even without a warm-up: caches, TCP's quick acknowledgements */

/* The bulk stream beside the pings. */
struct beside {
    pthread_t thread;
    bool running; /* the thread */
    int stopped_fd;
    struct bulk *bulk;
    int rc;
    struct err err;
};

static void *carry(void *arg)
{
    struct beside *s = arg;
    int left;
    while ((left = bulk_turn(s->bulk, 50, &s->err)) > 0)
        ;
    s->rc = left;
    return NULL;
}

static int beside_start(struct beside *s, const struct load_options *o, uint64_t from, uint64_t to,
                        struct err *err)
{
    struct hello hello = {HELLO_MAGIC, o->beside == LOAD_BESIDE_UP ? HELLO_UP : HELLO_DOWN,
                          pattern_seed(measure_now(), 0), from, to};
    s->stopped_fd = -1;
    if (o->beside == LOAD_ALONE)
        return 0;
    int fd = sock_open(o->beside_port, &hello, err);
    if (fd < 0)
        return fd;
    if (o->beside == LOAD_BESIDE_STOPPED) {
        s->stopped_fd = fd; /* never read: everything between here and the sender fills up */
        return 0;
    }
    int rc = sock_set_nonblocking(fd, err);
    if (rc == 0)
        rc = bulk_new(&s->bulk, false, err);
    if (rc == 0)
        rc = bulk_add(s->bulk, fd, &hello, err);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    if (pthread_create(&s->thread, NULL, carry, s) != 0)
        return err_set(err, ERR_SYSTEM, "no thread to be had");
    s->running = true;
    return 0;
}

static int beside_end(struct beside *s, struct err *err)
{
    if (s->stopped_fd >= 0)
        close(s->stopped_fd);
    if (!s->running)
        return 0;
    pthread_join(s->thread, NULL);
    return s->rc < 0 ? err_copy(err, &s->err, s->rc) : 0;
}

static int ping(int fd, uint8_t *out, uint8_t *in, uint32_t size, uint64_t seed, uint64_t i, struct err *err)
{
    pattern_fill(out, size, seed, i * size);
    int rc = sock_send_all(fd, out, size, err);
    if (rc == 0)
        rc = sock_receive_all(fd, in, size, err);
    if (rc == 0 && memcmp(out, in, size) != 0)
        rc = err_set(err, ERR_PROTOCOL, "ping %" PRIu64 " came back changed", i);
    return rc;
}

/* Pings from the warm-up's start to `to`; keeps those that began in the window. */
static int ping_on(int fd, const struct load_options *o, uint64_t from, uint64_t to, struct samples *samples,
                   struct err *err)
{
    uint8_t out[65536], in[65536];
    uint64_t seed = pattern_seed(from, 1);

    for (uint64_t i = 0;; i++) {
        uint64_t began = measure_now();
        if (began >= to)
            return 0;
        int rc = ping(fd, out, in, o->size, seed, i, err);
        if (rc < 0)
            return rc;
        if (began >= from && i >= FIRST_PINGS && samples_add(samples, measure_now() - began) < 0)
            return err_set(err, ERR_LIMIT, "too many pings to keep: ask for less time");
    }
}

static void print(const struct load_options *o, struct samples *s, const struct bulk_total *bulk,
                  const struct usage *before, const struct usage *after)
{
    static const char *const NAMES[] = {"nothing", "down", "up", "stopped"};
    double seconds = o->time_ms / 1e3;
    samples_sort(s);
    printf("{\"mode\":\"ping\",\"size\":%u,\"beside\":\"%s\",\"count\":%zu,\"p50_us\":%.2f,\"p99_us\":%.2f,"
           "\"p999_us\":%.2f,\"max_us\":%.2f,\"beside_mb_per_s\":%.3f,\"cpu_s\":%.6f,\"rss_kib\":%" PRIu64
           "}\n",
           o->size, NAMES[o->beside], s->count, samples_us(s, 0.5), samples_us(s, 0.99), samples_us(s, 0.999),
           samples_us(s, 1), bulk ? (double)(bulk->down + bulk->up) / seconds / 1e6 : 0.0,
           (double)(after->cpu_ns - before->cpu_ns) / 1e9, after->rss_kib);
}

int load_ping(const struct load_options *o, struct err *err)
{
    struct hello hello = {.magic = HELLO_MAGIC, .kind = HELLO_ECHO};
    struct beside beside = {.stopped_fd = -1};
    struct samples samples = {0};
    struct usage before = {0}, after = {0};

    int fd = sock_open(o->port, &hello, err);
    if (fd < 0)
        return fd;
    uint64_t from = measure_now() + o->warmup_ms * NS_PER_MS;
    uint64_t to = from + o->time_ms * NS_PER_MS;
    int rc = measure_usage(o->pids, o->pid_count, &before, err);
    if (rc == 0)
        rc = beside_start(&beside, o, from, to, err);
    if (rc == 0)
        rc = ping_on(fd, o, from, to, &samples, err);
    if (rc == 0)
        rc = measure_usage(o->pids, o->pid_count, &after, err);
    close(fd);
    int ended = beside_end(&beside, rc < 0 ? NULL : err);
    rc = rc < 0 ? rc : ended;
    if (rc == 0)
        print(o, &samples, beside.bulk ? bulk_total(beside.bulk) : NULL, &before, &after);
    bulk_free(beside.bulk);
    samples_done(&samples);
    return rc;
}

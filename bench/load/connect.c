/*
 * connect: new connections, each from connect() to its first echoed byte, one after the other or several at a
 * time.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "sock.h"

#define PARALLEL_MAX 256

/* What the threads of one run share. */
struct run {
    const struct load_options *o;
    atomic_uint left;
    atomic_bool failed;
    uint64_t until;
};

struct worker {
    pthread_t thread;
    struct run *run;
    struct samples samples;
    int rc;
    struct err err;
};

static int connect_once(uint16_t port, uint64_t *ns, struct err *err)
{
    struct {
        struct hello hello;
        uint8_t byte;
    } __attribute__((packed)) first = {{.magic = HELLO_MAGIC, .kind = HELLO_ECHO}, 0xa5};
    uint8_t back;

    uint64_t began = measure_now();
    int fd = sock_connect(port, err);
    if (fd < 0)
        return fd;
    int rc = sock_send_all(fd, &first, sizeof first, err);
    if (rc == 0)
        rc = sock_receive_all(fd, &back, 1, err);
    *ns = measure_now() - began;
    if (rc == 0 && back != first.byte)
        rc = err_set(err, ERR_PROTOCOL, "the first byte came back changed");
    close(fd);
    return rc;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct run *run = w->run;
    while (w->rc == 0 && !atomic_load(&run->failed) && measure_now() < run->until) {
        uint64_t ns;
        if (atomic_fetch_sub(&run->left, 1) - 1 >= run->o->count)
            break; /* the counter has passed zero */
        w->rc = connect_once(run->o->port, &ns, &w->err);
        if (w->rc == 0 && samples_add(&w->samples, ns) < 0)
            w->rc = err_set(&w->err, ERR_NOMEM, "out of memory");
    }
    if (w->rc < 0)
        atomic_store(&run->failed, true);
    return NULL;
}

static int gather(struct worker *workers, uint32_t count, struct samples *all, struct err *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct worker *w = &workers[i];
        pthread_join(w->thread, NULL);
        if (w->rc < 0 && rc == 0)
            rc = err_copy(err, &w->err, w->rc);
        for (size_t k = 0; k < w->samples.count; k++)
            if (samples_add(all, w->samples.ns[k]) < 0 && rc == 0)
                rc = err_set(err, ERR_NOMEM, "out of memory");
        samples_done(&w->samples);
    }
    return rc;
}

int load_connect(const struct load_options *o, struct err *err)
{
    struct worker workers[PARALLEL_MAX] = {0};
    struct run run = {.o = o, .until = measure_now() + o->time_ms * NS_PER_MS};
    struct samples all = {0};
    struct usage before, after;
    uint64_t warm;

    int rc = connect_once(o->port, &warm, err); /* not counted: the forwarder may have to wake up */
    if (rc == 0)
        rc = measure_usage(o->pids, o->pid_count, &before, err);
    if (rc < 0)
        return rc;
    atomic_init(&run.left, o->count);
    uint64_t began = measure_now();
    uint32_t started = 0;
    for (; started < o->parallel; started++) {
        workers[started].run = &run;
        if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0)
            break;
    }
    rc = gather(workers, started, &all, err);
    double seconds = (double)(measure_now() - began) / 1e9;
    if (rc == 0 && started < o->parallel)
        rc = err_set(err, ERR_SYSTEM, "no thread to be had");
    if (rc == 0)
        rc = measure_usage(o->pids, o->pid_count, &after, err);
    if (rc == 0) {
        samples_sort(&all);
        printf("{\"mode\":\"connect\",\"count\":%zu,\"parallel\":%u,\"p50_us\":%.2f,\"p99_us\":%.2f,"
               "\"max_us\":%.2f,\"per_s\":%.2f,\"cpu_s\":%.6f}\n",
               all.count, o->parallel, samples_us(&all, 0.5), samples_us(&all, 0.99), samples_us(&all, 1),
               (double)all.count / seconds, (double)(after.cpu_ns - before.cpu_ns) / 1e9);
    }
    samples_done(&all);
    return rc;
}

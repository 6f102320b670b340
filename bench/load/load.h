/*
 * load: the load generator's modes: one run each, one line of JSON each.
 *
 * Every mode prints its result on stdout as one JSON object and returns 0, or returns negative with the
 * reason in err.
 */
#ifndef ADIT_BENCH_LOAD_H
#define ADIT_BENCH_LOAD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "measure.h"

enum load_beside { LOAD_ALONE, LOAD_BESIDE_DOWN, LOAD_BESIDE_UP, LOAD_BESIDE_STOPPED };

struct load_options {
    uint16_t port;      /* where to connect; `serve`: where to listen */
    uint64_t kind;      /* enum hello_kind of a throughput run */
    uint32_t streams;   /* throughput 1..1024 */
    uint32_t warmup_ms; /* before the window */
    uint32_t time_ms;   /* the window's length */
    uint32_t size;      /* bytes of a ping */
    uint32_t count;     /* connections of `connect` */
    uint32_t parallel;  /* at a time */
    uint32_t flows;     /* of `idle` */
    uint32_t hold_ms;   /* how long they are held before memory is read */
    enum load_beside beside;
    uint16_t beside_port; /* where the bulk stream goes */
    pid_t pids[USAGE_PIDS_MAX];
    size_t pid_count;
};

/* Listens until SIGTERM or SIGINT; prints {"port":N} when it does. */
int load_serve(const struct load_options *o, struct err *err);

/* MB/s of bytes that arrived and were right, and what the given processes used meanwhile. */
int load_throughput(const struct load_options *o, struct err *err);

/* Round trips of small messages one after the other, alone or beside a bulk stream. */
int load_ping(const struct load_options *o, struct err *err);

/* From connect() to the first echoed byte, and connections per second. */
int load_connect(const struct load_options *o, struct err *err);

/* Opens many flows and holds them; memory of the given processes before and with them. */
int load_idle(const struct load_options *o, struct err *err);

/* Fills pattern over and over and checks it: what one core can do. */
int load_pattern(const struct load_options *o, struct err *err);

#endif

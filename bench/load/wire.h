/*
 * wire: what the two ends of a measured connection say to each other. Both run on one machine, so host byte
 * order.
 *
 * The client opens with a hello. ECHO: everything after it comes back as it went. DOWN, UP, BOTH: the sending
 * sides send their pattern until `to_ns`, then a trailer that tells how much it was and what arrived. Times
 * are CLOCK_MONOTONIC, which is one clock for all processes of a machine; bytes count when they arrive in
 * [from_ns, to_ns).
 */
#ifndef ADIT_BENCH_WIRE_H
#define ADIT_BENCH_WIRE_H

#include <stdint.h>

#define HELLO_MAGIC 0x316f6c6c65486441u   /* "AdHello1" */
#define TRAILER_MAGIC 0x3172656c69617254u /* "Trailer1" */

enum hello_kind { HELLO_ECHO = 1, HELLO_DOWN, HELLO_UP, HELLO_BOTH };

struct hello {
    uint64_t magic;
    uint64_t kind; /* enum hello_kind */
    uint64_t seed; /* of what the server sends; the client's is derived from it with stream_other_seed() */
    uint64_t from_ns, to_ns;
};

struct trailer {
    uint64_t magic;
    uint64_t sent;     /* bytes of pattern before this trailer */
    uint64_t window;   /* bytes of the other direction that arrived in the window, as far as known */
    uint64_t received; /* bytes of the other direction in all, as far as known */
};

#endif

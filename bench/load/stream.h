/*
 * stream: one bulk connection, either end of it: sends its pattern, checks the other's, ends with trailers.
 *
 *   sending side    pattern … until to_ns, then the trailer
 *   UP and BOTH     the server's trailer follows the client's, so that it can say what arrived
 *
 * The trailer, not the end of file, ends a stream: a forwarder's half-close is no part of the measurement.
 * Received bytes are held back by one trailer's length until it is known that they are not the trailer.
 * Thread: one at a time.
 */
#ifndef ADIT_BENCH_STREAM_H
#define ADIT_BENCH_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire.h"

#define STREAM_CHUNK (256 * 1024) /* bytes received at a time */
#define STREAM_BATCH (128 * 1024) /* bytes generated and sent at a time */
#define STREAM_SECONDS_MAX 300    /* the longest a hello may ask for */

struct stream {
    int fd; /* non-blocking; the owner's */
    bool server;
    struct hello hello;
    uint64_t tx_seed, rx_seed;
    bool tx_pattern, rx_pattern; /* which directions carry a pattern */
    bool tx_done, rx_done;
    uint64_t sent;             /* bytes of pattern sent */
    uint64_t received, window; /* bytes of pattern received and found right; those of the measured window */
    struct trailer out, in;    /* in: valid once rx_done */
    size_t out_done;           /* bytes of `out` that are sent */
    uint8_t held[sizeof(struct trailer)];
    size_t held_len;
};

/* Room that the streams of one thread share. */
struct stream_scratch {
    uint8_t in[sizeof(struct trailer) + STREAM_CHUNK];
    uint8_t out[STREAM_BATCH];
};

uint64_t stream_other_seed(uint64_t seed);

/* The hello was sent or received already. ERR_PROTOCOL when it asks for what cannot be. */
int stream_init(struct stream *s, int fd, const struct hello *hello, bool server, struct err *err);

/* To be called when the socket is writable or readable. 0, or ERR_CLOSED (the peer went away early),
 * ERR_PROTOCOL (wrong bytes), ERR_SYSTEM. */
int stream_send(struct stream *s, struct stream_scratch *scratch, struct err *err);
int stream_receive(struct stream *s, struct stream_scratch *scratch, struct err *err);

bool stream_wants_send(const struct stream *s);
bool stream_done(const struct stream *s);

#endif

/*
 * targets: what channels connect to in the tests: small servers in a process of their own.
 *
 * Bytes of a stream are a function of their place in it, so that each end can check them without the other.
 */
#ifndef ADIT_TESTS_FLOW_SSH_TARGETS_H
#define ADIT_TESTS_FLOW_SSH_TARGETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum target_kind {
    TARGET_GREET,  /* says "port N\n", then echoes; closes when the client has sent its eof and all is echoed
                    */
    TARGET_DRAIN,  /* checks the stream up to the client's eof, then answers "N ok\n" or "N bad\n" */
    TARGET_SOURCE, /* reads "N\n", sends N bytes of the stream, then its eof */
    TARGET_EARLY, /* says "bye\n" and eof at once, then is a DRAIN whose result nobody can hear, and closes */
    TARGET_MUTE,  /* takes the connection and never reads */
    TARGET_KINDS
};

#define TARGET_GREETS 50

struct targets {
    pid_t pid;
    uint16_t port[TARGET_KINDS]; /* of GREET the first one */
    uint16_t greets[TARGET_GREETS];
    char unix_path[100]; /* a GREET that says "port 0\n" */
};

void targets_start(struct targets *t, const char *dir);
void targets_stop(struct targets *t);

static inline uint8_t stream_byte(uint64_t i)
{
    return (uint8_t)((i * 167) ^ (i >> 8) ^ (i >> 16) ^ (i >> 27));
}

void stream_fill(uint8_t *out, uint64_t from, size_t n);
size_t stream_check(const uint8_t *in, uint64_t from, size_t n); /* how many bytes are right */

#endif

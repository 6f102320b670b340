/*
 * fake: an engine without cryptography and the server for it, to test what stands above the engines.
 *
 * Both ends first send a version line. Then frames: type (1 byte), channel (4), length (4), payload. The
 * client counts its channels, the server those that it opens. Nothing of it is ever linked into the product.
 */
#ifndef ADIT_TESTS_FLOW_SSH_FAKE_H
#define ADIT_TESTS_FLOW_SSH_FAKE_H

#include <stdint.h>
#include <sys/types.h>

#include "ssh/engine.h"

#define FAKE_VERSION "SSH-2.0-fake\r\n"
#define FAKE_HEADER 9
#define FAKE_FRAME_MAX (128u << 10)
#define FAKE_WINDOW (2u << 20)
#define FAKE_THEIRS 0x80000000u /* in the number of a channel that the server opened */
#define FAKE_FORGER "forger"    /* who listens there gets channels from other places first */

enum fake_type {
    FAKE_HOST_KEY, /* server: public key blob */
    FAKE_USER,     /* client: user name, NUL, public key or nothing */
    FAKE_WELCOME,  /* server */
    FAKE_DENIED,   /* server */
    FAKE_OPEN,     /* client: channel type, NUL, the message of RFC 4254 */
    FAKE_OPENED,
    FAKE_REFUSED, /* text */
    FAKE_DATA,
    FAKE_WINDOW_ADD, /* 4 bytes */
    FAKE_EOF,
    FAKE_CLOSE, /* each side once */
    FAKE_PING,
    FAKE_PONG,
    FAKE_REQUEST,  /* client: name, NUL, the message of RFC 4254; answers come in order */
    FAKE_ANSWER,   /* server: channel 1 yes, 0 no; the answer's message */
    FAKE_INCOMING, /* server, a channel of its own number: type, NUL, message */
    FAKE_ACCEPTED,
    FAKE_TURNED_DOWN,
};

extern const struct ssh_engine_ops fake_engine; /* for ssh_engine_set_extra(); its name is "fake" */

/* A process that listens on 127.0.0.1 and lets in every user but "nobody" who shows a key. */
pid_t fake_server_start(uint16_t *port);

static inline void fake_put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline uint32_t fake_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#endif

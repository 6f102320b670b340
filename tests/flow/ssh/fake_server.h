/*
 * fake_server: the inside of the fake server, shared by its two files.
 */
#ifndef ADIT_TESTS_FLOW_SSH_FAKE_SERVER_H
#define ADIT_TESTS_FLOW_SSH_FAKE_SERVER_H

#include <stdbool.h>
#include <uv.h>

#include "fake.h"

#define CHANS_MAX 16384
#define FAKE_INCOMING_MAX 1024

struct listen;
struct session;

struct chan {
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } io;
    uv_connect_t connect;
    struct session *session;
    struct listen *listen; /* of one that is forged */
    uint32_t id, window, credit;
    bool live, connected, target_eof, close_sent, close_got, closing;
    unsigned writes;
    bool eof_wanted, shut;
};

struct session {
    uv_tcp_t tcp;
    uint8_t *in;
    size_t in_len, in_cap;
    bool banner_seen, closing;
    struct chan *chans[CHANS_MAX], *theirs[FAKE_INCOMING_MAX];
    struct listen *listens;
};

void fake_reply(struct session *s, enum fake_type type, uint32_t id, const void *data, size_t n);
struct chan **fake_slot(struct session *s, uint32_t id); /* NULL: no such number */
void fake_target_begin(struct chan *c);                  /* its handle is connected */
void fake_target_drop(struct chan *c);

/* ---- fake_listen.c ---- */
void fake_requested(struct session *s, const uint8_t *data, size_t n);
void fake_decided(struct chan *c, bool accepted); /* about a channel that we opened */
void fake_listens_over(struct session *s);

#endif

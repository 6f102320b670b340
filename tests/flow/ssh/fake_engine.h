/*
 * fake_engine: the inside of the fake engine, shared by its two files.
 */
#ifndef ADIT_TESTS_FLOW_SSH_FAKE_ENGINE_H
#define ADIT_TESTS_FLOW_SSH_FAKE_ENGINE_H

#include "base/list.h"
#include "fake.h"

struct fake_chan {
    struct ssh_echan base;
    struct list node;
    uint32_t id;
    bool open, eof_sent, close_sent;
    uint32_t window;     /* what may be sent */
    uint32_t uncredited; /* what was consumed since the last credit */
};

struct fake {
    struct ssh_engine base;
    char *user;
    bool banner_seen;
    struct list chans;
    struct list requests; /* that wait for their answers */
    uint32_t next_id;
    uint8_t *in;
    size_t in_len, in_cap;
};

static inline struct fake *fake_of(struct ssh_engine *e)
{
    return (struct fake *)e;
}

int fake_frame(struct fake *f, enum fake_type type, uint32_t id, const void *data, size_t n);
void fake_send(struct fake *f, enum fake_type type, uint32_t id, const void *data,
               size_t n); /* where no error can be returned */
void fake_chan_free(struct fake_chan *c);

/* ---- fake_incoming.c ---- */
int fake_request(struct ssh_engine *e, const struct ssh_request *req, struct err *err);
int fake_answered(struct fake *f, bool ok, const uint8_t *data, size_t n, struct err *err);
int fake_incoming(struct fake *f, uint32_t id, const uint8_t *data, size_t n, struct err *err);
int fake_accept(struct ssh_echan *ec, struct err *err);
void fake_refuse(struct ssh_echan *ec, enum ssh_refusal code, const char *why);
void fake_requests_done(struct fake *f);

#endif

/*
 * peer: a channel as the tests use it: it records all that happens and sends or drains streams on demand.
 */
#ifndef ADIT_TESTS_FLOW_SSH_PEER_H
#define ADIT_TESTS_FLOW_SSH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ssh/ssh.h"

#define PEER_TEXT 256

struct peer {
    struct ssh_chan *ch;
    bool opened, eof, closed;
    struct err why;         /* of closed; code 0: orderly */
    char text[PEER_TEXT];   /* the first bytes that came */
    uint64_t got, good;     /* bytes, and how many of them are the stream's */
    uint64_t to_send, sent; /* of the stream */
    const char *hello;      /* sent first, instead of the stream */
    bool eof_when_sent;
    bool may_fail;                   /* an open that is refused at once counts as closed */
    bool hold;                       /* gives no credit */
    uint64_t held;                   /* bytes without credit */
    uint64_t held_max;               /* most that ever came uncredited */
    void (*on_data)(struct peer *p); /* may be NULL */
};

void peer_open_tcp(struct peer *p, struct ssh_conn *c, const char *host,
                   uint16_t port); /* keeps what is set in *p */
void peer_open_unix(struct peer *p, struct ssh_conn *c, const char *path);
void peer_take(struct peer *p, struct ssh_chan *ch); /* one that comes in */
void peer_accept(struct peer *p);
void peer_send(struct peer *p);    /* goes on with hello and to_send */
void peer_release(struct peer *p); /* gives the credit that was held, and all that comes */
void peer_close(struct peer *p);

struct peer_wait {
    struct peer *peer;
    size_t bytes;
};

bool peer_has(void *wait); /* a struct peer_wait: that many bytes have come */
bool peer_is_closed(void *p);
bool peer_is_opened(void *p); /* or closed */

#endif

/*
 * keepalive: notices that the other end is gone, and measures the round trip. Private to ssh/.
 *
 * Thread: the loop's.
 */
#ifndef ADIT_SSH_KEEPALIVE_H
#define ADIT_SSH_KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct ssh_conn;

struct ssh_keepalive {
    struct timer timer;
    uint64_t heard; /* bytes received when last looked */
    uint32_t missed;
    bool asked; /* a ping is on its way */
    uint64_t asked_ns;
    uint32_t rtt_us;
};

void ssh_keepalive_init(struct ssh_keepalive *k, struct ssh_conn *c);
/* Asks every keepalive_ms; the first time at once, or, where the server is woken, when wake.c says so: before
 * that its answer waits for our acknowledgement. */
void ssh_keepalive_start(struct ssh_keepalive *k, struct ssh_conn *c);
void ssh_keepalive_ask(struct ssh_keepalive *k, struct ssh_conn *c);
void ssh_keepalive_pong(struct ssh_keepalive *k);
void ssh_keepalive_stop(struct ssh_keepalive *k);

#endif

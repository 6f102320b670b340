/*
 * dribble: a relay in front of a server that hands the server's bytes on in small pieces, so that packets
 * arrive cut in every possible place.
 */
#ifndef ADIT_TESTS_FLOW_SSH_DRIBBLE_H
#define ADIT_TESTS_FLOW_SSH_DRIBBLE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define DRIBBLE_PIECE 64 /* most bytes of one */

struct dribble {
    uv_tcp_t listener, client, server;
    uv_connect_t connect;
    uint16_t port, to;
    unsigned piece, handles;
    bool accepted;
    char up[65536], down[65536];
    size_t down_len, down_done;
    uv_write_t up_write, down_write;
};

void dribble_start(struct dribble *d, uv_loop_t *loop,
                   uint16_t to);      /* one connection; its port is in d->port */
void dribble_stop(struct dribble *d); /* run the loop until d->handles is 0 */

#endif

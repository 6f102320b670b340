/*
 * place: a place where the server listens, as the tests use it: who comes in there is given to a peer.
 */
#ifndef ADIT_TESTS_FLOW_SSH_PLACE_H
#define ADIT_TESTS_FLOW_SSH_PLACE_H

#include "side.h"

/* One listen and the channels that came in there. */
struct place {
    struct ssh_listen *listen;
    bool listening, closed;
    uint16_t port;
    struct err why;
    unsigned came;
    char from[64];
    bool turn_away;     /* the next ones */
    bool keep_waiting;  /* they are taken, and neither accepted nor refused */
    struct peer *peers; /* for those that come, in this order */
    unsigned peers_count;
};

extern const struct ssh_listen_events place_events; /* their argument is the place */

void place_ask(struct place *p, struct side *s, const char *host, uint16_t port);
void place_open(struct place *p, struct side *s, const char *host); /* any port; waits until it listens */
void place_close(struct place *p);
bool place_decided(void *place); /* the server has answered */
bool place_visited(void *place); /* somebody came */

#endif

/*
 * life: a connection's whole life with a few channels of different kinds, to be disturbed by a test.
 */
#ifndef ADIT_TESTS_FLOW_SSH_LIFE_H
#define ADIT_TESTS_FLOW_SSH_LIFE_H

#include "side.h"

#define LIFE_PEERS 4

struct life {
    struct side *s;
    struct link link;
    struct peer peers[LIFE_PEERS];
    bool opened;
    bool short_of_memory;
    unsigned long cut; /* the turn at which something is closed */
    int what;          /* 0: the connection, 1…LIFE_PEERS: that channel */
    bool was_cut;
};

/* Opens the channels once the connection is up; true when all is over. For world_run_until(). */
bool life_over(void *life);

#endif

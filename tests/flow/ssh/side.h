/*
 * side: one engine with a server that it talks to; what the conformance suite runs over.
 */
#ifndef ADIT_TESTS_FLOW_SSH_SIDE_H
#define ADIT_TESTS_FLOW_SSH_SIDE_H

#include "peer.h"
#include "server.h"
#include "targets.h"
#include "world.h"

struct side {
    struct world world;
    struct server server;
    struct targets targets;
    struct link link;
    struct link_options options;
    char known_hosts[96];
};

/* cmocka's group and test fixtures; *state is a struct side. The server is chosen by $ADIT_SIDE: sshd
 * (default), fake, dropbear. */
int side_start(void **state);
int side_stop(void **state);
int side_link_up(void **state);
int side_link_down(void **state);

bool side_is(const char *name);

#endif

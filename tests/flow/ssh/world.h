/*
 * world: a loop with what a connection needs, driven step by step by a test, and connections that record what
 * befalls them.
 */
#ifndef ADIT_TESTS_FLOW_SSH_WORLD_H
#define ADIT_TESTS_FLOW_SSH_WORLD_H

#include <stdbool.h>
#include <uv.h>

#include "base/chunk.h"
#include "base/clock.h"
#include "base/ready.h"
#include "ssh/ssh.h"

struct world {
    uv_loop_t loop;
    struct clock *clock;
    struct readyq *ready;
    struct chunk_pool pool;
    unsigned long turns;
    void (*each_turn)(struct world *w); /* may be NULL */
    void *user;
};

void world_open(struct world *w);
void world_close(struct world *w); /* everything of ours is closed; asserts uv_loop_close() == 0 */

/* Runs the loop until *done or the deadline; false: deadline. */
bool world_run(struct world *w, const bool *done, unsigned ms);
bool world_run_until(struct world *w, bool (*cond)(void *arg), void *arg, unsigned ms);
void world_idle(struct world *w, unsigned ms); /* keeps turning for so long */

struct link {
    struct ssh_conn *conn;
    bool up, closed; /* `closed`: by event or by link_close */
    struct err why;
};

struct link_options {
    uint16_t port;
    const char *engine;
    const char *user, *key, *known_hosts;
    const char *agent;
    struct ssh_ask ask;
    const char *const *keys; /* instead of key */
    size_t key_count;
    uint32_t keepalive_ms;
    bool wake, strict;
    uint32_t timeout_ms; /* 0: 20 s */
};

/* The engine that is tested: $ADIT_ENGINE, libssh2 (default) or native. */
const char *world_engine(void);

int link_open(struct world *w, struct link *l, const struct link_options *o,
              struct err *err); /* connects, ssh_conn_new */
void link_up(struct world *w, struct link *l,
             const struct link_options *o);       /* and asserts that it comes up */
void link_close(struct world *w, struct link *l); /* waits for it; nothing happens if it is closed */

#endif

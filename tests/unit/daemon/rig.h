/*
 * rig: aditd on a thread of its own, in a directory of its own, over the fake proxy; and clients that send
 * lines.
 */
#ifndef ADIT_TESTS_DAEMON_RIG_H
#define ADIT_TESTS_DAEMON_RIG_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/daemon.h"
#include "fake_proxy.h"

struct rig {
    char dir[64];
    pthread_t thread;
    struct daemon_options options;
    struct daemon_place place;
    struct background bg;
    int status; /* that aditd ended with */
};

/* The configuration of most tests: win11 (rg-desk/win11) and web1 (an address). */
extern const char RIG_CONFIG[];

extern int rig_pipe;           /* to a starter, for the next rig_start(); −1: none */
extern const char *rig_notify; /* $NOTIFY_SOCKET likewise, or NULL */

void rig_dir(struct rig *r); /* directory and environment only */
void rig_config(const struct rig *r, const char *yaml);
void rig_start(struct rig *r, const char *yaml); /* returns when it serves */
void rig_join(struct rig *r); /* it has been told to end: waits for that, removes the directory */
void rig_stop(struct rig *r); /* tells it, and the above */
void rig_remove(struct rig *r);

struct peer {
    int fd;
    int next_id;
};

void peer_open(struct peer *p, const struct rig *r);
void peer_close(struct peer *p);
/* args as JSON text with ' for ". Returns the request's id. */
int peer_send_op(struct peer *p, const char *op, const char *args);
json_t *peer_line(struct peer *p); /* the next; NULL at the end */
json_t *peer_call(struct peer *p, const char *op,
                  const char *args); /* "ok" of the answer; fails the test on an error */
void peer_refused(struct peer *p, const char *op, const char *args, const char *code, const char *part);
void rig_until(size_t (*what)(void), size_t value); /* with a deadline */

#endif

/*
 * rig: a control server on a thread of its own, and raw clients to be rude to it.
 *
 * Operations: "echo" answers its args; "fd" a pipe's reading end with "hello" in it; "two" progress, event,
 * then ok; "ask" a question, answered with what came; "hang" nothing; "big" an answer of args.size bytes;
 * "fail" an error.
 */
#ifndef ADIT_TESTS_CONTROL_RIG_H
#define ADIT_TESTS_CONTROL_RIG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <uv.h>

#include "control/control.h"

struct rig {
    char dir[64];
    char path[96];
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t stop;
    struct control_server *server;
    atomic_int gone;    /* requests dropped */
    atomic_int hanging; /* requests of "hang" that came */
};

void rig_start(struct rig *r);
void rig_stop(struct rig *r); /* asserts that the loop ended with nothing left */

int rig_connect(const struct rig *r);            /* raw; a blocking socket with a deadline of seconds */
void rig_send(int fd, const char *text);         /* all of it; a peer that closed is fine */
size_t rig_line(int fd, char *out, size_t size); /* one line without LF; 0 at the end of the connection */
int rig_hello(const struct rig *r);              /* connected, both hellos exchanged */
void rig_expect(int fd, const char *part);       /* the next line contains it */
void rig_expect_end(int fd);
void rig_wait(const atomic_int *what, int value); /* until it is so, with a deadline */

#endif

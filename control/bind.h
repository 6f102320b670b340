/*
 * bind: the right to be this user's one daemon, and the listening socket that comes with it.
 */
#ifndef ADIT_CONTROL_BIND_H
#define ADIT_CONTROL_BIND_H

#include <sys/types.h>

#include "base/err.h"

struct control_bind {
    char *path; /* owned */
    int fd;     /* listening; −1 when none */
    int lock;   /* holds the lock; −1 when none */
    dev_t dev;  /* of the socket file, so that only ours is removed */
    ino_t ino;
};

/* As control_server_new(). */
int control_bind_open(struct control_bind *b, const char *path, struct err *err);
void control_bind_close(
    struct control_bind *b); /* removes the socket file if it is still ours; then lets the lock go */

#endif

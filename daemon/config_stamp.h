/*
 * config_stamp: what a configuration file looked like when it was read, so that a later edit is noticed.
 *
 * Cheap enough for every request: one stat(2). Thread: any.
 */
#ifndef ADIT_DAEMON_CONFIG_STAMP_H
#define ADIT_DAEMON_CONFIG_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

struct config_stamp {
    bool there;
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec written;
};

/* To be taken before the file is read: an edit meanwhile then counts as one. */
void config_stamp_take(struct config_stamp *out, const char *path);

/* Whether the file is another one now, has come, or is gone. One that cannot be looked at is unchanged. */
bool config_stamp_differs(const struct config_stamp *was, const char *path);

#endif

/*
 * ssh_g: runs the user's `ssh -G HOST`, within a time and a size.
 *
 * No shell; HOST is never taken for an option. What ssh starts (Match exec) is ended with it. Thread: the
 * loop's.
 */
#ifndef ADIT_DAEMON_SSH_G_H
#define ADIT_DAEMON_SSH_G_H

#include <uv.h>

#include "base/err.h"

#define SSH_G_LIMIT_MS 5000

struct ssh_g;

/* text: what it printed, borrowed, or NULL with err: ERR_TIMEOUT, ERR_LIMIT (it printed too much), ERR_CONFIG
 * (it failed, with its own words). */
typedef void (*ssh_g_cb)(void *arg, const char *text, const struct err *err);

/* file: NULL for ssh's usual ones, "none" for none, or a path (ssh -F). ERR_NOTFOUND: no ssh in PATH.
 * ERR_INVAL: a name that ssh could take for an option. ERR_NOMEM, ERR_SYSTEM. */
int ssh_g_start(struct ssh_g **out, uv_loop_t *loop, const char *file, const char *host, ssh_g_cb cb,
                void *arg, struct err *err);
void ssh_g_cancel(struct ssh_g *g); /* silent; what runs is ended */

#endif

/*
 * local_dial: a connection from this machine to the target of a remote forward.
 *
 * Thread: the loop's, for every function here.
 */
#ifndef ADIT_PROXY_LOCAL_DIAL_H
#define ADIT_PROXY_LOCAL_DIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "config/forward_spec.h"

struct local_dial;

/* The receiver owns fd when err is NULL; tcp: else it is a Unix socket. */
typedef void (*local_dial_cb)(void *arg, int fd, bool tcp, const struct err *err);

/* to (copied): a host that this machine resolves and a port, or the path of a Unix socket. deadline_ms is for
 * all of it. ERR_NOMEM, ERR_SYSTEM. */
int local_dial_start(struct local_dial **out, uv_loop_t *loop, struct clock *clock,
                     const struct forward_end *to, uint32_t deadline_ms, local_dial_cb cb, void *arg,
                     struct err *err);
void local_dial_cancel(struct local_dial *d); /* synchronous and silent */

#endif

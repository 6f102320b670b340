/*
 * child: runs a program without a shell and gathers what it writes.
 *
 * Its input is empty, its directory "/", its environment ours without the secrets of our own credentials. It
 * leads a process group of its own, all of which is killed when time is up or nobody wants to know any more.
 * Thread: the loop's.
 */
#ifndef ADIT_AZURE_CHILD_H
#define ADIT_AZURE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "blob.h"

#define CHILD_OUT_MAX (64u << 10) /* bytes on standard output: more is ERR_LIMIT */
#define CHILD_ERR_MAX (16u << 10) /* bytes kept of standard error */

struct child;

/* Valid only inside the callback; wiped when it returns. */
struct child_result {
    int status; /* exit status, or 128 + the signal that ended it */
    struct blob out, err;
};

/* Exactly once, never inside child_start(). err NULL: it ran to its end, whatever the status. ERR_TIMEOUT,
 * ERR_LIMIT, ERR_NOMEM, ERR_SYSTEM. */
typedef void (*child_cb)(void *arg, const struct child_result *result, const struct err *err);

/* argv[0] is looked for on PATH. ERR_NOTFOUND when it is not there, ERR_DENIED, ERR_NOMEM, ERR_SYSTEM. */
int child_start(uv_loop_t *loop, struct clock *clock, const char *const *argv, uint32_t timeout_ms,
                child_cb cb, void *arg, struct child **out, struct err *err);
void child_cancel(struct child *c); /* silent; its handles close as the loop turns */

#endif

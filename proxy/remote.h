/*
 * remote: a remote forward: listening at the VM, on one connection of its pool, as long as it is wanted.
 *
 * Thread: the plane's loop, for every function here.
 */
#ifndef ADIT_PROXY_REMOTE_H
#define ADIT_PROXY_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "pool.h"
#include "ssh/ssh.h"

#define REMOTE_FLOWS_MAX 1024 /* of one forward, with those whose target is still being connected to */
#define REMOTE_DIAL_MS 10000  /* for this machine to connect to the target */
#define REMOTE_TEXT_MAX 300

struct forward;

enum remote_state {
    REMOTE_OFF,       /* not wanted, or the VM is not up */
    REMOTE_LINE,      /* waits for a connection of its class */
    REMOTE_ASKED,     /* the VM is to say whether it listens */
    REMOTE_LISTENING, /* … and does */
    REMOTE_PAUSED,    /* it does not; asked again later */
};

struct remote {
    struct forward *forward;
    enum remote_state state;
    bool wanted;
    struct pool_waiter waiter; /* holds the connection, so that it counts as used */
    struct ssh_listen *listen;
    struct timer retry;
    uint32_t failures;           /* in a row */
    char place[REMOTE_TEXT_MAX]; /* where it listens: "localhost:8080" */
    struct list callers;         /* struct remote_caller.node: whose target is being connected to */
    unsigned caller_count;
};

int remote_new(struct remote **out, struct forward *f); /* ERR_NOMEM */
void remote_free(struct remote *r);                     /* NULL may be given */

/* Wants it: the VM is asked at once, or when it is up. ERR_UNSUPPORTED, also kept in the forward. */
int remote_start(struct remote *r, struct err *err);
void remote_stop(struct remote *r); /* the VM is told to stop; flows go on */

void remote_vm_up(struct remote *r);
/* Its connection is not to be used any more, or is gone. */
void remote_vm_down(struct remote *r);

const char *remote_listening(const struct remote *r); /* NULL: it does not */
bool remote_pending(const struct remote *r);          /* wanted, and neither listening nor refused */

/* ---- remote_caller.c: who connected at the VM ---- */

/* As ssh_listen_events.incoming: the target is connected to, then bytes flow. */
bool remote_caller_begin(struct remote *r, struct ssh_chan *ch, const struct ssh_origin *from);
void remote_callers_refuse(struct remote *r, const char *why);

#endif

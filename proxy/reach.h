/*
 * reach: a configured VM → the addresses to try, on the main loop, where the resolver lives.
 *
 * Thread: the main loop's, for every function here.
 */
#ifndef ADIT_PROXY_REACH_H
#define ADIT_PROXY_REACH_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/ready.h"
#include "config/config.h"
#include "mail.h"
#include "proxy.h"
#include "resolver/resolver.h"

struct reach;

enum reach_flags {
    REACH_DIRECT = 1 << 0, /* what is remembered led nowhere; it is forgotten and ARM is asked */
    REACH_KEYS = 1 << 1,   /* host-key-check: arm: the VM's host keys must be known as well */
    REACH_REKEY = 1 << 2,  /* … and are asked for anew: the server showed another one */
};

struct reach_env {
    uv_loop_t *loop;
    struct readyq *ready;
    struct resolver *resolver; /* or NULL: names fail with resolver_err */
    const struct err *resolver_err;
    const char *known_hosts; /* path */
    const struct proxy_host_keys *host_keys;
};

/* Exactly once, not inside reach_start(). found is borrowed and always there: with err set it may still hold
 * facts. */
typedef void (*reach_cb)(void *arg, const struct mail_reach *found, const struct err *err);

/* flags: enum reach_flags. vm is borrowed for the call. ERR_NOMEM, and what resolver_lookup() refuses. */
int reach_start(struct reach **out, const struct reach_env *env, const struct config_vm *vm, uint16_t port,
                unsigned flags, reach_cb cb, void *arg, struct err *err);
void reach_cancel(struct reach *r); /* synchronous and silent */

/* Adds to what became of a connection why its address may be an old one; nothing when ARM could be asked. Any
 * thread. */
void reach_doubt(const struct mail_reach *found, struct err *err);

#endif

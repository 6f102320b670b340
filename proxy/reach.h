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
#include "resolver/resolver.h"

struct reach;

struct reach_env {
    uv_loop_t *loop;
    struct readyq *ready;
    struct resolver *resolver; /* or NULL: names fail with resolver_err */
    const struct err *resolver_err;
};

/* Exactly once, not inside reach_start(). found is borrowed and always there: with err set it may still hold
 * facts. */
typedef void (*reach_cb)(void *arg, const struct mail_reach *found, const struct err *err);

/* direct: what is remembered led nowhere; it is forgotten and ARM is asked. vm is borrowed for the call.
 * ERR_NOMEM, and what resolver_lookup() refuses. */
int reach_start(struct reach **out, const struct reach_env *env, const struct config_vm *vm, uint16_t port,
                bool direct, reach_cb cb, void *arg, struct err *err);
void reach_cancel(struct reach *r); /* synchronous and silent */

/* Adds to what became of a connection why its address may be an old one; nothing when ARM could be asked. Any
 * thread. */
void reach_doubt(const struct mail_reach *found, struct err *err);

#endif

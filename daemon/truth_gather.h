/*
 * truth_gather: asks ssh about every VM of a configuration, and fills what adit.yaml leaves open.
 *
 * Thread: the loop's. Nothing of a daemon is needed: the first configuration is filled before there is one.
 */
#ifndef ADIT_DAEMON_TRUTH_GATHER_H
#define ADIT_DAEMON_TRUTH_GATHER_H

#include <uv.h>

#include "base/err.h"
#include "config/config.h"

struct truth_gather;

/* filled: the receiver's reference. It is `file` as it stands when nothing could be asked at all; never
 * NULL. */
typedef void (*truth_gather_cb)(void *arg, const struct config *filled);
int truth_gather_start(struct truth_gather **out, uv_loop_t *loop, const struct config *file,
                       truth_gather_cb cb, void *arg, struct err *err); /* ERR_NOMEM */

/* One VM that `config` (filled) does not name, which ssh is to be asked about as `host`. vm is filled in
 * place and borrowed until the callback. ERR_NOMEM. */
typedef void (*truth_vm_cb)(void *arg);
int truth_gather_vm(struct truth_gather **out, uv_loop_t *loop, const struct config *config,
                    struct config_vm *vm, const char *host, truth_vm_cb cb, void *arg, struct err *err);

void truth_gather_cancel(struct truth_gather *g); /* silent */

#endif

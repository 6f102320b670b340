/*
 * host_keys: the host keys of VMs as Azure reports them (host-key-check: arm), asked for when they are
 * needed.
 *
 * Thread: the main loop's.
 */
#ifndef ADIT_DAEMON_HOST_KEYS_H
#define ADIT_DAEMON_HOST_KEYS_H

#include "daemon_private.h"

#define HOST_KEYS_MS 180000 /* for Azure to tell them: a Run Command takes 20 s at least */

struct proxy_host_keys host_keys_for_proxy(struct daemon *d);

/* Asks for them, and records them. Who asks for the same VM meanwhile gets the same answer. vm and facts are
 * borrowed for the call. A handle, or NULL with err: ERR_NOMEM, ERR_UNSUPPORTED, ERR_UNAVAILABLE. cb: exactly
 * once, never inside; changed: the VM had other ones, or none. */
void *host_keys_fetch(struct daemon *d, const struct config_vm *vm, const struct resolver_facts *facts,
                      proxy_keys_cb cb, void *arg, struct err *err);
void host_keys_cancel(void *handle); /* synchronous and silent */

#endif

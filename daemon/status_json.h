/*
 * status_json: the proxy's status as the JSON of docs/protocol.md.
 */
#ifndef ADIT_DAEMON_STATUS_JSON_H
#define ADIT_DAEMON_STATUS_JSON_H

#include "daemon_private.h"

/* A new reference; NULL when out of memory. */
json_t *status_json_daemon(const struct daemon *d, const struct proxy_status *status);
json_t *status_json_vm(const struct proxy_vm_status *vm);

#endif

/*
 * ops: the operations of docs/protocol.md: one table, and a handler each in the ops_*.c of its group.
 */
#ifndef ADIT_DAEMON_OPS_H
#define ADIT_DAEMON_OPS_H

#include "daemon_private.h"

/* Answers req, now or later (job.h). args is borrowed for the call. */
typedef void (*op_cb)(struct daemon *d, struct control_request *req, const json_t *args);

void ops_request(void *daemon, struct control_request *req, const char *op, json_t *args);
void ops_gone(void *daemon, struct control_request *req);

/* For handlers whose arguments are wrong, or that had no memory. */
void ops_refuse(struct control_request *req, const struct err *err);
void ops_no_memory(struct control_request *req);

void op_up(struct daemon *d, struct control_request *req, const json_t *args);
void op_down(struct daemon *d, struct control_request *req, const json_t *args);
void op_forward(struct daemon *d, struct control_request *req, const json_t *args);
void op_cancel(struct daemon *d, struct control_request *req, const json_t *args);
void op_status(struct daemon *d, struct control_request *req, const json_t *args);
void op_resolve(struct daemon *d, struct control_request *req, const json_t *args);
void op_doctor(struct daemon *d, struct control_request *req, const json_t *args);
void op_prepare(struct daemon *d, struct control_request *req, const json_t *args);
void op_start(struct daemon *d, struct control_request *req, const json_t *args);
void op_deallocate(struct daemon *d, struct control_request *req, const json_t *args);
void op_login(struct daemon *d, struct control_request *req, const json_t *args);
void op_logout(struct daemon *d, struct control_request *req, const json_t *args);
void op_host_keys(struct daemon *d, struct control_request *req, const json_t *args);
void op_proxy(struct daemon *d, struct control_request *req, const json_t *args);
void op_reload(struct daemon *d, struct control_request *req, const json_t *args);
void op_config(struct daemon *d, struct control_request *req, const json_t *args);
void op_version(struct daemon *d, struct control_request *req, const json_t *args);
void op_environment(struct daemon *d, struct control_request *req, const json_t *args);
void op_stop(struct daemon *d, struct control_request *req, const json_t *args);
void op_log_level(struct daemon *d, struct control_request *req, const json_t *args);

#endif

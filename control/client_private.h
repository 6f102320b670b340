/*
 * client_private: adit's end of a control connection, as client.c and call.c share it.
 */
#ifndef ADIT_CONTROL_CLIENT_PRIVATE_H
#define ADIT_CONTROL_CLIENT_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "codec.h"
#include "control.h"
#include "line.h"

#define CLIENT_FDS_MAX 8 /* received and not yet claimed by their line */

struct control_client {
    int fd;
    int interrupt_fd; /* −1: none */
    int64_t next_id;
    struct line_buf in;
    int fds[CLIENT_FDS_MAX];
    unsigned fd_count;
    struct codec_hello hello;
};

/* A moment on the monotonic clock; UINT64_MAX is never. */
uint64_t client_now_ms(void);
uint64_t client_deadline(uint32_t timeout_ms); /* 0 = never */

/* Writes all of it. ERR_CLOSED, ERR_TIMEOUT, ERR_SYSTEM. */
int client_send(struct control_client *c, const char *line, size_t len, uint64_t deadline, struct err *err);

/* 0: *line is borrowed until the next call. ERR_CLOSED, ERR_TIMEOUT, ERR_PROTOCOL, ERR_NOMEM, and, when
 * `interruptible`, ERR_CANCELED once interrupt_fd is readable. */
int client_line(struct control_client *c, uint64_t deadline, bool interruptible, char **line, size_t *len,
                struct err *err);

/* 1: a line is there; 0: not yet. ERR_CLOSED, ERR_PROTOCOL, ERR_NOMEM. */
int client_line_now(struct control_client *c, char **line, size_t *len, struct err *err);
bool client_interrupted(const struct control_client *c);

int client_claim_fd(struct control_client *c); /* the oldest received, or −1 */

#endif

/*
 * session: one client of the daemon: its lines in, its answers out, its requests under way.
 *
 * Private to control/. A session that must end is doomed first and buried on a later turn: answers are
 * written from inside anybody's callbacks, where nothing may be freed.
 */
#ifndef ADIT_CONTROL_SESSION_H
#define ADIT_CONTROL_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "answer.h"
#include "base/list.h"
#include "bind.h"
#include "control.h"
#include "line.h"

struct control_server {
    uv_loop_t *loop;
    struct control_bind bind;
    struct control_handlers handlers;
    void *arg;
    uv_poll_t listener;
    uv_timer_t reaper; /* buries the doomed, on the turn after */
    uv_timer_t clock;  /* once a second while a client has not said hello, or accepting is paused */
    struct list sessions;
    unsigned session_count;
    unsigned handles; /* of libuv, still to be closed */
    bool paused;      /* no descriptor was left to accept with */
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct session {
    struct list node; /* of the server's sessions */
    struct control_server *server;
    uv_poll_t poll;
    int fd;
    int events; /* what is polled for */
    struct line_buf in;
    struct list out;  /* of struct session_out */
    size_t out_bytes; /* queued */
    struct list requests;
    unsigned request_count;
    int64_t version;       /* the client's; 0 before its hello */
    unsigned hello_left_s; /* until it must have come */
    bool doomed;
};

struct control_request {
    struct list node; /* of the session's requests */
    struct session *session;
    json_int_t id;
    enum control_may_ask may_ask;
    void *data;
};

/* server.c */
void server_doom(struct session *s);            /* it will be buried soon */
void server_handle_closed(uv_handle_t *handle); /* uv_close callback of every handle but a session's */
void server_check_closed(struct control_server *srv);

/* session.c */
int session_new(struct control_server *srv, int fd, const struct err *refusal,
                struct err *err); /* takes fd over */
void session_bury(struct session *s);
/* Takes `line` (NULL: memory was out) and fd over. */
void session_send(struct session *s, char *line, size_t len, int fd);

/* request.c */
void request_begin(struct session *s, json_int_t id, const char *op, json_t *args);
void request_answer(struct session *s, const struct answer *a); /* of a question; an old one is passed over */
void request_cancel(struct session *s, json_int_t id);
void request_drop_all(struct session *s); /* tells the handlers */

#endif

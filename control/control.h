/*
 * control: the socket between adit and aditd. docs/protocol.md is the protocol; this is its codec and its two
 * ends.
 *
 * A message is one JSON object in one line of at most CONTROL_LINE_MAX bytes. A descriptor may travel with a
 * reply (SCM_RIGHTS). Both ends check the other's uid; both say their protocol version first.
 */
#ifndef ADIT_CONTROL_CONTROL_H
#define ADIT_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct json_t; /* jansson */

#define CONTROL_VERSION 1
#define CONTROL_LINE_MAX (8u << 20)           /* from the daemon */
#define CONTROL_REQUEST_LINE_MAX (256u << 10) /* from a client: 256 of them may each have one half sent */
#define CONTROL_CLIENTS_MAX 256
#define CONTROL_REQUESTS_MAX 64 /* under way, of one client */
#define CONTROL_ANSWER_MAX 1024 /* bytes that a person may answer */

/* ---- the daemon's end: on its main loop ---- */

struct control_server;
struct control_request; /* one request of one client; answered exactly once */

struct control_handlers {
    /* A request came: `op` and its `args` object (borrowed). Answer it with control_reply_* now or later. */
    void (*request)(void *arg, struct control_request *req, const char *op, struct json_t *args);
    /* The client went away, or cancelled, before the answer: forget the request, it is freed after this. */
    void (*gone)(void *arg, struct control_request *req);
    /* The client answers a question of this request, or (text NULL) will not: `why` says so. May be NULL.
     * text is wiped after the call. */
    void (*answer)(void *arg, struct control_request *req, int64_t number, const char *text,
                   const struct err *why);
};

/* Binds path 0600 in a directory 0700. A stale socket is probed and replaced; a living daemon there is
 * ERR_EXISTS and a message with its pid; a socket of another user ERR_DENIED. */
int control_server_new(struct control_server **out, uv_loop_t *loop, const char *path,
                       const struct control_handlers *h, void *arg, struct err *err);
void control_server_close(struct control_server *s, void (*cb)(void *arg),
                          void *arg); /* removes the socket file */

void control_request_set_data(struct control_request *req, void *data);
void *control_request_data(const struct control_request *req);

/* `data` may be NULL; the reference is taken over. Each ends the request, whose pointer is invalid
 * afterwards. */
void control_reply_ok(struct control_request *req, struct json_t *data);
void control_reply_fd(struct control_request *req, struct json_t *data,
                      int fd); /* fd is taken over and closed here after sending */
void control_reply_err(struct control_request *req, const struct err *err);
/* A line of progress for the user; the request goes on. Dropped when the client does not keep up. */
void control_progress(struct control_request *req, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A part of the result while the request goes on (reference taken over); never dropped. */
void control_event(struct control_request *req, struct json_t *data);

/* The member "ask" of the request's args. */
enum control_may_ask {
    CONTROL_ASK_UNSAID, /* this client asks nobody */
    CONTROL_ASK_YES,    /* it takes questions */
    CONTROL_ASK_NEVER,  /* and nobody else is to be asked on its behalf */
};
enum control_may_ask control_request_may_ask(const struct control_request *req);

/* A question that the client is to put to a person: data is the object of docs/protocol.md, Questions, but
 * for its number. Never dropped. */
void control_question(struct control_request *req, int64_t number, struct json_t *data);
void control_withdraw(struct control_request *req, int64_t number); /* its answer is not wanted any more */

/* A JSON string of any bytes: what is no UTF-8 becomes "?". NULL gives JSON null. NULL when out of memory. */
struct json_t *control_text(const char *text);
/* {"code", "message"} as in an error answer, and back (a shape that is no error gives ERR_PROTOCOL). */
struct json_t *control_err_to_json(const struct err *err);
void control_err_from_json(struct err *err, const struct json_t *json);

/* ---- adit's end: blocking, no loop ---- */

struct control_client;

/* Connects within timeout_ms. ERR_NOTFOUND: no daemon (no socket, or nobody behind it). ERR_TIMEOUT: it
 * hangs. ERR_DENIED: another user's. ERR_VERSION: another version; the message says which command mends it.
 */
int control_client_open(struct control_client **out, const char *path, uint32_t timeout_ms, struct err *err);
/* The same, but a daemon of another version is fine: only the operations "version" and "stop" may be called.
 */
int control_client_open_any(struct control_client **out, const char *path, uint32_t timeout_ms,
                            struct err *err);
void control_client_close(struct control_client *c);

/* Calls end early with ERR_CANCELED, after the daemon has confirmed, once this descriptor is readable (a pipe
 * that a signal handler writes to). Borrowed. */
void control_client_interrupt_fd(struct control_client *c, int fd);
/* The daemon's process id and program version, from its hello. */
long control_client_pid(const struct control_client *c);
const char *control_client_version(const struct control_client *c);

typedef void (*control_progress_cb)(void *arg, const char *text);

#define CONTROL_ALIVE_MS 15000

/* Sends and waits for the answer (timeout_ms 0 = for ever; progress shows that the daemon is alive, so the
 * time is never up sooner than CONTROL_ALIVE_MS after it). args may be NULL; the reference is taken over.
 * progress may be NULL. *data (may be NULL): new reference or NULL. *fd: −1, or a descriptor that the caller
 * owns (fd may be NULL: then one that comes is closed). An error answer gives its code and message;
 * ERR_CLOSED: the daemon went away. */
int control_call(struct control_client *c, const char *op, struct json_t *args, uint32_t timeout_ms,
                 control_progress_cb progress, void *progress_arg, struct json_t **data, int *fd,
                 struct err *err);

struct control_question {
    int64_t number;
    const char *vm, *kind, *prompt; /* as in docs/protocol.md; borrowed */
    bool echo;
};

enum control_asked {
    CONTROL_ASKED_NONE,   /* nobody answers */
    CONTROL_ASKED_ANSWER, /* it is in `answer` */
    CONTROL_ASKED_LATER,  /* wake_fd is readable: call again unless the question is withdrawn */
};

/* The same with the request's events and questions too; `event` gets a borrowed object. */
struct control_watch {
    control_progress_cb progress;
    void (*event)(void *arg, const struct json_t *data);
    /* Asks a person, and returns as soon as wake_fd or the interrupt descriptor is readable. The time that it
     * takes is added to the call's. answer is wiped after it has been sent. */
    enum control_asked (*question)(void *arg, const struct control_question *q, int wake_fd,
                                   char answer[CONTROL_ANSWER_MAX + 1]);
    void (*withdrawn)(void *arg); /* the question is off: tidy up the terminal. With question only */
    void *arg;
};
int control_call_watch(struct control_client *c, const char *op, struct json_t *args, uint32_t timeout_ms,
                       const struct control_watch *watch, struct json_t **data, int *fd, struct err *err);

/* Hands `fd` to the process at the other end of the Unix socket `sock` with a single byte, as ssh's
 * ProxyUseFdpass takes it (ssh_config(5)). fd stays the caller's. ERR_INVAL when sock is no Unix socket,
 * ERR_SYSTEM. */
int control_hand_fd(int sock, int fd, struct err *err);

/* The descriptor of the connection, to poll while attached: it becomes readable when the daemon dies. */
int control_client_fd(const struct control_client *c);

#endif

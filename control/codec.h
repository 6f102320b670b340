/*
 * codec: the messages of docs/protocol.md taken apart and put together.
 *
 * Pure functions over text and jansson; thread: any.
 */
#ifndef ADIT_CONTROL_CODEC_H
#define ADIT_CONTROL_CODEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "control.h"

#define CODEC_ID_MAX ((json_int_t)1 << 53)
#define CODEC_OP_MAX 64

enum codec_kind { CODEC_HELLO, CODEC_REQUEST, CODEC_CANCEL };

/* What a client sent. `root` owns everything; codec_client_done() frees it. */
struct codec_client {
    enum codec_kind kind;
    json_int_t version; /* HELLO */
    json_int_t id;      /* REQUEST, CANCEL */
    const char *op;     /* REQUEST */
    json_t *args;       /* REQUEST: an object, never NULL */
    json_t *root;
};

/* ERR_PROTOCOL with a message that may be sent back; ERR_NOMEM. */
int codec_parse_client(struct codec_client *out, const char *line, size_t len, struct err *err);
void codec_client_done(struct codec_client *m);

enum codec_answer { CODEC_PROGRESS, CODEC_EVENT, CODEC_QUESTION, CODEC_WITHDRAWN, CODEC_OK, CODEC_ERROR };

/* What the daemon sent after its hello. */
struct codec_daemon {
    enum codec_answer kind;
    json_int_t id;                    /* 0: an error of the connection */
    const char *progress;             /* PROGRESS */
    struct control_question question; /* QUESTION: borrowed from root; WITHDRAWN: its number */
    json_t *data;                     /* EVENT, OK: borrowed from root */
    bool fd;                          /* OK: a descriptor comes with it */
    struct err err;                   /* ERROR */
    json_t *root;
};

int codec_parse_daemon(struct codec_daemon *out, const char *line, size_t len, struct err *err);
void codec_daemon_done(struct codec_daemon *m);

/* The daemon's hello: version, program, pid, and an error if it carries one. */
struct codec_hello {
    json_int_t version;
    char program[64];
    long pid;
    struct err err; /* code 0: none */
};

int codec_parse_hello(struct codec_hello *out, const char *line, size_t len, struct err *err);

/* Each gives a line with its LF to mem_free(), or NULL when out of memory. `data` is borrowed. */
char *codec_hello_line(long pid, const struct err *err, size_t *len); /* pid 0: a client's */
char *codec_request_line(json_int_t id, const char *op, json_t *args, size_t *len);
char *codec_cancel_line(json_int_t id, size_t *len);
char *codec_ok_line(json_int_t id, json_t *data, bool fd, size_t *len);
char *codec_event_line(json_int_t id, json_t *data, size_t *len);
char *codec_question_line(json_int_t id, json_int_t number, json_t *data, size_t *len);
char *codec_withdrawn_line(json_int_t id, json_int_t number, size_t *len);
char *codec_progress_line(json_int_t id, const char *text, size_t *len);
char *codec_error_line(json_int_t id, const struct err *err, size_t *len); /* id 0: none */

#endif

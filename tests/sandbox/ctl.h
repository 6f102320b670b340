/*
 * ctl: changes the world while it runs, from another process, over DIR/ctl.sock.
 *
 * One call a connection: a JSON array of words and a newline in; {"ok": bool, "text": "…"} and a newline out.
 */
#ifndef ADIT_SANDBOX_CTL_H
#define ADIT_SANDBOX_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct sandbox;

#define CTL_WORDS_MAX 8
#define CTL_LINE_MAX 4096

struct ctl {
    struct sandbox *sb;
    uv_pipe_t listener;
    char path[512];
    bool open;
};

/* One call; answered exactly once by ctl_answer, which ends it. */
struct ctl_call {
    struct sandbox *sb;
    const char *words[CTL_WORDS_MAX];
    unsigned words_count;
    json_t *json;      /* owns the words */
    uv_timer_t *timer; /* of a call that waits */
    unsigned waited_ms;
    uv_pipe_t pipe; /* private from here on */
    uv_write_t write;
    char *line;
    size_t len;
    char *answer;
    bool began;
};

int ctl_open(struct ctl *c, struct sandbox *sb, struct err *err);
void ctl_close(struct ctl *c);
void ctl_answer(struct ctl_call *call, bool ok, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void ctl_do(struct ctl_call *call); /* ctl_verbs.c */

/* ctl_arm.c: the verbs that change what ARM says, and not a VM. */
void ctl_arm(struct ctl_call *call);
/* ctl_fault.c: its verbs that spoil calls by kind; about roles and writes: false: it is none of them */
bool ctl_arm_fault(struct ctl_call *call);
bool ctl_arm_role(struct ctl_call *call);
void ctl_world(struct ctl_call *call);
void ctl_graph(struct ctl_call *call);
void ctl_device(struct ctl_call *call);
void ctl_identity(struct ctl_call *call);
/* "25ms", "2s", "300us"; a bare number is milliseconds. In microseconds; negative: not a duration. */
int64_t ctl_duration_us(const char *word);

/* ctl_client.c: `adit-sandbox ctl --dir DIR WORD…`; returns the exit status. */
int ctl_client(const char *dir, int count, char **words);
extern const char ctl_help[];

#endif

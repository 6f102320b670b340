/*
 * calls: what a run is waiting for: requests to ARM and the hands' work, each with the function that takes
 * the answer; all of them can be canceled at once.
 *
 * Private to prepare/. A submit that returns negative has run nothing; else `done` is called once, later, and
 * may do anything but free the run: it only notes what came and says what the step found.
 */
#ifndef ADIT_PREPARE_CALLS_H
#define ADIT_PREPARE_CALLS_H

#include <stddef.h>
#include <stdint.h>

#include "prepare.h"

struct prepare_run;
struct json_t;

/* doc: borrowed, NULL with err and where ARM sent none. tag: as given. */
typedef void (*call_cb)(struct prepare_run *run, size_t tag, const struct json_t *doc, const struct err *err);
typedef void (*call_text_cb)(struct prepare_run *run, const char *text, const struct err *err);

/* GETs "ID[/below]?query"; query holds the api-version. */
int call_get(struct prepare_run *run, const char *id, const char *below, const char *query, call_cb done,
             size_t tag, struct err *err);

/* A POST by which ARM reads ("effectiveNetworkSecurityGroups"), followed to its end. */
int call_post_read(struct prepare_run *run, const char *id, const char *below, const char *query,
                   call_cb done, size_t tag, struct err *err);

/* A change. body: borrowed for the call, may be NULL. */
struct call_change {
    const char *method, *id, *below, *query;
    struct json_t *body;
    uint32_t deadline_ms; /* 0 = 10 minutes */
};
int call_write(struct prepare_run *run, const struct call_change *change, call_cb done, size_t tag,
               struct err *err);
void call_write_note(const struct prepare_run *run, char *out, size_t size); /* of the one under way, or "" */

int call_locate(struct prepare_run *run, call_text_cb done, struct err *err);
int call_knock(struct prepare_run *run, uint32_t deadline_ms, call_text_cb done, struct err *err);

void calls_cancel(struct prepare_run *run);

#endif

/*
 * checklist: the steps of doctor and prepare as they come to their end: a line each for people, and all of
 * them for JSON.
 */
#ifndef ADIT_CLI_CHECKLIST_H
#define ADIT_CLI_CHECKLIST_H

#include <jansson.h>
#include <stdbool.h>

#include "ask.h"
#include "base/err.h"
#include "progress.h"

struct checklist {
    bool quiet;      /* prints nothing */
    bool marks;      /* ✓ and colours, on a terminal that has them; else words */
    json_t *steps;   /* of the events "step" */
    json_t *changed; /* of the events "changed" */
    char *printed;   /* of the event "printed", or NULL */
    struct progress progress;
    struct ask ask;
};

void checklist_init(struct checklist *c, bool quiet);
void checklist_done(struct checklist *c);

/* For control_call_watch(): short_ as checklist_event_short(). */
struct control_watch checklist_watch(struct checklist *c, bool short_);
void checklist_progress(void *checklist, const char *text); /* a control_progress_cb */
void checklist_event(void *checklist, const json_t *data);  /* of control_watch */
/* The same, but of the steps only those that were mended or fail: what a first run has shown is not shown
 * again. */
void checklist_event_short(void *checklist, const json_t *data);
/* Before a second run: what the first one found is forgotten. */
void checklist_clear(struct checklist *c);

/* How many steps fail, and of them those that `adit prepare` can mend. */
unsigned checklist_failures(const struct checklist *c, unsigned *mendable);
/* Whether a failed step was denied by Azure. */
bool checklist_denied(const struct checklist *c);
/* A line each for what would be done: "  OpenSSH        installs it". On standard error. */
void checklist_print_plan(const struct checklist *c, const char *key_from);
/* "started win-new; added the rule allow-SSH", or NULL when nothing was changed. mem_free() it. */
char *checklist_changes(const struct checklist *c);
/* The status of this step, or "" when it was not looked at. */
const char *checklist_status(const struct checklist *c, const char *step);
/* {"vm", "ready", "steps", "changed", "printed", "error"} of the answer (or of err) and what came before it.
 */
json_t *checklist_json(const struct checklist *c, const char *vm, const json_t *answer,
                       const struct err *err);

#endif

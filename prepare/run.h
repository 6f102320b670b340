/*
 * run: what the files of a run share: one struct prepare_run.
 *
 * Private to prepare/. The run calls out from one place only, its timer (run.c); whatever arrives is noted,
 * and the timer set to fire at once.
 */
#ifndef ADIT_PREPARE_RUN_H
#define ADIT_PREPARE_RUN_H

#include <jansson.h>

#include "base/list.h"
#include "base/strbuf.h"
#include "calls.h"
#include "facts.h"
#include "nsg.h"
#include "plan.h"
#include "record.h"
#include "step_fns.h"

#define RUN_CHANGES_MAX 8 /* made and not told yet: one or two at a time */
#define RUN_SOURCE_MAX 64
#define RUN_STAGES 4 /* of enum prepare_stage */

struct run_change {
    enum prepare_step step;
    char text[STEP_TEXT_MAX];
};

/* What the rule's check gathers. */
struct rule_docs {
    char source[RUN_SOURCE_MAX]; /* whom it must let in; "" = not known */
    struct nsg *nsgs;            /* what judges: effective rules, or the groups of `resources` */
    size_t count;
    bool effective;
    char *ids[PLAN_RULES_MAX]; /* of groups that are read */
    json_t *resources[PLAN_RULES_MAX];
    size_t id_count, open; /* have not answered */
    struct err err;        /* why one of them could not be read */
};

struct run_stage {
    bool told;
    char detail[STEP_TEXT_MAX];
    struct err err; /* code 0: it passed */
};

typedef void (*nics_cb)(struct prepare_run *run, const struct err *err);
typedef void (*vm_cb)(struct prepare_run *run, const struct err *err);

struct prepare_run {
    struct prepare_options o; /* texts are owned: option_texts() */
    struct prepare_events events;
    void *arg;
    struct timer turn; /* always running: moving it never fails */
    bool stirred;      /* since the engine was last asked */
    uint64_t deadline_at;
    struct err broke; /* what ended the run early, or code 0 */
    bool expired, printed;

    struct step steps[PREPARE_STEPS];
    enum prepare_step over[PREPARE_STEPS]; /* in the order in which they came to their end */
    unsigned over_count, over_told;
    struct run_change changes[RUN_CHANGES_MAX];
    unsigned change_count;
    bool denied; /* a write was refused */

    struct list calls;
    struct plan plan;
    /* What is known of the VM; see the step's file. */
    char *id;
    struct err vm_err;
    bool vm_known;
    struct facts_vm vm;
    vm_cb vm_again; /* who waits for them to be read anew */
    struct {
        json_t *docs[FACTS_NICS_MAX];
        size_t open;    /* have not answered */
        struct err err; /* of the one that matters most */
        nics_cb done;   /* who waits, or NULL */
    } nics;
    bool way_known;
    struct facts_way way;
    bool answered; /* the port did */
    struct rule_docs rule;
    bool key_known;         /* an earlier run recorded it */
    char *public_id;        /* of the address that is made */
    struct record_vm *undo; /* what is left to be undone */
    unsigned undo_removed, undo_left;
    struct prepare_keys *keys_fetch;
    char *keys;                   /* of the host, or NULL */
    char keys_why[STEP_TEXT_MAX]; /* why there are none */
    void *enter;                  /* the hands' handle while it is under way */
    struct run_stage stages[RUN_STAGES];
};

/* Something has arrived. */
void run_wake(struct prepare_run *run);
void run_turn(struct timer *t);
void run_cancel_all(struct prepare_run *run); /* whatever is under way, silently */
/* Ends it without asking the steps any further: out of memory, a record that cannot be kept. */
void run_break(struct prepare_run *run, const struct err *err);

/* engine.c: begins what can begin, ends what cannot. Never calls out. */
void engine_advance(struct prepare_run *run);
bool engine_over(const struct prepare_run *run);
void engine_expire(struct prepare_run *run);        /* the deadline has passed */
uint64_t engine_due(const struct prepare_run *run); /* when to look again by itself; UINT64_MAX: never */
void engine_end(struct prepare_run *run, enum prepare_step s, enum prepare_status status);

/* plan_build.c: fills what every plan holds from the VM's facts; what a new address needs; the bits of what
 * is missing. ERR_NOMEM. */
int plan_build(struct prepare_run *run, struct err *err);
int plan_address(struct prepare_run *run, struct err *err);
unsigned plan_missing(const struct prepare_run *run);

/* nics.c: the interfaces' documents, and the way in. done is called later, or at once if they are known. */
void nics_load(struct prepare_run *run, nics_cb done);
void nics_forget(struct prepare_run *run);

/* step_vm.c: the VM's facts read anew, after a change. done is called later, or at once when that fails. */
void vm_load(struct prepare_run *run, vm_cb done);

/* step_vm.c: what is recorded of this VM (record_free it), and changing that. NULL, false: the run is broken.
 */
struct record_vm *run_recall(struct prepare_run *run);
bool run_record(struct prepare_run *run, record_edit_cb edit, const void *arg);

/* UNDO: what is recorded now, in run->undo. False: the run is broken. */
bool run_undo_recall(struct prepare_run *run);

void rule_forget(struct prepare_run *run); /* step_rule.c: what its check gathered */

/* What people call it: the VM's own name, or the alias while that is not known. */
const char *run_name(const struct prepare_run *run);
const char *run_user(const struct prepare_run *run); /* or NULL */

#endif

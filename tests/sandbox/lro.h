/*
 * lro: long-running operations: their URLs now, the work and its result after a while.
 *
 * Those of Microsoft.Compute have one URL, which serves as Azure-AsyncOperation and (with monitor=true) as
 * Location; those of Microsoft.Network have operations/… and operationResults/….
 */
#ifndef ADIT_SANDBOX_LRO_H
#define ADIT_SANDBOX_LRO_H

#include <jansson.h>
#include <time.h>
#include <uv.h>

#include "arm.h"
#include "base/err.h"
#include "base/list.h"
#include "vm.h"

struct lro;
typedef void (*lro_work_cb)(struct lro *o); /* must lead to one lro_finish, at once or later */
typedef void (*lro_spoil_cb)(struct lro *o);

enum lro_form {
    LRO_ACTION, /* 202, with both headers */
    LRO_PUT,    /* Azure-AsyncOperation only; 200 or 201 is the caller's to set */
    LRO_RESULT, /* 202, with Location only */
};

struct lro {
    struct list node;
    struct sandbox *sb;
    struct vm *vm;      /* or NULL */
    const char *kind;   /* arm_routes.c */
    const void *target; /* what it changes: another change must wait */
    const char *subscription;
    char region[61];
    bool network;
    char id[WORLD_UUID_LEN];
    uv_timer_t timer;
    lro_work_cb work;
    lro_spoil_cb spoil; /* instead of the work, when the operation was told to fail; or NULL */
    time_t began, ended;
    bool done, hung;
    char told_code[80], told[400];   /* what it was told to fail with */
    char error_code[80], error[400]; /* "" or its failure */
    json_t *input;                   /* what the work needs */
    json_t *output;                  /* properties.output, or NULL */
    json_t *location;                /* the final body at Location, or NULL */
};

/* Answers the call and runs `work` after the world's operation-ms. region NULL: the VM's. NULL: refused,
 * because `target` (not NULL) is being changed; or out of memory. The reply is set. */
struct lro *lro_new(struct arm_call *c, enum lro_form form, struct vm *vm, const void *target,
                    lro_work_cb work);
void lro_finish(struct lro *o, const struct err *err); /* err NULL or empty: Succeeded */
/* Those that hang go on: of a kind, of a VM; NULL = all. Returns how many. */
unsigned lro_release(struct sandbox *sb, const char *kind, const struct vm *vm);
void lro_all_close(struct sandbox *sb);

#endif

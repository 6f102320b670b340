/*
 * lro: long-running operations: 202 with Azure-AsyncOperation and Location now, the work and its result after
 * a while.
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

struct lro {
    struct list node;
    struct sandbox *sb;
    struct vm *vm;
    char id[WORLD_UUID_LEN];
    uv_timer_t timer;
    lro_work_cb work;
    time_t began, ended;
    bool done;
    char error[400];  /* "" or the message of its failure */
    json_t *input;    /* what the work needs */
    json_t *output;   /* properties.output, or NULL */
    json_t *location; /* the final body at Location, or NULL */
};

/* Answers the call with 202 and runs `work` after the world's operation-ms. NULL: out of memory, 503 is set.
 */
struct lro *lro_new(struct arm_call *c, struct vm *vm, lro_work_cb work);
void lro_finish(struct lro *o, const struct err *err); /* err NULL or empty: Succeeded */
void lro_all_close(struct sandbox *sb);

#endif

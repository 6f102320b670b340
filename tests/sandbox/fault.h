/*
 * fault: what tests tell ARM to do wrong, by the kind of a call and by VM: refuse it, let its operation fail,
 * or never end.
 *
 * A kind is a name of arm_routes.c. A fault is for every VM or for one. Thread: the main loop's.
 */
#ifndef ADIT_SANDBOX_FAULT_H
#define ADIT_SANDBOX_FAULT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/list.h"

struct arm_call;
struct lro;
struct sandbox;
struct vm;

enum fault_what { FAULT_REFUSE, FAULT_CONFLICT, FAULT_RETRYABLE, FAULT_FAIL, FAULT_HANG };

struct fault {
    struct list node;
    enum fault_what what;
    char kind[40];
    const struct vm *vm;         /* NULL: any */
    unsigned left;               /* calls; not used by FAULT_HANG, which stays */
    unsigned status;             /* of FAULT_REFUSE */
    int retry_after_s;           /* negative: the header is left out */
    char code[80], message[400]; /* "": what ARM says for the kind */
};

#define FAULTS_MAX 1000

/* Copies what `f` says; the newest of a kind counts first. ERR_INVAL: no such kind; ERR_LIMIT, ERR_NOMEM. */
int fault_add(struct list *faults, const struct fault *f, struct err *err);
void fault_clear(struct list *faults);
/* Those that hang start no more, and those under way go on; kind NULL: all. Returns how many were under way.
 */
unsigned fault_release(struct sandbox *sb, const char *kind, const struct vm *vm);

bool fault_refuses(struct arm_call *c); /* before the handler; true: the reply is set */
void fault_plan(struct lro *o);         /* an operation begins: it may be one that fails or hangs */
/* Refuses because operation `id` changes the same thing: 429 in Microsoft.Network, 409 in Microsoft.Compute.
 */
void fault_busy(struct arm_call *c, const char *id);

#endif

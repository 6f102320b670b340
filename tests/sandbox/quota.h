/*
 * quota: how much each caller may ask of this Azure, counted by the client id of its token.
 */
#ifndef ADIT_SANDBOX_QUOTA_H
#define ADIT_SANDBOX_QUOTA_H

#include <stdbool.h>

#include "base/list.h"

struct arm_call;

struct quota {
    struct list callers;
    bool off; /* nothing is refused; the headers still count */
};

void quota_init(struct quota *q);
void quota_done(struct quota *q);

/* One query of Resource Graph: 15 in 5 s. False: 429 is set. The headers are set either way. */
bool quota_graph_take(struct arm_call *c);

#endif

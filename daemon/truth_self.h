/*
 * truth_self: who asks ssh, and what our SSH engine can make of the answers.
 *
 * Thread: any.
 */
#ifndef ADIT_DAEMON_TRUTH_SELF_H
#define ADIT_DAEMON_TRUTH_SELF_H

#include "config/ssh_truth.h"

struct truth_self {
    char *home, *user, host_name[256];
    struct ssh_truth_who who; /* of these */
};

int truth_self_init(struct truth_self *s); /* ERR_NOMEM; truth_self_done() either way */
void truth_self_done(struct truth_self *s);

/* Gives up the lists of which the engine knows nothing, and notes them as not honoured. */
void truth_check_algorithms(struct ssh_truth *t, const char *engine);

#endif

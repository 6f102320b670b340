/*
 * worker: a thread with a loop and a plane of its own, spoken to by mail.
 *
 * Thread: the main loop's, for every function here.
 */
#ifndef ADIT_PROXY_WORKER_H
#define ADIT_PROXY_WORKER_H

#include <stddef.h>

#include "base/err.h"
#include "base/mailbox.h"
#include "mail.h"

struct worker;

struct worker_options {
    unsigned index;
    struct mailbox *main_box; /* answers go there; a reference is taken */
    const char *known_hosts;  /* copied, as the next */
    const char *agent_socket;
    size_t buffer_max; /* bytes */
    size_t flows_max;
};

int worker_start(struct worker **out, const struct worker_options *options, struct err *err);

/* Takes the mail over. */
void worker_post(struct worker *w, struct proxy_mail *m);

/* After MAIL_STOPPED came from it. */
void worker_join(struct worker *w);

#endif

/*
 * progress: tells clients that wait for a VM what it is doing, by asking the proxy now and then.
 */
#ifndef ADIT_DAEMON_PROGRESS_H
#define ADIT_DAEMON_PROGRESS_H

#include "job.h"
#include "questions.h"

struct progress_watch {
    struct list node; /* of the daemon's watches */
    struct job *job;
    const char *alias; /* borrowed from the job's owner */
    bool patient;      /* not waiting for it, only interested */
    struct questioner questioner;
    char last[512]; /* what was told last */
};

void progress_init(struct daemon *d);
void progress_stop(struct daemon *d); /* no watch is told anything any more */

/* Whoever waits for a VM can be asked what its logins want to know, too (questions.h). Until
 * progress_watch_end(), or as long as the job has its request. */
void progress_watch_begin(struct progress_watch *w, struct job *j, const char *alias);
void progress_watch_end(struct progress_watch *w); /* one that never began may be given when zeroed */

#endif

/*
 * reload: from the file to the snapshot in use: at the start, at SIGHUP and on request.
 */
#ifndef ADIT_DAEMON_RELOAD_H
#define ADIT_DAEMON_RELOAD_H

#include "daemon_private.h"
#include "truth.h"

/* Sets d->config. Otherwise the status to exit with; every problem has been told to the starter. */
int reload_first(struct daemon *d);

/* Reads the file anew and applies it; the log file is opened anew too. What is wrong is logged; the old
 * snapshot stays. */
void reload_by_signal(struct daemon *d);

/* What a reload did. */
struct reload_counts {
    unsigned added, removed, changed;
    bool azure, workers; /* changed, which waits for the next start */
};

/* Loads the file and has what it leaves open filled (truth_update()); w is called when the result is in use,
 * and hands it to proxy_apply(). On failure all is as it was. */
int reload_load(struct daemon *d, struct truth_wait *w, struct config_problems *problems, struct err *err);
void reload_count(const struct daemon *d, const struct config *before, struct reload_counts *counts);

#endif

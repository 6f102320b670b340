/*
 * daemon: aditd as a whole: built from the bottom up, run until told to end, torn down in reverse.
 */
#ifndef ADIT_DAEMON_DAEMON_H
#define ADIT_DAEMON_DAEMON_H

#include <stdbool.h>

#include "background.h"
#include "options.h"

/* Where this daemon's files are; absolute, so that they hold after a chdir. */
struct daemon_place {
    char *config;        /* the file to read */
    bool config_default; /* nobody named it: it may be missing */
    char *socket, *log_file, *known_hosts;
    char *login_file; /* what `adit login` leaves */
};

/* 0, or the status to exit with after the error has been printed. */
int daemon_place_find(struct daemon_place *p, const struct daemon_options *o);
void daemon_place_done(struct daemon_place *p);

/* Runs until SIGTERM, SIGINT or `adit stop`. The status to exit with; failures of the start went through
 * `bg`. */
int daemon_run(const struct daemon_options *o, const struct daemon_place *p, struct background *bg);

#endif

/*
 * options: aditd's command line.
 */
#ifndef ADIT_DAEMON_OPTIONS_H
#define ADIT_DAEMON_OPTIONS_H

#include <stdbool.h>

#include "base/log.h"

struct daemon_options {
    const char *config; /* as given, or NULL */
    bool foreground;
    bool level_given;
    enum log_level level;
    enum log_format format;
};

/* −1: go on. Otherwise the status to exit with: what had to be said has been printed. */
int daemon_options_parse(struct daemon_options *o, int argc, char **argv);

#endif

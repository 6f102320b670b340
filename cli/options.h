/*
 * options: the parts of option parsing that all commands share.
 */
#ifndef ADIT_CLI_OPTIONS_H
#define ADIT_CLI_OPTIONS_H

#include <getopt.h>

#include "cli.h"

/* Values of options without a letter. */
enum {
    OPT_JSON = 256,
    OPT_ALL,
    OPT_WAIT,
    OPT_NO_WAIT,
    OPT_START,
    OPT_TIMEOUT,
    OPT_NO_CACHE,
    OPT_FDPASS,
    OPT_NOW,
    OPT_LEVEL,
    OPT_RUNNING,
    OPT_VM,
    OPT_BATCH
};

/* As getopt_long(3), quiet; -1 at the end, '?' after the wrong option has been reported: return EX_USAGE
 * then. */
int options_next(const struct cli *cli, int argc, char **argv, const char *letters,
                 const struct option *options);

/* "90" or "1.5" (seconds), "500ms", "90s", "2m", "1h" as milliseconds. 0, or 64 after it has been reported.
 */
int options_seconds(const struct cli *cli, const char *text, uint32_t *ms);
int options_number(const struct cli *cli, const char *what, const char *text, uint32_t min, uint32_t max,
                   uint32_t *out);

#endif

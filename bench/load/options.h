/*
 * options: the load generator's command line.
 */
#ifndef ADIT_BENCH_OPTIONS_H
#define ADIT_BENCH_OPTIONS_H

#include "load.h"

typedef int load_mode_fn(const struct load_options *, struct err *);

/* Returns the mode, or NULL with the exit status: the message or the help is printed already. */
load_mode_fn *options_parse(struct load_options *o, int argc, char **argv, int *status);

#endif

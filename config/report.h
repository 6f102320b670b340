/*
 * report: collects what is wrong with a file, each problem once, in the order of the file.
 *
 * Private to config/. Thread: none of its own.
 */
#ifndef ADIT_CONFIG_REPORT_H
#define ADIT_CONFIG_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "config.h"

#define REPORT_MAX 100
#define REPORT_WHERE_MAX 128 /* "vms[2] \"db1\": local[1]" */

struct report {
    struct config_problems *list; /* borrowed */
    size_t dropped;               /* beyond REPORT_MAX */
    bool nomem;                   /* a problem could not be noted down: the load fails with ERR_NOMEM */
};

/* `mark` NULL: the file as a whole. `where` may be NULL or "". A second problem at one position is not
 * reported: it is nearly always a consequence of the first. */
void report_at(struct report *r, const yaml_mark_t *mark, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

bool report_full(const struct report *r); /* no need to look for more */
void report_finish(struct report *r);     /* sorts, and says how many were left out */

#endif

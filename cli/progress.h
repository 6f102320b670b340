/*
 * progress: one line on standard error that changes while something takes long; on a terminal only.
 */
#ifndef ADIT_CLI_PROGRESS_H
#define ADIT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on;
    bool shown;
    uint64_t since_ms;
};

void progress_begin(struct progress *p);
void progress_show(void *progress,
                   const char *text);  /* a control_progress_cb; nothing in the first half second */
void progress_end(struct progress *p); /* wipes the line */

#endif

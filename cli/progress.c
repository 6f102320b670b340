/*
 * progress: one line on standard error that changes while something takes long; on a terminal only.
 */
#include "progress.h"

#include <stdio.h>
#include <time.h>

#include "output.h"
#include "table.h"

#define QUIET_MS 500

static uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void progress_begin(struct progress *p)
{
    p->on = output_is_terminal(stderr);
    p->shown = false;
    p->since_ms = now_ms();
}

void progress_show(void *progress, const char *text)
{
    struct progress *p = progress;
    struct table line;
    struct strbuf out;

    if (!p->on || now_ms() - p->since_ms < QUIET_MS)
        return;
    table_init(&line);
    strbuf_init(&out);
    table_row(&line, 0, 0);
    table_cell(&line, NULL, text);
    table_print(&line, output_columns(stderr), false, &out); /* a line that wraps could not be wiped */
    if (!out.bad && out.len > 0)
        fprintf(stderr, "\r\033[K%.*s", (int)out.len - 1, out.data);
    fflush(stderr);
    p->shown = true;
    strbuf_done(&out);
    table_done(&line);
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}

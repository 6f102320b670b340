/*
 * report: the list of problems of one load.
 */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool report_full(const struct report *r)
{
    return r->nomem || r->dropped > 0;
}

static bool known(const struct report *r, uint32_t line, uint32_t column)
{
    for (size_t i = 0; line > 0 && i < r->list->count; i++)
        if (r->list->items[i].line == line && r->list->items[i].column == column)
            return true;
    return false;
}

/* Whatever the file held (a quoted "\e[2J", a cut UTF-8 sequence) may be printed on a terminal afterwards. */
static void make_printable(char *text, bool cut)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
    if (!cut)
        return;
    static const char dots[] = "…";
    len = len > sizeof dots ? len - sizeof dots : 0;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    (void)memcpy(text + len, dots, sizeof dots);
}

void report_at(struct report *r, const yaml_mark_t *mark, const char *where, const char *fmt, ...)
{
    struct config_problem p = {0};
    if (mark) {
        p.line = (uint32_t)mark->line + 1;
        p.column = (uint32_t)mark->column + 1;
    }
    if (r->nomem || known(r, p.line, p.column))
        return;
    if (r->list->count == REPORT_MAX) {
        r->dropped++;
        return;
    }
    int n = 0;
    if (where && *where)
        n = snprintf(p.text, sizeof p.text, "%s: ", where);
    va_list ap;
    va_start(ap, fmt);
    int m = vsnprintf(p.text + n, sizeof p.text - (size_t)n, fmt, ap);
    va_end(ap);
    make_printable(p.text, m >= (int)sizeof p.text - n);

    struct config_problem *items = mem_realloc(r->list->items, (r->list->count + 1) * sizeof *items);
    if (!items) {
        r->nomem = true;
        return;
    }
    items[r->list->count] = p;
    r->list->items = items;
    r->list->count++;
}

static int by_position(const void *a, const void *b)
{
    const struct config_problem *p = a, *q = b;
    if (p->line != q->line)
        return p->line < q->line ? -1 : 1;
    return (p->column > q->column) - (p->column < q->column);
}

void report_finish(struct report *r)
{
    if (r->list->count > 1)
        qsort(r->list->items, r->list->count, sizeof *r->list->items, by_position);
    if (r->dropped > 0) {
        struct config_problem *last = &r->list->items[r->list->count - 1];
        (void)snprintf(last->text, sizeof last->text, "more problems follow; mend those above first");
    }
}

void config_problems_done(struct config_problems *p)
{
    mem_free(p->items);
    *p = (struct config_problems){0};
}

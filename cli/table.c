/*
 * table: rows of cells, printed in aligned columns.
 */
#include "table.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "output.h"

#define GAP 2
#define GROUPS_MAX 4

void table_init(struct table *t)
{
    memset(t, 0, sizeof *t);
}

void table_done(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        for (unsigned c = 0; c < t->rows[i].count; c++)
            mem_free(t->rows[i].cells[c].text);
    mem_free(t->rows);
    table_init(t);
}

void table_row(struct table *t, unsigned group, unsigned indent)
{
    if (t->count == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 16;
        struct table_row *rows = mem_realloc(t->rows, cap * sizeof *rows);
        if (!rows) {
            t->bad = true;
            return;
        }
        t->rows = rows;
        t->cap = cap;
    }
    struct table_row *row = &t->rows[t->count++];
    memset(row, 0, sizeof *row);
    row->group = group % GROUPS_MAX;
    row->indent = indent;
}

void table_cell(struct table *t, const char *style, const char *text)
{
    struct strbuf escaped;
    if (t->bad || t->count == 0 || t->rows[t->count - 1].count == TABLE_COLUMNS_MAX)
        return;
    strbuf_init(&escaped);
    output_escape(&escaped, text ? text : "-");
    char *cell = strbuf_take(&escaped);
    if (!cell) {
        t->bad = true;
        return;
    }
    struct table_row *row = &t->rows[t->count - 1];
    row->cells[row->count].text = cell;
    row->cells[row->count++].style = style;
}

static void measure(const struct table *t, size_t widths[GROUPS_MAX][TABLE_COLUMNS_MAX])
{
    memset(widths, 0, sizeof(size_t) * GROUPS_MAX * TABLE_COLUMNS_MAX);
    for (size_t i = 0; i < t->count; i++) {
        const struct table_row *row = &t->rows[i];
        /* The last cell of a row may be as long as it likes: it widens nothing. */
        for (unsigned c = 0; c + 1 < row->count; c++) {
            size_t w = output_width(row->cells[c].text);
            if (w > widths[row->group][c])
                widths[row->group][c] = w;
        }
    }
}

/* Appends at most *room characters of text; with less than it needs, an ellipsis takes the last one. */
static void add_cut(struct strbuf *out, const char *text, size_t *room)
{
    size_t width = output_width(text);
    if (width <= *room) {
        strbuf_puts(out, text);
        *room -= width;
        return;
    }
    if (*room == 0)
        return;
    const char *p = text;
    for (size_t n = 0; n + 1 < *room; n++)
        for (p++; ((unsigned char)*p & 0xC0) == 0x80; p++)
            ;
    strbuf_add(out, text, (size_t)(p - text));
    strbuf_puts(out, "…");
    *room = 0;
}

static void add_spaces(struct strbuf *out, size_t n, size_t *room)
{
    for (; n > 0 && *room > 0; n--, (*room)--)
        strbuf_puts(out, " ");
}

static void print_row(const struct table_row *row, const size_t *widths, unsigned columns, bool colours,
                      struct strbuf *out)
{
    size_t room = columns ? columns : SIZE_MAX;
    unsigned count = row->count;

    while (count > 0 && !*row->cells[count - 1].text) /* no spaces behind the last word */
        count--;
    add_spaces(out, row->indent, &room);
    for (unsigned c = 0; c < count && room > 0; c++) {
        const struct table_cell *cell = &row->cells[c];
        bool styled = colours && cell->style;
        if (styled)
            strbuf_printf(out, "\033[%sm", cell->style);
        add_cut(out, cell->text, &room);
        if (styled)
            strbuf_puts(out, "\033[0m");
        if (c + 1 < count)
            add_spaces(out, widths[c] - output_width(cell->text) + GAP, &room);
    }
    strbuf_puts(out, "\n");
}

void table_print(const struct table *t, unsigned columns, bool colours, struct strbuf *out)
{
    size_t widths[GROUPS_MAX][TABLE_COLUMNS_MAX];

    if (t->bad) {
        out->bad = true;
        return;
    }
    measure(t, widths);
    for (size_t i = 0; i < t->count; i++)
        print_row(&t->rows[i], widths[t->rows[i].group], columns, colours, out);
}

/*
 * table: rows of cells, printed in aligned columns.
 *
 * Widths count characters, colours not. Bad after a failed allocation and stays so; table_text() then gives
 * NULL.
 */
#ifndef ADIT_CLI_TABLE_H
#define ADIT_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

#define TABLE_COLUMNS_MAX 12

struct table_cell {
    char *text;        /* escaped; owned */
    const char *style; /* an SGR parameter such as "1" or "31", or NULL; borrowed for good */
};

struct table_row {
    unsigned group; /* rows of a group share their column widths */
    unsigned indent;
    unsigned count;
    struct table_cell cells[TABLE_COLUMNS_MAX];
};

struct table {
    struct table_row *rows;
    size_t count, cap;
    bool bad;
};

void table_init(struct table *t);
void table_done(struct table *t);
void table_row(struct table *t, unsigned group, unsigned indent);      /* begins a row */
void table_cell(struct table *t, const char *style, const char *text); /* NULL text is "-" */

/* Appends the lines. columns: cut each line there with "…" (0: never). colours: use the styles. */
void table_print(const struct table *t, unsigned columns, bool colours, struct strbuf *out);

#endif

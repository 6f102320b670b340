/*
 * graph_rows: turns the rows of the Resource Graph query (see lookup_graph.c) into facts, one a VM.
 *
 * Rows of one VM are neighbours, but may lie on two pages. Every column but "id" may be missing or of another
 * type.
 */
#ifndef ADIT_RESOLVER_GRAPH_ROWS_H
#define ADIT_RESOLVER_GRAPH_ROWS_H

#include <jansson.h>

#include "facts.h"

#define GRAPH_VMS_MAX 20000

struct graph_rows {
    struct resolver_facts **vms; /* in the order of the rows */
    size_t count, room;
    char *first_nic,
        *last_nic; /* of the VM that is being gathered: the only interface need not say that it is primary */
};

void graph_rows_init(struct graph_rows *g);
void graph_rows_done(struct graph_rows *g);

/* One page's "data". Rows without a usable id are skipped. ERR_PROTOCOL (no array), ERR_LIMIT, ERR_NOMEM. */
int graph_rows_add(struct graph_rows *g, const json_t *data, struct err *err);

/* After the last page: puts every VM's addresses in order. */
void graph_rows_end(struct graph_rows *g);

#endif

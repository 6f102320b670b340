/*
 * graph: Resource Graph: its queries, its rows, how far it is behind, and how often one may ask.
 *
 * graph.c is the call; graph_query.c reads filters out of a query; graph_row.c makes rows; graph_past.c knows
 * what the VMs were like a while ago. Thread: the main loop's.
 */
#ifndef ADIT_SANDBOX_GRAPH_H
#define ADIT_SANDBOX_GRAPH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "world.h"

struct sandbox;
struct vm;

/* What Resource Graph believes of a VM. */
struct graph_view {
    const char *power; /* "running", … */
    char vm_id[WORLD_UUID_LEN];
    char address[ADDRESS_LEN];
};

/* True when the query's filters, as far as they are understood, let this VM through. */
bool graph_query_fits(const char *query, const struct vm *vm);

/* The rows of a VM, appended to `rows`: one an ipConfiguration when the query joins network interfaces, else
 * the whole VM. */
void graph_rows_add(json_t *rows, struct vm *vm, bool joined);
/* Leaves the columns that the query's last `project` lists, when it lists nothing but names. */
void graph_rows_project(json_t *rows, const char *query);
void graph_rows_sort(json_t *rows); /* by id, nicId, ipName */

/* Resource Graph is `ms` behind from now on; 0: not at all. */
void graph_past_set(struct sandbox *sb, uint64_t ms);
void graph_past_end(struct sandbox *sb);
struct graph_view graph_past_view(const struct vm *vm);

#endif

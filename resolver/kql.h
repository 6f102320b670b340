/*
 * kql: the text of the Resource Graph query (see lookup_graph.c), safe whatever the names hold.
 */
#ifndef ADIT_RESOLVER_KQL_H
#define ADIT_RESOLVER_KQL_H

#include "base/strbuf.h"

/* Adds a string literal in single quotes: a quote, a backslash or a control character in it cannot end it. */
void kql_literal_add(struct strbuf *out, const char *text);

/* The query for VMs of these names; count 0: for every VM. */
void kql_vms_named(struct strbuf *out, const char *const *names, size_t count);

/* The query for the IDs of VMs whose names are at most three letters longer or shorter. */
void kql_vms_as_long_as(struct strbuf *out, const char *name);

#endif

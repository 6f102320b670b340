/*
 * document: the YAML text as a tree of nodes that know their line and column.
 *
 * Private to config/. Only what adit.yaml needs is let in: one document, no aliases (they could make a small
 * file expand without end, or into itself), little depth. Thread: none of its own.
 */
#ifndef ADIT_CONFIG_DOCUMENT_H
#define ADIT_CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "report.h"

struct document {
    yaml_document_t yaml;
    bool loaded;
};

/* 0: loaded, or not loaded and the report says why. ERR_NOMEM. document_done() in every case. */
int document_load(struct document *d, const char *text, size_t len, struct report *report, struct err *err);
void document_done(struct document *d);

/* All of these give NULL for what is not there or is of another type; `n` may be NULL. */
const yaml_node_t *document_root(struct document *d);
const yaml_node_t *document_get(struct document *d, const yaml_node_t *n,
                                const char *key); /* value of a mapping's key */
const yaml_node_t *document_key(struct document *d, const yaml_node_t *n,
                                const char *key);                                     /* the key itself */
const yaml_node_t *document_item(struct document *d, const yaml_node_t *n, size_t i); /* of a sequence */
const char *document_scalar(const yaml_node_t *n);                                    /* terminated */
size_t document_count(const yaml_node_t *n); /* items of a sequence, else 0 */

#endif

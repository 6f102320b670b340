/*
 * check: what a schema cannot say about adit.yaml: grammars, ranges, and what must agree between keys and
 * between VMs.
 *
 * Private to config/. Runs on the document, so that it can point at every place even when other places are
 * wrong; what is not there or has the wrong type was schema_check's to report and is passed over. Thread:
 * none of its own.
 */
#ifndef ADIT_CONFIG_CHECK_H
#define ADIT_CONFIG_CHECK_H

#include "document.h"
#include "report.h"

#define CHECK_VIA_MAX 8 /* VMs between us and the last one */

struct checker {
    struct document *doc;
    struct report *report;
};

/* Each fills the report; ERR_NOMEM otherwise. */
int check_document(const struct checker *c, struct err *err);
int check_vms(const struct checker *c, const yaml_node_t *vms, struct err *err);

/* The keys that `defaults:` and each VM share. */
void check_ssh(const struct checker *c, const yaml_node_t *mapping, const char *where);

/* One VM of the list, as far as it could be understood. */
struct check_vm {
    const yaml_node_t *node;
    const char *alias; /* borrowed; NULL when missing or malformed */
    char where[REPORT_WHERE_MAX];
};

struct check_vm_list {
    struct check_vm *items;
    size_t count;
    struct map *by_alias; /* of struct check_vm *, without regard to case */
};

int check_via(const struct checker *c, const struct check_vm_list *vms, struct err *err);

/* What an alias may look like: it is used as a host name in ssh_config and on command lines. */
int check_alias(const char *text, struct err *err);

#endif

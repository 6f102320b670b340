/*
 * schema_check: holds a document against a libcyaml schema and reports every place where it does not fit.
 *
 * Private to config/. libcyaml stops at its first error and knows no "did you mean"; this reads the same
 * tables. What it lets pass, libcyaml converts. It is stricter in one respect: numbers are decimal, booleans
 * one of four words.
 */
#ifndef ADIT_CONFIG_SCHEMA_CHECK_H
#define ADIT_CONFIG_SCHEMA_CHECK_H

#include "document.h"
#include "report.h"
#include "schema.h"

void schema_check(struct document *d, const cyaml_schema_value_t *schema, struct report *report);

#endif

/*
 * quotes: reads PowerShell and Bicep as far as texts between quotes go: their values, and what stands around
 * them.
 */
#ifndef ADIT_TESTS_PREPARE_QUOTES_H
#define ADIT_TESTS_PREPARE_QUOTES_H

#include "base/strbuf.h"

#define QUOTES_MAX 96

struct quotes {
    struct strbuf around; /* the text with § where a value stood; comments are left out */
    char *value[QUOTES_MAX];
    size_t count;
};

/* Fail the test when a quote or bracket does not close. */
void quotes_powershell(struct quotes *q, const char *text);
void quotes_bicep(struct quotes *q, const char *text);
void quotes_done(struct quotes *q);
/* values: up to NULL. */
void quotes_expect(const struct quotes *q, const char *const values[]);

#endif

/*
 * follow: the end of a text file, and what is added to it.
 */
#ifndef ADIT_CLI_FOLLOW_H
#define ADIT_CLI_FOLLOW_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct follow {
    const char *path; /* borrowed */
    int fd;           /* −1: not open */
    int64_t offset;
};

/* Copies the last `lines` lines to out. ERR_NOTFOUND, ERR_DENIED, ERR_SYSTEM. */
int follow_begin(struct follow *f, const char *path, uint32_t lines, FILE *out, struct err *err);
/* Copies what has been added since; notices that the file was replaced or emptied. */
int follow_more(struct follow *f, FILE *out, struct err *err);
void follow_end(struct follow *f);

#endif

/*
 * answer: the line with which a client answers a question, read and written without a copy of the secret.
 *
 * {"answer":7,"number":1,"base64":"c2VjcmV0"}; without "base64": nobody answered. Blanks may stand between,
 * the members come in this order. No JSON library sees it: that would leave copies in its memory. Thread:
 * any.
 */
#ifndef ADIT_CONTROL_ANSWER_H
#define ADIT_CONTROL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "control.h"

struct answer {
    int64_t id; /* of the request */
    int64_t number;
    bool given, too_long;
    char text[CONTROL_ANSWER_MAX + 1]; /* "" unless given; wipe it: mem_wipe() over the whole */
};

bool answer_is(const char *line, size_t len); /* such a line, well formed or not */

/* ERR_PROTOCOL. An answer that is too long is not given. */
int answer_parse(struct answer *out, const char *line, size_t len, struct err *err);

/* A line with its LF to mem_free_secret() with its length; text NULL: none. NULL when out of memory. */
char *answer_line(int64_t id, int64_t number, const char *text, size_t *len);

#endif

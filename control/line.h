/*
 * line: bytes of a stream cut into lines, with a limit.
 *
 * Thread: none of its own.
 */
#ifndef ADIT_CONTROL_LINE_H
#define ADIT_CONTROL_LINE_H

#include <stddef.h>

#include "base/err.h"

struct line_buf {
    char *data; /* owned */
    size_t len, cap;
    size_t start;   /* of the line at the front */
    size_t scanned; /* no LF before here */
    size_t max;     /* bytes a line may have, its LF included */
};

void line_buf_init(struct line_buf *b, size_t max);
void line_buf_done(struct line_buf *b);

/* Room to read into: at least 1 byte. ERR_NOMEM. */
int line_buf_room(struct line_buf *b, char **room, size_t *size);
void line_buf_fill(struct line_buf *b, size_t n); /* n bytes of the room were filled */

/* 1: *line (terminated in place of its LF, borrowed until the next call) and *len. 0: none yet. ERR_LIMIT:
 * too long. */
int line_buf_next(struct line_buf *b, char **line, size_t *len, struct err *err);

#endif

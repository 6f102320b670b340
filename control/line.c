/*
 * line: bytes of a stream cut into lines, with a limit.
 *
 * A line may be a secret's (answer.h), which its reader wipes; here no second copy of it is left behind.
 */
#include "line.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

#define LINE_ROOM_MIN 4096
#define LINE_KEEP_MAX 65536 /* an empty buffer larger than this is given back */

void line_buf_init(struct line_buf *b, size_t max)
{
    memset(b, 0, sizeof *b);
    b->max = max;
}

void line_buf_done(struct line_buf *b)
{
    mem_free_secret(b->data, b->cap);
    b->data = NULL;
    b->len = b->cap = b->start = b->scanned = 0;
}

/* Moves the rest to the front, so that the room is at the end. */
static void compact(struct line_buf *b)
{
    size_t rest = b->len - b->start;
    if (b->start == 0)
        return;
    if (rest == 0 && b->cap > LINE_KEEP_MAX) {
        line_buf_done(b);
        return;
    }
    memmove(b->data, b->data + b->start, rest);
    mem_wipe(b->data + rest, b->len - rest);
    b->scanned -= b->start;
    b->len = rest;
    b->start = 0;
}

int line_buf_room(struct line_buf *b, char **room, size_t *size)
{
    compact(b);
    if (b->cap - b->len < LINE_ROOM_MIN) {
        size_t cap = b->cap ? b->cap * 2 : (size_t)LINE_ROOM_MIN * 2;
        char *data = mem_alloc(cap);
        if (!data)
            return ERR_NOMEM;
        if (b->len > 0)
            memcpy(data, b->data, b->len);
        mem_free_secret(b->data, b->cap);
        b->data = data;
        b->cap = cap;
    }
    *room = b->data + b->len;
    *size = b->cap - b->len;
    return 0;
}

void line_buf_fill(struct line_buf *b, size_t n)
{
    assert(n <= b->cap - b->len);
    b->len += n;
}

int line_buf_next(struct line_buf *b, char **line, size_t *len, struct err *err)
{
    size_t unscanned = b->len - b->scanned;
    char *lf = unscanned > 0 ? memchr(b->data + b->scanned, '\n', unscanned) : NULL;
    size_t length = lf ? (size_t)(lf - (b->data + b->start)) + 1 : b->len - b->start;
    if (length > b->max || (!lf && length == b->max))
        return err_set(err, ERR_LIMIT, "a line is longer than %zu bytes", b->max);
    if (!lf) {
        b->scanned = b->len;
        return 0;
    }
    *lf = '\0';
    *line = b->data + b->start;
    *len = length - 1;
    b->start += length;
    b->scanned = b->start;
    return 1;
}

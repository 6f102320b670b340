/*
 * strbuf: text that grows; for messages, tables and files to be written.
 *
 * Bad after a failed allocation and stays so; check once. Thread: none of its own.
 */
#ifndef ADIT_BASE_STRBUF_H
#define ADIT_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *data; /* terminated, or NULL while empty; owned */
    size_t len, cap;
    bool bad;
};

void strbuf_init(struct strbuf *s);
void strbuf_done(struct strbuf *s);
void strbuf_add(struct strbuf *s, const char *data, size_t n);
void strbuf_puts(struct strbuf *s, const char *text);
void strbuf_printf(struct strbuf *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_clear(struct strbuf *s); /* empties, keeps the memory */
char *strbuf_take(struct strbuf *s); /* gives the text away (mem_free it); "" if empty, NULL when bad */

#endif

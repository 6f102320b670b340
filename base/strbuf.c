/*
 * strbuf: growing text, doubling as it goes.
 */
#include "strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

void strbuf_init(struct strbuf *s)
{
    memset(s, 0, sizeof *s);
}

void strbuf_done(struct strbuf *s)
{
    mem_free(s->data);
    strbuf_init(s);
}

/* Makes room for n more bytes and the NUL. */
static bool reserve(struct strbuf *s, size_t n)
{
    if (s->bad)
        return false;
    if (n < s->cap - s->len)
        return true;
    if (n > SIZE_MAX / 4 - s->len) {
        s->bad = true;
        return false;
    }
    size_t cap = s->cap ? s->cap : 64;
    while (cap <= s->len + n)
        cap *= 2;
    char *data = mem_realloc(s->data, cap);
    if (!data) {
        s->bad = true;
        return false;
    }
    s->data = data;
    s->cap = cap;
    s->data[s->len] = '\0';
    return true;
}

void strbuf_add(struct strbuf *s, const char *data, size_t n)
{
    if (n == 0 || !reserve(s, n))
        return;
    memcpy(s->data + s->len, data, n);
    s->len += n;
    s->data[s->len] = '\0';
}

void strbuf_puts(struct strbuf *s, const char *text)
{
    strbuf_add(s, text, strlen(text));
}

void strbuf_printf(struct strbuf *s, const char *fmt, ...)
{
    if (s->bad)
        return;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        s->bad = true;
        return;
    }
    if (n == 0 || !reserve(s, (size_t)n))
        return;
    va_start(ap, fmt);
    vsnprintf(s->data + s->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    s->len += (size_t)n;
}

void strbuf_clear(struct strbuf *s)
{
    s->len = 0;
    if (s->data)
        s->data[0] = '\0';
}

char *strbuf_take(struct strbuf *s)
{
    char *text = NULL;
    if (!s->bad) {
        text = s->data ? s->data : mem_strdup("");
        s->data = NULL;
    }
    strbuf_done(s);
    return text;
}

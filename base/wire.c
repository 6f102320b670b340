/*
 * wire: the SSH data types (RFC 4251 section 5), read and written with their bounds checked.
 */
#include "wire.h"

#include <string.h>

#include "mem.h"

void wire_read_init(struct wire_reader *r, const void *data, size_t n)
{
    r->p = data;
    r->end = n ? r->p + n : r->p;
    r->bad = false;
}

/* n bytes, or NULL and a bad reader. */
static const uint8_t *take(struct wire_reader *r, size_t n)
{
    if (r->bad || n > (size_t)(r->end - r->p)) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->p;
    if (n)
        r->p += n;
    return p;
}

uint8_t wire_get_u8(struct wire_reader *r)
{
    const uint8_t *p = take(r, 1);
    return p ? *p : 0;
}

bool wire_get_bool(struct wire_reader *r)
{
    return wire_get_u8(r) != 0;
}

uint32_t wire_get_u32(struct wire_reader *r)
{
    const uint8_t *p = take(r, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

uint64_t wire_get_u64(struct wire_reader *r)
{
    if (!r->bad && r->end - r->p < 8)
        r->bad = true;
    uint64_t high = wire_get_u32(r);
    return high << 32 | wire_get_u32(r);
}

struct wire_str wire_get_bytes(struct wire_reader *r, size_t n)
{
    const uint8_t *p = take(r, n);
    return p ? (struct wire_str){p, n} : (struct wire_str){NULL, 0};
}

struct wire_str wire_get_str(struct wire_reader *r)
{
    uint32_t n = wire_get_u32(r);
    return r->bad ? (struct wire_str){NULL, 0} : wire_get_bytes(r, n);
}

struct wire_str wire_get_mpint(struct wire_reader *r)
{
    struct wire_str s = wire_get_str(r);
    if (s.len > 0 && (s.data[0] & 0x80) != 0) {
        r->bad = true;
        return (struct wire_str){NULL, 0};
    }
    while (s.len > 0 && s.data[0] == 0) {
        s.data++;
        s.len--;
    }
    return s;
}

char *wire_get_cstr(struct wire_reader *r)
{
    struct wire_str s = wire_get_str(r);
    if (r->bad)
        return NULL;
    char *text = s.len > 0 && memchr(s.data, 0, s.len) ? NULL : mem_alloc(s.len + 1);
    if (!text) {
        r->bad = true;
        return NULL;
    }
    if (s.len > 0)
        memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    return text;
}

bool wire_ok(const struct wire_reader *r)
{
    return !r->bad;
}

bool wire_end(const struct wire_reader *r)
{
    return !r->bad && r->p == r->end;
}

bool wire_str_is(struct wire_str s, const char *text)
{
    size_t n = strlen(text);
    return s.len == n && (n == 0 || memcmp(s.data, text, n) == 0);
}

void wire_write_init(struct wire_writer *w)
{
    memset(w, 0, sizeof *w);
}

void wire_write_done(struct wire_writer *w)
{
    mem_free_secret(w->data, w->cap);
    wire_write_init(w);
}

/* Room for n more bytes. A fresh block instead of realloc: what is left behind has to be wiped. */
static uint8_t *extend(struct wire_writer *w, size_t n)
{
    if (w->bad || n > SIZE_MAX / 4 - w->len) {
        w->bad = true;
        return NULL;
    }
    if (n > w->cap - w->len) {
        size_t cap = w->cap ? w->cap : 64;
        while (cap < w->len + n)
            cap *= 2;
        uint8_t *data = mem_alloc(cap);
        if (!data) {
            w->bad = true;
            return NULL;
        }
        if (w->len)
            memcpy(data, w->data, w->len);
        mem_free_secret(w->data, w->cap);
        w->data = data;
        w->cap = cap;
    }
    uint8_t *p = w->data + w->len;
    w->len += n;
    return p;
}

void wire_put_bytes(struct wire_writer *w, const void *data, size_t n)
{
    uint8_t *p = n ? extend(w, n) : NULL;
    if (p)
        memcpy(p, data, n);
}

void wire_put_u8(struct wire_writer *w, uint8_t v)
{
    wire_put_bytes(w, &v, 1);
}

void wire_put_bool(struct wire_writer *w, bool v)
{
    wire_put_u8(w, v ? 1 : 0);
}

void wire_put_u32(struct wire_writer *w, uint32_t v)
{
    const uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    wire_put_bytes(w, b, sizeof b);
}

void wire_put_u64(struct wire_writer *w, uint64_t v)
{
    wire_put_u32(w, (uint32_t)(v >> 32));
    wire_put_u32(w, (uint32_t)v);
}

void wire_put_str(struct wire_writer *w, const void *data, size_t n)
{
    if (n > UINT32_MAX) {
        w->bad = true;
        return;
    }
    wire_put_u32(w, (uint32_t)n);
    wire_put_bytes(w, data, n);
}

void wire_put_cstr(struct wire_writer *w, const char *s)
{
    wire_put_str(w, s, strlen(s));
}

void wire_put_mpint(struct wire_writer *w, const uint8_t *magnitude, size_t n)
{
    while (n > 0 && *magnitude == 0) {
        magnitude++;
        n--;
    }
    bool sign = n > 0 && (*magnitude & 0x80) != 0;
    if (n >= UINT32_MAX) {
        w->bad = true;
        return;
    }
    wire_put_u32(w, (uint32_t)(n + sign));
    if (sign)
        wire_put_u8(w, 0);
    wire_put_bytes(w, magnitude, n);
}

bool wire_write_ok(const struct wire_writer *w)
{
    return !w->bad;
}

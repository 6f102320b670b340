/*
 * wire: bounds-checked reading and writing of the SSH data types (RFC 4251 section 5).
 *
 * A reader never reads past its end: the first value that does not fit makes it bad, it stays bad, and every
 * later get yields zero or empty. Check once at the end with wire_ok() or wire_end(). A writer grows a buffer
 * and stays bad after a failed allocation in the same way. Thread: none of its own.
 */
#ifndef ADIT_BASE_WIRE_H
#define ADIT_BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_reader {
    const uint8_t *p, *end; /* borrowed */
    bool bad;
};

/* A borrowed run of bytes inside the reader's buffer. */
struct wire_str {
    const uint8_t *data;
    size_t len;
};

void wire_read_init(struct wire_reader *r, const void *data, size_t n);
uint8_t wire_get_u8(struct wire_reader *r);
bool wire_get_bool(struct wire_reader *r);
uint32_t wire_get_u32(struct wire_reader *r);
uint64_t wire_get_u64(struct wire_reader *r);
struct wire_str wire_get_str(struct wire_reader *r);             /* u32 length, then bytes */
struct wire_str wire_get_bytes(struct wire_reader *r, size_t n); /* n bytes as they stand */
struct wire_str wire_get_mpint(struct wire_reader *r); /* non-negative; leading zero byte taken off */
char *wire_get_cstr(struct wire_reader *r); /* mem_free() it; NULL when bad, or a NUL lies inside */
bool wire_ok(const struct wire_reader *r);
bool wire_end(const struct wire_reader *r); /* ok and nothing left */
bool wire_str_is(struct wire_str s, const char *text);

struct wire_writer {
    uint8_t *data; /* owned; wiped and freed by wire_write_done */
    size_t len, cap;
    bool bad;
};

void wire_write_init(struct wire_writer *w);
void wire_write_done(struct wire_writer *w); /* wipes: what is written may be secret */
void wire_put_u8(struct wire_writer *w, uint8_t v);
void wire_put_bool(struct wire_writer *w, bool v);
void wire_put_u32(struct wire_writer *w, uint32_t v);
void wire_put_u64(struct wire_writer *w, uint64_t v);
void wire_put_str(struct wire_writer *w, const void *data, size_t n);
void wire_put_cstr(struct wire_writer *w, const char *s);
void wire_put_bytes(struct wire_writer *w, const void *data, size_t n);
void wire_put_mpint(struct wire_writer *w, const uint8_t *magnitude, size_t n); /* big-endian, unsigned */
bool wire_write_ok(const struct wire_writer *w);

#endif

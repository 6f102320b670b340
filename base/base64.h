/*
 * base64: the standard alphabet (RFC 4648 §4), as key files and known_hosts use it.
 *
 * Thread: any.
 */
#ifndef ADIT_BASE_BASE64_H
#define ADIT_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1) /* of the text for n bytes, with its NUL */

/* out holds BASE64_SIZE(n). Returns the length of the text. */
size_t base64_encode(char *out, const uint8_t *data, size_t n);

/* Blanks and line ends are skipped, padding is required. Writes at most n/4*3 bytes; returns how many, or -1
 * when the text is malformed. */
long base64_decode(uint8_t *out, const char *text, size_t n);

#endif

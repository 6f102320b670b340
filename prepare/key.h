/*
 * key: one public key line, checked before it goes anywhere near a script.
 *
 * Source: sshd(8), AUTHORIZED_KEYS FILE FORMAT; RFC 4253 §6.6.
 */
#ifndef ADIT_PREPARE_KEY_H
#define ADIT_PREPARE_KEY_H

#include <stddef.h>

#include "base/err.h"

#define KEY_LINE_MAX 16384

/* text: what a .pub file holds: one line, "TYPE BASE64[ COMMENT]", no options, final newline allowed. *line:
 * a new string (mem_free) of TYPE, BASE64 and the comment as it was, in UTF-8 without control characters.
 * ERR_INVAL: a second line, a NUL or other control character, an unknown type, base64 that does not hold a
 * key of that type, too long; the message says which. */
int key_line_check(const char *text, size_t len, char **line, struct err *err);

#endif

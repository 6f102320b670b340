/*
 * text: makes text that a server sent fit to be shown, and searches its comma-separated lists. Private to
 * ssh/.
 *
 * Thread: any.
 */
#ifndef ADIT_SSH_TEXT_H
#define ADIT_SSH_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copies at most size-1 bytes; control characters and bytes that are not UTF-8 become '?', white space one
 * blank; what is too long ends in "…". Always terminated. Returns out. */
char *ssh_text_clean(char *out, size_t size, const void *data, size_t n);

/* Is `name` one of the names of a comma-separated list? */
bool ssh_text_lists(const char *list, const char *name);

#endif

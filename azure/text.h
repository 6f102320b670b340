/*
 * text: pieces of text that requests and errors are made of.
 */
#ifndef ADIT_AZURE_TEXT_H
#define ADIT_AZURE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "blob.h"

#define TEXT_GUID_SIZE 37

/* A random GUID (RFC 4122 section 4.4), lower case. */
void text_guid(char out[TEXT_GUID_SIZE]);

/* Adds "name=value" in the form application/x-www-form-urlencoded, after a "&" if something is there.
 * ERR_NOMEM. */
int text_form_add(struct blob *form, const char *name, const char *value);

/* Copies text a server sent into a message: one line, no control characters, whole UTF-8 characters, at most
 * size − 1 bytes; cut ones end with "…". NULL gives "". */
void text_clean(char *out, size_t size, const char *text);

/* The part of a path or URL that may be shown: without the query, which may be signed. */
int text_path_len(const char *path);

/* Copies what stands between the first pair of single quotes behind `after`; false when there is none or it
 * is too long. */
bool text_quoted_after(const char *text, const char *after, char *out, size_t size);

#endif

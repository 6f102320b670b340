/*
 * base64: the two alphabets of RFC 4648 that tokens and certificates are written in.
 */
#ifndef ADIT_AZURE_BASE64_H
#define ADIT_AZURE_BASE64_H

#include <stddef.h>

#include "blob.h"

/* Appends the base64 of data, padded (RFC 4648 section 4). ERR_NOMEM. */
int base64_add(struct blob *out, const void *data, size_t n);

/* Appends it in the URL alphabet without padding (section 5), as JWTs are written. ERR_NOMEM. */
int base64url_add(struct blob *out, const void *data, size_t n);

/* Appends what `text` stands for. Both alphabets are taken, padding may be missing. ERR_INVAL for anything
 * that is not base64 (out is left as it was), ERR_NOMEM. */
int base64_add_decoded(struct blob *out, const char *text, size_t n);

#endif

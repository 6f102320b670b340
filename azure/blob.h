/*
 * blob: bytes that grow and are wiped wherever they have been; for whatever may hold a token or a secret.
 */
#ifndef ADIT_AZURE_BLOB_H
#define ADIT_AZURE_BLOB_H

#include <stddef.h>

struct blob {
    char *data; /* NULL while nothing was added; then terminated with a NUL that len leaves out */
    size_t len, cap;
};

int blob_add(struct blob *b, const void *data, size_t n); /* ERR_NOMEM: nothing was added */
int blob_puts(struct blob *b, const char *text);
void blob_done(struct blob *b);

#endif

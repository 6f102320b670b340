/*
 * blob: growth by copy and wipe, where realloc would leave the old bytes behind.
 */
#include "blob.h"

#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

int blob_add(struct blob *b, const void *data, size_t n)
{
    if (n >= SIZE_MAX / 4 - b->len)
        return ERR_NOMEM;
    if (b->len + n + 1 > b->cap) {
        size_t cap = b->cap ? b->cap : 1024;
        while (cap < b->len + n + 1)
            cap *= 2;
        char *grown = mem_alloc(cap);
        if (!grown)
            return ERR_NOMEM;
        if (b->len)
            memcpy(grown, b->data, b->len);
        mem_free_secret(b->data, b->cap);
        b->data = grown;
        b->cap = cap;
    }
    if (n)
        memcpy(b->data + b->len, data, n);
    b->len += n;
    b->data[b->len] = 0;
    return 0;
}

int blob_puts(struct blob *b, const char *text)
{
    return blob_add(b, text, strlen(text));
}

void blob_done(struct blob *b)
{
    mem_free_secret(b->data, b->cap);
    memset(b, 0, sizeof(*b));
}

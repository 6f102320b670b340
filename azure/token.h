/*
 * token: an access token as a sign-in endpoint hands it out.
 */
#ifndef ADIT_AZURE_TOKEN_H
#define ADIT_AZURE_TOKEN_H

#include <stdint.h>

#include "base/mem.h"

#define TOKEN_MAX 32768 /* bytes; Entra's are 1 to 3 KiB, with many groups more */

struct token {
    char *value;           /* secret; owned */
    uint64_t lives_s;      /* from the moment it came */
    uint64_t refresh_in_s; /* ask for the next one after so long; 0 = not said */
    char *refresh;         /* the refresh token, only where one was asked for, else NULL; secret; owned */
};

static inline void token_done(struct token *t)
{
    if (t->value)
        mem_free_secret(t->value, __builtin_strlen(t->value));
    if (t->refresh)
        mem_free_secret(t->refresh, __builtin_strlen(t->refresh));
    t->value = t->refresh = (char *)0;
}

#endif

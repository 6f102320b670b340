/*
 * token: the login endpoint (Microsoft Entra's token service) and the check of tokens on ARM calls.
 *
 * Tokens look like JWTs and are nothing but names in a table. Knows the client-credentials grant with a
 * secret, v1 and v2 paths, and the OpenID configuration that sign-in libraries read first.
 */
#ifndef ADIT_SANDBOX_TOKEN_H
#define ADIT_SANDBOX_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/list.h"
#include "http.h"
#include "world.h"

struct sandbox;

struct token_book {
    struct list tokens;
    unsigned count;
};

/* What a token stands for. */
struct token {
    struct list node;
    time_t expires;
    char client[WORLD_UUID_LEN]; /* whose it is: calls are counted by it */
    char text[256];
};

enum token_state { TOKEN_GOOD, TOKEN_MISSING, TOKEN_UNKNOWN, TOKEN_EXPIRED };

void token_book_init(struct token_book *b);
void token_book_done(struct token_book *b);

bool token_path(const char *path); /* whether the login endpoint serves it */
void token_handle(struct sandbox *sb, const struct http_request *q, struct http_reply *r);
/* *out: the token when it is good; valid during the call. */
enum token_state token_check(struct sandbox *sb, const struct http_request *q, const struct token **out);
void token_expire_all(struct token_book *b);

#endif

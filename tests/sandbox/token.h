/*
 * token: the login endpoint (Microsoft Entra's token service) and the check of tokens on ARM calls.
 *
 * Access tokens are JWTs, but what counts is the table that they are in. Known grants: client credentials
 * with a secret, a certificate's or a federated assertion; device code; refresh token; v1 and v2 paths.
 * token.c has the table and the endpoints, token_grant.c the grants, token_device.c what people sign in with.
 * Thread: the main loop's.
 */
#ifndef ADIT_SANDBOX_TOKEN_H
#define ADIT_SANDBOX_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/list.h"
#include "http.h"
#include "jwt.h"
#include "world.h"

struct sandbox;

#define TOKEN_AZURE_CLI                                                                                      \
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46"                   /* the public client that people sign in with */
#define TOKEN_MANAGED "1fec8e78-0000-4000-8000-5a5b0c0ffee2" /* the managed identity */
#define TOKEN_OTHER_TENANT "72f988bf-0000-4000-8000-5a5b0c0ffeff"
#define TOKEN_USER "someone@sandbox.example"
#define TOKEN_OBJECT "1fec8e78-0000-4000-8000-5a5b0c0ffee3" /* that user's object id */
#define TOKEN_FEDERATED_ISSUER "https://oidc.sandbox.example"
#define TOKEN_FEDERATED_SUBJECT "system:serviceaccount:default:adit"

struct token_book {
    struct list tokens;
    unsigned count;
    struct list devices, refreshes; /* token_device.c */
    struct jwt_key client;          /* the certificate registered for the world's client */
    struct jwt_key issuer;          /* signs id_tokens, and federated tokens */
};

/* What a token stands for. */
struct token {
    struct list node;
    time_t expires;
    char client[WORLD_UUID_LEN]; /* whose it is: calls are counted by it */
    char tenant[WORLD_UUID_LEN];
    char not_before[32]; /* the claim that it was asked for with, or "" */
    char *text;          /* a JWT */
};

enum token_state { TOKEN_GOOD, TOKEN_MISSING, TOKEN_UNKNOWN, TOKEN_EXPIRED };

void token_book_init(struct token_book *b);
int token_book_keys(struct token_book *b, struct err *err);
void token_book_done(struct token_book *b);

bool token_path(const char *path); /* whether the login endpoint serves it */
void token_handle(struct sandbox *sb, const struct http_request *q, struct http_reply *r);
/* *out: the token when it is good; valid during the call. */
enum token_state token_check(struct sandbox *sb, const struct http_request *q, const struct token **out);
void token_expire_all(struct token_book *b);

/* The tenant that a subscription belongs to. */
const char *token_tenant_of(const struct sandbox *sb, const struct world_subscription *s);
/* NULL: out of memory. */
struct token *token_new(struct sandbox *sb, const char *client, const char *tenant);

/* --- private to the token_*.c --- */

/* A request to the token endpoint. */
struct token_ask {
    struct sandbox *sb;
    const char *url; /* that it came to */
    const char *body;
    const char *tenant; /* GUID */
    char *grant, *client, *scope, *claims;
    bool v1;
    struct http_reply *r;
};

void token_refuse(struct http_reply *r, unsigned status, const char *error, int code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void token_answer(const struct token_ask *a, const char *client); /* an access token, and no more */
void token_grant(const struct token_ask *a);
void token_grant_device(const struct token_ask *a);
void token_grant_refresh(const struct token_ask *a);
void token_device_done(struct token_book *b);
void token_device_new(const struct token_ask *a);

/* --- ctl --- */

/* What the person does with a code (NULL: with all that wait); returns how many it was done to. */
unsigned token_device_settle(struct sandbox *sb, const char *user_code, bool approve);
void token_refresh_revoke(struct token_book *b);

#endif

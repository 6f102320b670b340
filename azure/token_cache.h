/*
 * token_cache: one token for each tenant and scope, renewed before it ends, asked for once however many wait.
 *
 * A token with less than 300 s left counts as expired; past its refresh_in the next one is fetched in the
 * background and the old one stays in use if that fails (Azure Identity's rules). A refusal is remembered for
 * a few seconds, so that a wrong secret is not tried once for every VM. Thread: the loop's.
 */
#ifndef ADIT_AZURE_TOKEN_CACHE_H
#define ADIT_AZURE_TOKEN_CACHE_H

#include "base/clock.h"
#include "base/list.h"
#include "base/ready.h"
#include "credential.h"

struct token_cache;

int token_cache_new(struct token_cache **out, struct credential *credential, struct clock *clock,
                    struct readyq *ready, uint64_t *sent,
                    struct err *err);         /* *sent counts the tokens asked for. ERR_NOMEM */
void token_cache_free(struct token_cache *c); /* no one may wait any more: asserted */

/* The token if there is a good one, else NULL. Valid until the loop turns. *serial names it for
 * token_cache_drop(). */
const char *token_cache_peek(struct token_cache *c, const char *tenant, const char *scope, uint64_t *serial);

/* Someone who waits; embedded in its owner. */
struct token_wait {
    struct list node; /* private */
    void (*cb)(struct token_wait *w, const struct err *err);
};

/* cb fires once, never inside: err NULL means that token_cache_peek() has one now. tenant may be NULL.
 * ERR_NOMEM, ERR_LIMIT. */
int token_cache_wait(struct token_cache *c, const char *tenant, const char *scope, struct token_wait *w,
                     struct err *err);
void token_cache_cancel(
    struct token_wait *w); /* silent; one that does not wait may be given if initialised */
void token_wait_init(struct token_wait *w, void (*cb)(struct token_wait *w, const struct err *err));

/* ARM refuses that one: forget it, unless another has taken its place already. */
void token_cache_drop(struct token_cache *c, const char *tenant, const char *scope, uint64_t serial);

/* The same, because ARM wants one with `claims` (JSON, copied): the next one is asked for with them.
 * ERR_NOMEM. */
int token_cache_challenge(struct token_cache *c, const char *tenant, const char *scope, uint64_t serial,
                          const char *claims);

/* Somebody signed in or out: forgets every token and refusal. */
void token_cache_forget(struct token_cache *c);

#endif

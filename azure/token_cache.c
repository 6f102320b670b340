/*
 * token_cache: the tokens in use, their ages, and those who wait for one.
 *
 * The time of a token is kept by both clocks: the monotonic one stands still while the machine sleeps, the
 * wall clock may be set; a token is good only while both say so.
 */
#include "token_cache.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

#define ENTRIES_MAX 64
#define LEFT_MIN_MS UINT64_C(300000) /* less left than this counts as expired */
#define LIVES_MAX_S UINT64_C(604800) /* what says it lives for longer than a week is not believed */
#define FETCH_MS 30000u
#define REFUSED_MS 5000u        /* how long a refusal is remembered */
#define REFRESH_AGAIN_MS 60000u /* between two tries to refresh in the background */

struct entry {
    struct token_cache *cache;
    char *tenant, *scope; /* tenant NULL = the credential's */
    char *claims;         /* that the next one must have, or NULL */
    struct token token;
    uint64_t serial;
    uint64_t expires_ms, expires_wall_ms, refresh_ms;
    uint64_t refused_until_ms;
    struct credential_run *run; /* NULL while none is being fetched */
    struct list waiting;        /* for the run */
    struct list told;           /* run is over: called back one a turn */
    struct ready ready;
    struct err outcome;
};

struct token_cache {
    struct credential *credential;
    struct clock *clock;
    struct readyq *ready;
    struct map *entries;
    uint64_t serials;
    uint64_t *sent;
};

static void entry_free(void *arg)
{
    struct entry *e = arg;
    assert(list_empty(&e->waiting) && list_empty(&e->told));
    if (e->run)
        credential_cancel(e->run);
    ready_cancel(&e->ready);
    token_done(&e->token);
    mem_free(e->tenant);
    mem_free(e->scope);
    mem_free(e->claims);
    mem_free(e);
}

int token_cache_new(struct token_cache **out, struct credential *credential, struct clock *clock,
                    struct readyq *ready, uint64_t *sent, struct err *err)
{
    struct token_cache *c = mem_zalloc(sizeof(*c));
    struct map *entries = map_new(true);
    if (!c || !entries) {
        mem_free(c);
        map_free(entries, NULL);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    *c = (struct token_cache){credential, clock, ready, entries, 0, sent};
    *out = c;
    return 0;
}

void token_cache_free(struct token_cache *c)
{
    if (!c)
        return;
    map_free(c->entries, entry_free);
    mem_free(c);
}

/* One turn for each waiter: a callback may take the whole cache down. */
static void on_ready(struct ready *r)
{
    struct entry *e = container_of(r, struct entry, ready);
    struct list *node = list_pop(&e->told);
    if (!node)
        return;
    if (!list_empty(&e->told))
        ready_push(e->cache->ready, &e->ready);
    struct token_wait *w = container_of(node, struct token_wait, node);
    struct err outcome = e->outcome;
    w->cb(w, outcome.code ? &outcome : NULL);
}

static void key_of(char *out, size_t size, const char *tenant, const char *scope)
{
    snprintf(out, size, "%s %s", tenant ? tenant : "", scope);
}

static struct entry *entry_get(struct token_cache *c, const char *tenant, const char *scope)
{
    char key[AZURE_ENDPOINT_MAX + 300];
    key_of(key, sizeof(key), tenant, scope);
    return map_get(c->entries, key);
}

static struct entry *entry_make(struct token_cache *c, const char *tenant, const char *scope, struct err *err)
{
    char key[AZURE_ENDPOINT_MAX + 300];
    struct entry *e = entry_get(c, tenant, scope);
    if (e)
        return e;
    if (map_count(c->entries) >= ENTRIES_MAX) {
        err_set(err, ERR_LIMIT, "tokens for more than %d tenants and scopes are in use", ENTRIES_MAX);
        return NULL;
    }
    key_of(key, sizeof(key), tenant, scope);
    e = mem_zalloc(sizeof(*e));
    if (e) {
        e->cache = c;
        list_init(&e->waiting);
        list_init(&e->told);
        ready_init(&e->ready, on_ready);
        e->tenant = mem_strdup(tenant);
        e->scope = mem_strdup(scope);
    }
    if (e && e->scope && (!tenant || e->tenant) && map_set(c->entries, key, e, NULL) == 0)
        return e;
    if (e)
        entry_free(e);
    err_set(err, ERR_NOMEM, "out of memory");
    return NULL;
}

static void entry_keep(struct entry *e, struct token *token)
{
    uint64_t now = clock_now(e->cache->clock);
    uint64_t lives = token->lives_s > LIVES_MAX_S ? LIVES_MAX_S : token->lives_s;
    uint64_t refresh =
        token->refresh_in_s && token->refresh_in_s < lives ? token->refresh_in_s : lives * 3 / 4;
    token_done(&e->token);
    e->token = *token;
    e->token.refresh = NULL; /* whoever asked for it keeps it */
    token->value = NULL;
    e->serial = ++e->cache->serials;
    e->expires_ms = now + lives * 1000;
    e->expires_wall_ms = clock_wall_ms() + lives * 1000;
    e->refresh_ms = now + refresh * 1000;
}

static void entry_tell(struct entry *e)
{
    list_splice(&e->told, &e->waiting);
    if (!list_empty(&e->told))
        ready_push(e->cache->ready, &e->ready);
}

static void entry_failed(struct entry *e, const struct err *err)
{
    uint64_t now = clock_now(e->cache->clock);
    err_copy(&e->outcome, err, ERR_AUTH);
    e->refresh_ms = now + REFRESH_AGAIN_MS;
    e->refused_until_ms = err->code == ERR_AUTH ? now + REFUSED_MS : 0;
    if (list_empty(&e->waiting))
        log_warn(&(struct log_ctx){.module = "azure"}, "token not renewed yet, the old one stays in use: %s",
                 err->msg);
    entry_tell(e);
}

static void on_token(void *arg, struct token *token, const struct err *err)
{
    struct entry *e = arg;
    e->run = NULL;
    if (err) {
        entry_failed(e, err);
        return;
    }
    err_clear(&e->outcome);
    mem_free(e->claims);
    e->claims = NULL;
    entry_keep(e, token);
    entry_tell(e);
}

static void entry_fetch(struct entry *e)
{
    struct credential_ask ask = {
        .tenant = e->tenant, .scope = e->scope, .deadline_ms = FETCH_MS, .claims = e->claims};
    struct err err;
    err_clear(&err);
    e->refresh_ms = UINT64_MAX;
    ++*e->cache->sent;
    if (credential_get(e->cache->credential, &ask, on_token, e, &e->run, &err) < 0) {
        --*e->cache->sent;
        entry_failed(e, &err);
    }
}

/* Both clocks; a token that never had 300 s may be used up to its half. */
static bool entry_good(const struct entry *e)
{
    uint64_t lives_ms = e->token.lives_s * 1000;
    uint64_t spare = lives_ms > 2 * LEFT_MIN_MS ? LEFT_MIN_MS : lives_ms / 2;
    return e->token.value && clock_now(e->cache->clock) + spare < e->expires_ms &&
           clock_wall_ms() + spare < e->expires_wall_ms;
}

const char *token_cache_peek(struct token_cache *c, const char *tenant, const char *scope, uint64_t *serial)
{
    struct entry *e = entry_get(c, tenant, scope);
    if (!e || !entry_good(e))
        return NULL;
    if (!e->run && clock_now(c->clock) >= e->refresh_ms)
        entry_fetch(e);
    *serial = e->serial;
    return e->token.value;
}

void token_wait_init(struct token_wait *w, void (*cb)(struct token_wait *w, const struct err *err))
{
    list_init(&w->node);
    w->cb = cb;
}

int token_cache_wait(struct token_cache *c, const char *tenant, const char *scope, struct token_wait *w,
                     struct err *err)
{
    struct entry *e = entry_make(c, tenant, scope, err);
    if (!e)
        return err ? err->code : ERR_NOMEM;
    list_push(&e->waiting, &w->node);
    if (e->run)
        return 0;
    if (entry_good(e) || (e->outcome.code && clock_now(c->clock) < e->refused_until_ms))
        entry_tell(e);
    else
        entry_fetch(e);
    return 0;
}

void token_cache_cancel(struct token_wait *w)
{
    list_remove(&w->node);
}

void token_cache_drop(struct token_cache *c, const char *tenant, const char *scope, uint64_t serial)
{
    struct entry *e = entry_get(c, tenant, scope);
    if (e && e->serial == serial)
        token_done(&e->token);
}

int token_cache_challenge(struct token_cache *c, const char *tenant, const char *scope, uint64_t serial,
                          const char *claims)
{
    struct entry *e = entry_get(c, tenant, scope);
    if (!e || e->serial != serial)
        return 0;
    char *copy = mem_strdup(claims);
    if (!copy)
        return ERR_NOMEM;
    if (e->run && list_empty(&e->waiting)) { /* a refresh in the background, without the claims */
        credential_cancel(e->run);
        e->run = NULL;
    }
    mem_free(e->claims);
    e->claims = copy;
    e->refused_until_ms = 0;
    token_done(&e->token);
    return 0;
}

static int entry_forget(void *arg, const char *key, void *value)
{
    struct entry *e = value;
    (void)arg;
    (void)key;
    e->refused_until_ms = 0;
    token_done(&e->token);
    return 0;
}

void token_cache_forget(struct token_cache *c)
{
    map_each(c->entries, entry_forget, NULL);
}

/*
 * credential: where a token can come from, as a table of kinds and a chain that asks them in order.
 *
 * Names and order follow Azure Identity's DefaultAzureCredential. A kind is one file and one row of the table
 * in credential_chain.c. Thread: the loop's.
 */
#ifndef ADIT_AZURE_CREDENTIAL_H
#define ADIT_AZURE_CREDENTIAL_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "blob.h"
#include "cloud.h"
#include "http.h"
#include "token.h"

/* What a kind works with; all borrowed, all outlive it. */
struct credential_env {
    uv_loop_t *loop;
    struct http *http;
    struct clock *clock;
    struct readyq *ready;
    const struct azure_cloud *cloud;
    const char *tenant;     /* of the configuration, or NULL: the kind's own */
    const char *login_file; /* where `adit login` keeps its refresh token, or NULL: nowhere */
    const char *arc_keys;   /* NULL = Azure Arc's own directory; tests have another */
};

/* What is asked for. Borrowed for the call. */
struct credential_ask {
    const char *tenant; /* or NULL: as credential_env has it */
    const char *scope;  /* "https://management.azure.com/.default" */
    uint32_t deadline_ms;
    const char *claims; /* JSON that ARM challenged with and the token request must carry, or NULL */
    bool alone;         /* no other kind will be asked: worth more patience */
};

/* Exactly once, never inside begin(). The callee may take token->value over (set it to NULL).
 * ERR_NOTFOUND: this kind is not set up here, and the message says what is missing; the chain goes on with
 * the next one. Anything else ends the chain, unless the kind is a developer's tool. */
typedef void (*credential_cb)(void *arg, struct token *token, const struct err *err);

struct credential_kind {
    const char *name; /* as `azure: credential:` has it */
    int (*begin)(const struct credential_env *env, const struct credential_ask *ask, credential_cb cb,
                 void *arg, void **run, struct err *err);
    void (*cancel)(void *run); /* synchronous and silent */
};

extern const struct credential_kind credential_environment;
extern const struct credential_kind credential_workload;
extern const struct credential_kind credential_managed;
extern const struct credential_kind credential_cli;
extern const struct credential_kind credential_azd;
extern const struct credential_kind credential_device;

/* What kinds share. Value of an environment variable; NULL for one that is not set or empty. */
const char *credential_setting(const char *name);

/* Begins the form of a token request: grant_type, client_id, scope, claims. ERR_NOMEM. */
int credential_form(struct blob *form, const char *grant, const char *client,
                    const struct credential_ask *ask);

/* Adds "client_assertion" and its type to the form of a token request. ERR_NOMEM. */
int credential_assertion_add(struct blob *form, const char *jwt);

struct credential;
struct credential_run;

/* choice: "auto" or a kind's name. "auto" may be narrowed by AZURE_TOKEN_CREDENTIALS: "dev", "prod", or one
 * kind's name, ours or the Azure SDKs'. ERR_INVAL lists what there is. */
int credential_new(struct credential **out, const struct credential_env *env, const char *choice,
                   struct err *err);
bool credential_asks(const struct credential *c, const struct credential_kind *kind); /* it is in the chain */
void credential_forget(struct credential *c); /* which kind gave the last token: all are asked again */
void credential_free(struct credential *c);   /* no run may be under way: asserted */

/* Asks the kinds in order; the one that gave a token last is asked first from then on. When none gives one:
 * ERR_AUTH with what was tried and why it did not work. */
int credential_get(struct credential *c, const struct credential_ask *ask, credential_cb cb, void *arg,
                   struct credential_run **out, struct err *err);
void credential_cancel(struct credential_run *run);

#endif

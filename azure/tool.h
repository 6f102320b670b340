/*
 * tool: a token from a command line tool that the user has signed in with.
 *
 * Private to the credentials "cli" and "azd". Thread: the loop's.
 */
#ifndef ADIT_AZURE_TOOL_H
#define ADIT_AZURE_TOOL_H

#include "child.h"
#include "credential.h"

#define TOOL_ARGV_MAX 16

struct json_t;

struct tool {
    const char *name;    /* "az" */
    const char *sign_in; /* "az login" */
    const char *tenant_flag;
    /* 0 and a token, or ERR_PROTOCOL, ERR_AUTH (it has expired), ERR_NOMEM. */
    int (*parse)(const struct json_t *root, struct token *out, struct err *err);
};

/* argv ends with NULL; the tenant is added. The two that a credential_kind needs. */
int tool_begin(const struct tool *tool, const char *const *argv, const struct credential_env *env,
               const struct credential_ask *ask, credential_cb cb, void *arg, void **out, struct err *err);
void tool_cancel(void *run);

/* Fills a token that ends at `ends_s`, seconds since the epoch. */
int tool_token(const char *value, int64_t ends_s, struct token *out, struct err *err);

/* What a tool writes, fit for a message: one line, without colours and whatever may be a token. */
void tool_text_clean(char *out, size_t size, const char *text);

#endif

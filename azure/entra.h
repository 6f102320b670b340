/*
 * entra: one request for a token to the sign-in endpoint, POST {login}/{tenant}/oauth2/v2.0/token, retried
 * where it helps.
 *
 * Source: the Microsoft identity platform's OAuth 2.0 token endpoint. Shared by every credential that signs
 * in by form. Thread: the loop's.
 */
#ifndef ADIT_AZURE_ENTRA_H
#define ADIT_AZURE_ENTRA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"
#include "blob.h"
#include "cloud.h"
#include "http.h"
#include "token.h"

#define ENTRA_URL_MAX (AZURE_ENDPOINT_MAX + 400)

struct entra_req;

struct entra_call {
    struct http *http;
    struct clock *clock;
    const struct azure_cloud *cloud;
    const char *tenant;
    const struct blob *form; /* copied */
    uint32_t deadline_ms;
    bool keeps_refresh; /* hand the refresh token on, too */
    /* What a user has to mend when Entra does not accept it, for the errors: literals. */
    const char *tenant_from, *client_from, *proof_from; /* "AZURE_CLIENT_SECRET" */
};

/* Exactly once, never inside entra_send(). The callee takes token->value over by setting it to NULL, or
 * leaves it to be wiped. ERR_AUTH (refused), ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_THROTTLED, ERR_PROTOCOL,
 * ERR_NOMEM. */
typedef void (*entra_cb)(void *arg, struct token *token, const struct err *err);

int entra_send(const struct entra_call *call, entra_cb cb, void *arg, struct entra_req **out,
               struct err *err);
void entra_cancel(struct entra_req *req);

/* The endpoint's answer taken apart: 0 and a token, or an error that says which of the call's settings is
 * wrong. */
int entra_reply_parse(const struct entra_call *call, const struct http_reply *reply, struct token *out,
                      struct err *err);

/* "{login}/{tenant}/oauth2/v2.0/{leaf}": "token", "devicecode". */
void entra_url(char out[ENTRA_URL_MAX], const struct azure_cloud *cloud, const char *tenant,
               const char *leaf);

/* Whether it can be a tenant's name or GUID, so that it can stand in a URL. */
int entra_tenant_check(const char *tenant, const char *from, struct err *err); /* ERR_INVAL */

#endif

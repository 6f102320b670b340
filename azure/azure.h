/*
 * azure: requests to Azure Resource Manager, signed in, retried and polite.
 *
 * One `struct azure` serves the whole daemon: one curl multi handle on the loop, HTTP/2 where offered, a
 * token per tenant and scope, a bounded number of requests at once. Thread: the loop's, for every function
 * here. Sources: ARM's common REST rules (429, Retry-After, error body), the Microsoft identity platform's
 * token endpoint.
 */
#ifndef ADIT_AZURE_AZURE_H
#define ADIT_AZURE_AZURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "cloud.h"

struct azure;
struct azure_req;
struct json_t; /* jansson */

struct azure_options {
    uv_loop_t *loop;
    struct clock *clock;
    struct azure_cloud cloud; /* copied */
    const char *ca_file;      /* or NULL for the system's */
    const char *credential;   /* "auto", "environment", … */
    const char *tenant;       /* or NULL */
    const char *login_file;   /* where azure_login() keeps its refresh token, absolute; NULL = nowhere */
    unsigned requests_max;    /* at once; 0 = 16 */
};

/* ERR_NOMEM, ERR_INVAL (an unknown credential), ERR_SYSTEM. Makes no request. */
int azure_new(struct azure **out, const struct azure_options *options, struct err *err);

/* Cancels every request silently; `cb` fires once all handles are closed. */
typedef void (*azure_closed_cb)(void *arg);
void azure_close(struct azure *a, azure_closed_cb cb, void *arg);

/* What ARM answered. Valid only inside the callback. */
struct azure_reply {
    int status;             /* HTTP */
    struct json_t *json;    /* the body, or NULL when it is empty; borrowed: json_incref() to keep */
    const char *request_id; /* x-ms-request-id, or "" */
    const char *client_request_id;
    const char *async_operation; /* Azure-AsyncOperation, or NULL */
    const char *location;        /* Location, or NULL */
    long retry_after_s;          /* -1 when absent */
};

/* Exactly once, never inside azure_send(). err is NULL for a 2xx. Otherwise its message names ARM's code and
 * text, the client request id, and what to do; reply may still be there (a 404, say) or NULL (no answer at
 * all). 404 → ERR_NOTFOUND, 401 → ERR_AUTH, 403 → ERR_DENIED, 429 → ERR_THROTTLED, 5xx and no connection →
 * ERR_UNAVAILABLE, a body that is no JSON → ERR_PROTOCOL, deadline → ERR_TIMEOUT. */
typedef void (*azure_reply_cb)(void *arg, const struct azure_reply *reply, const struct err *err);

struct azure_call {
    const char *method; /* "GET", "POST", "PUT", "DELETE" */
    const char
        *path; /* "/subscriptions/…?api-version=…", or a whole URL (nextLink, an operation): sent verbatim,
                  but refused unless it points to the cloud's own ARM host: the token goes nowhere else */
    struct json_t *body;  /* or NULL; borrowed for the call */
    uint32_t deadline_ms; /* for everything: token, queueing, tries; 0 = 30 s */
};

/* Sends with token, x-ms-client-request-id, retries (429, 5xx, broken connections; jittered; idempotent
 * methods and ARM's POST reads) within the deadline. ERR_NOMEM, ERR_INVAL, ERR_DENIED (foreign host). */
int azure_send(struct azure *a, const struct azure_call *call, azure_reply_cb cb, void *arg,
               struct azure_req **out, struct err *err);
void azure_cancel(struct azure_req *req); /* synchronous and silent */

/* Signing a person in by device code (RFC 8628), for `adit login`. Under way until `cb` fires or it is
 * canceled. */
struct azure_login;

/* What the user has to be shown; valid only inside the callback. */
struct azure_prompt {
    const char *user_code;        /* to type in at … */
    const char *verification_uri; /* … this page */
    const char *message;          /* both in one sentence, as Entra words it; may be "" */
    uint32_t expires_s;           /* from now */
};

/* At most once, before azure_login_cb; never inside azure_login(). May cancel the login. */
typedef void (*azure_prompt_cb)(void *arg, const struct azure_prompt *prompt);

/* Exactly once, never inside azure_login(). err NULL: signed in and saved; user is who ("ann@example.com"; ""
 * when Entra does not say), else NULL. ERR_DENIED (declined), ERR_TIMEOUT (the code expired), ERR_AUTH
 * (refused), ERR_UNAVAILABLE, ERR_PROTOCOL, ERR_NOMEM, or why the file cannot be written. */
typedef void (*azure_login_cb)(void *arg, const char *user, const struct err *err);

/* Makes a login the last of the credentials that "auto" asks, and the one that "device-code" means. The
 * tenant is `tenant` (a GUID or a domain; copied), for NULL that of the options, else the user's own.
 * ERR_UNSUPPORTED (no login_file), ERR_CONFIG (the options' credential or AZURE_TOKEN_CREDENTIALS leaves such
 * a login unasked), ERR_INVAL, ERR_NOMEM, ERR_SYSTEM. */
int azure_login(struct azure *a, const char *tenant, azure_prompt_cb prompt, azure_login_cb cb, void *arg,
                struct azure_login **out, struct err *err);
void azure_login_cancel(struct azure_login *l); /* synchronous and silent */

/* Forgets the saved login and every token in memory. Blocks for one unlink(2). ERR_NOTFOUND (nobody is signed
 * in), ERR_DENIED, ERR_SYSTEM. */
int azure_logout(struct azure *a, struct err *err);

/* Sent so far, and how many of them were answered 429: for `adit status` and the tests. */
struct azure_stats {
    uint64_t requests, throttled, token_requests;
};
void azure_stats_get(const struct azure *a, struct azure_stats *out);

#endif

/*
 * azure_private: what the files of azure share: the one struct azure and its gate.
 */
#ifndef ADIT_AZURE_AZURE_PRIVATE_H
#define ADIT_AZURE_AZURE_PRIVATE_H

#include "azure.h"
#include "base/list.h"
#include "base/ready.h"
#include "credential.h"
#include "http.h"
#include "retry.h"
#include "tenants.h"
#include "text.h"
#include "token_cache.h"

struct azure {
    struct clock *clock;
    struct readyq *ready;
    struct http *http;
    struct credential *credential;
    struct token_cache *tokens;
    struct azure_cloud cloud;
    char *tenant;     /* of the configuration, or NULL */
    char *login_file; /* or NULL */
    struct tenants *tenants;
    struct list logins;  /* azure_login under way */
    struct list queued;  /* azure_req that wait for a place, first come first served */
    struct list running; /* azure_req that hold a place */
    struct list paused;  /* azure_req between two tries */
    unsigned places, places_max;
    struct azure_stats stats;
    azure_closed_cb closed;
    void *closed_arg;
};

#define REQ_TENANT_SIZE 256

enum azure_req_state {
    AZURE_REQ_QUEUED,
    AZURE_REQ_TOKEN,
    AZURE_REQ_SENDING,
    AZURE_REQ_PAUSED,
    AZURE_REQ_OVER
};

struct azure_req {
    struct list node; /* in the list of its state */
    struct azure *azure;
    enum azure_req_state state;
    char *method, *url;
    size_t shown_from; /* where in url the path begins, for messages */
    char *body;
    bool repeatable;
    char client_request_id[TEXT_GUID_SIZE];
    uint64_t deadline_at;
    uint32_t deadline_ms;
    struct timer deadline, pause;
    struct retry retry;
    struct token_wait wait;
    uint64_t token_serial;
    char token_tenant[REQ_TENANT_SIZE]; /* "" = the credential's own */
    bool signed_in_again;               /* a refused token was replaced once already; */
    bool claims_brought;                /* and so was one that lacked claims; */
    bool tenant_changed;                /* and so was one of another tenant */
    struct http_req *http_req;
    uint64_t sent_at;
    struct err outcome; /* of a request that fails on its own, told from the ready queue */
    struct ready ready;
    azure_reply_cb cb;
    void *arg;
};

/* The gate: lets queued requests run while there are places. */
void azure_gate_pump(struct azure *a);

void azure_req_start(struct azure_req *req);   /* it has a place now; never calls out */
void azure_logins_discard(struct azure *a);    /* silently */
void azure_req_discard(struct azure_req *req); /* silently */

/* What a reply other than 2xx means: sets code and message. json may be NULL. Returns the code. */
int azure_arm_error(struct err *err, const struct http_reply *reply, const struct json_t *json);

/* ARM's error code in a body, or "". */
const char *azure_arm_error_code(const struct json_t *json);

#endif
